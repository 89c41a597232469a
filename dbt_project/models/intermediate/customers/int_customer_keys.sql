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

-- A deleted account remains a customer, with its history, unless it was merged. The id
-- of a live account is not followed into a merge.
own_keys as (

    select distinct source_key as account_key

    from accounts

    where
        not is_deleted
        or source_key not in (select winners.account_key from winners)

),

-- Old associations keep the id of a merged account, so it remains a key. The surviving
-- account may have been merged later. The limit of ten merges ends the recursion on a
-- cycle.
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

-- If two accounts claim the same merged account, one gets it and the claim is marked as
-- uncertain.
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
