with

claims as (

    select * from {{ ref('int_churn_claims') }}

    where customer_id is not null

),

spans as (

    select * from {{ ref('int_subscription_spans') }}

),

checked as (

    select
        claims.source,
        claims.churn_event_id,
        claims.customer_id,
        claims.is_reactivation
        and not exists (
            select 1 from claims as earlier
            where
                earlier.customer_id = claims.customer_id
                and earlier.churned_date < claims.churned_date
        ) as is_reactivation_of_nothing,
        not exists (
            select 1 from spans
            where
                spans.customer_id = claims.customer_id
                and spans.ends_date = claims.churned_date
        ) as is_off_every_end,
        claims.claims_earlier_upgrade
        and not exists (
            select 1 from spans
            where
                spans.customer_id = claims.customer_id
                and spans.is_upgrade
                and spans.starts_date >= claims.churned_date - 90
                and spans.starts_date <= claims.churned_date
        ) as is_upgrade_missing

    from claims

)

select
    finding.kind,
    checked.source,
    checked.churn_event_id as record_key,
    checked.customer_id as related_key,
    1::bigint as record_count

from checked
cross join
    lateral (
        values
        ('reactivation_without_earlier_churn', checked.is_reactivation_of_nothing),
        ('churn_event_off_subscription_end', checked.is_off_every_end),
        ('claimed_upgrade_not_found', checked.is_upgrade_missing)
    ) as finding (kind, is_found)

where finding.is_found
