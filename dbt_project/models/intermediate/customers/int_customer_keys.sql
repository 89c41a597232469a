{{ config(materialized='table') }}

with

accounts as (

    select * from {{ ref('int_accounts') }}

),

-- A deleted account keeps its history, so it stays a customer unless it was merged
-- away.
own_keys as (

    select distinct
        source_key as account_key,
        source_key as customer_id,
        'own_key' as rule

    from accounts

    where
        not is_deleted
        or source_key not in (
            select merged.account_key
            from accounts as winners
            cross join lateral unnest(winners.merged_source_keys)
                as merged (account_key)
        )

),

-- A merge leaves the loser's id on old associations for ever, so it stays a key.
merged_keys as (

    select distinct
        merged.account_key,
        accounts.source_key as customer_id,
        'merged_into' as rule

    from accounts
    cross join lateral unnest(accounts.merged_source_keys) as merged (account_key)

),

-- An id that still names a live account is not followed into a merge.
keyed as (

    select * from own_keys

    union all

    select * from merged_keys
    where account_key not in (select own_keys.account_key from own_keys)

)

select distinct on (account_key)
    account_key,
    customer_id,
    rule

from keyed

order by account_key, customer_id
