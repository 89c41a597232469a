{{ config(materialized='table') }}

with recursive

accounts as (

    select * from {{ ref('int_accounts') }}

),

winners as (

    select distinct
        merged.account_key,
        accounts.source_key as winner_key

    from accounts
    cross join lateral unnest(accounts.merged_source_keys) as merged (account_key)

),

-- A deleted account keeps its history, so it stays a customer unless it was merged
-- away. An id that still names a live account is not followed into a merge.
own_keys as (

    select distinct source_key as account_key

    from accounts

    where
        not is_deleted
        or source_key not in (select winners.account_key from winners)

),

-- A merge leaves the loser's id on old associations for ever, so it stays a key. Who
-- won may have been merged away in turn; ten merges are more than anyone makes, and
-- the limit also ends a circle.
followed as (

    select
        account_key,
        winner_key,
        1 as merge_count

    from winners

    where account_key not in (select own_keys.account_key from own_keys)

    union all

    select
        followed.account_key,
        winners.winner_key,
        followed.merge_count + 1 as merge_count

    from followed
    inner join winners on followed.winner_key = winners.account_key

    where
        followed.winner_key not in (select own_keys.account_key from own_keys)
        and followed.merge_count < 10

),

keyed as (

    select
        account_key,
        account_key as customer_id,
        'own_key' as rule,
        0 as merge_count

    from own_keys

    union all

    select
        account_key,
        winner_key as customer_id,
        'merged_into' as rule,
        merge_count

    from followed

    where winner_key in (select own_keys.account_key from own_keys)

),

-- Two accounts may both claim to have taken in a third: one of them gets it, and the
-- claim says that it is in doubt.
claimed as (

    select
        account_key,
        count(distinct customer_id) as claim_count

    from keyed

    group by account_key

)

select distinct on (keyed.account_key)
    keyed.account_key,
    keyed.customer_id,
    keyed.rule,
    keyed.merge_count,
    claimed.claim_count

from keyed
inner join claimed on keyed.account_key = claimed.account_key

order by keyed.account_key, keyed.customer_id
