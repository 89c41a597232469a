with

tickets as (

    select * from {{ ref('int_tickets') }}

),

meetings as (

    select * from {{ ref('int_meetings') }}

),

responses as (

    select * from {{ ref('int_survey_responses') }}

),

customers as (

    select * from {{ ref('int_customers') }}

),

last_claims as (

    select
        customer_id,
        max(churned_date) as last_churned_date

    from {{ ref('int_churn_claims') }}

    group by customer_id

),

identities as (

    select * from {{ ref('int_customer_identities') }}

),

findings as (

    select
        tickets.source,
        tickets.ticket_id as record_key,
        tickets.customer_id as related_key,
        unnest(array[
            case
                when
                    tickets.opened_date < customers.signed_up_date
                    then 'ticket_before_signup'
            end,
            case
                when tickets.opened_date > last_claims.last_churned_date
                    then 'ticket_after_last_churn_event'
            end,
            case
                when tickets.first_reply_at > tickets.closed_at then 'reply_after_close'
            end,
            case
                when tickets.closed_at < tickets.opened_at then 'closed_before_opened'
            end,
            case when tickets.customer_id is null then 'ticket_of_unknown_account' end
        ]) as kind

    from tickets
    left join customers on tickets.customer_id = customers.customer_id
    left join last_claims on tickets.customer_id = last_claims.customer_id

    union all

    -- A past meeting without an outcome may have been held, so it is neither held nor
    -- cancelled.
    select
        source,
        meeting_id as record_key,
        customer_id as related_key,
        case
            when customer_id is null then 'meeting_of_unknown_account'
            when meeting_date < {{ as_of() }} and outcome in ('unknown', 'scheduled')
                then 'past_meeting_without_outcome'
        end as kind

    from meetings

    union all

    select
        source,
        response_id as record_key,
        customer_id as related_key,
        case
            when customer_id is null then 'response_of_unknown_account'
            when not is_valid then 'survey_score_off_scale'
        end as kind

    from responses

    union all

    select
        source,
        source_key as record_key,
        customer_id as related_key,
        'billed_but_unknown' as kind

    from identities

    where rule = 'unmatched'

)

select
    kind,
    source,
    record_key,
    related_key,
    1::bigint as record_count

from findings

where kind is not null
