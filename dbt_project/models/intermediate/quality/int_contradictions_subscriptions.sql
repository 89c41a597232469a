with

spans as (

    select * from {{ ref('int_subscription_spans') }}

    where not is_add_on

),

customers as (

    select * from {{ ref('int_customers') }}

),

checked as (

    select
        spans.source,
        spans.subscription_key,
        spans.customer_id,
        coalesce(spans.product != customers.plan, false) as is_other_plan,
        coalesce(spans.quantity != customers.seats, false) as is_other_size,
        coalesce(spans.is_upgrade and spans.is_downgrade, false) as is_up_and_down,
        coalesce(spans.ends_date = spans.starts_date, false) as is_empty,
        coalesce(spans.starts_date < customers.signed_up_date, false) as is_too_early

    from spans
    inner join customers on spans.customer_id = customers.customer_id

),

overlapping as (

    select
        earlier.source,
        earlier.subscription_key,
        later.subscription_key as other_key

    from spans as earlier
    inner join spans as later
        on
            earlier.customer_id = later.customer_id
            and earlier.subscription_key < later.subscription_key
            and earlier.starts_date < coalesce(later.ends_date, 'infinity')
            and later.starts_date < coalesce(earlier.ends_date, 'infinity')

)

select
    finding.kind,
    checked.source,
    checked.subscription_key as record_key,
    checked.customer_id as related_key,
    1::bigint as record_count

from checked
cross join
    lateral (
        values
        ('plan_differs_from_account', checked.is_other_plan),
        ('seats_differ_from_account', checked.is_other_size),
        ('upgrade_and_downgrade_at_once', checked.is_up_and_down),
        ('subscription_of_no_length', checked.is_empty),
        ('subscription_before_signup', checked.is_too_early)
    ) as finding (kind, is_found)

where finding.is_found

union all

select
    'plan_of_account_not_billed' as kind,
    min(source) as source,
    customer_id as record_key,
    null as related_key,
    1::bigint as record_count

from checked

group by customer_id

having bool_and(is_other_plan)

union all

select
    'overlapping_subscriptions' as kind,
    source,
    subscription_key as record_key,
    other_key as related_key,
    1::bigint as record_count

from overlapping
