with

terms as (

    select distinct
        customer_id,
        ends_date as renewal_date,
        ends_date - {{ policy('renewal_talk_due_days', 'int') }} as due_date

    from {{ ref('int_subscription_terms') }}

    where
        not is_trial
        and ends_date is not null
        and billing_period_months >= {{ policy('contract_min_months', 'int') }}

),

meetings as (

    select * from {{ ref('int_meetings') }}

    where outcome = 'completed'

),

talks as (

    select
        terms.customer_id,
        terms.renewal_date,
        min(meetings.meeting_date) as talk_date

    from terms
    inner join meetings
        on
            terms.customer_id = meetings.customer_id
            and meetings.meeting_kind = 'renewal'
            and terms.renewal_date > meetings.meeting_date
            and terms.renewal_date - {{ policy('renewal_talk_days', 'int') }}
            <= meetings.meeting_date

    group by terms.customer_id, terms.renewal_date

)

select
    terms.customer_id,
    terms.renewal_date,
    terms.due_date as opened_date,
    least(talks.talk_date, terms.renewal_date) as closed_date

from terms
left join talks
    on
        terms.customer_id = talks.customer_id
        and terms.renewal_date = talks.renewal_date

where
    terms.due_date <= {{ as_of() }}
    and (talks.talk_date is null or talks.talk_date > terms.due_date)
    -- No talk can be logged before the calendar was connected.
    and terms.renewal_date - {{ policy('renewal_talk_days', 'int') }}
    >= (select min(meetings.meeting_date) from meetings)
