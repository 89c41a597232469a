with

detractors as (

    select
        responses.*,
        (
            ({{ as_of() }} + 1)::timestamp at time zone 'utc'
            - make_interval(hours => {{ policy('detractor_sla_hours', 'int') }})
        ) as matured_before

    from {{ ref('int_survey_responses') }} as responses
    inner join {{ ref('surveys') }} as surveys on responses.survey = surveys.survey

    where
        responses.survey = 'nps'
        and responses.is_valid
        and responses.customer_id is not null
        and responses.score <= surveys.detractor_to
        and responses.answered_date <= {{ as_of() }}

),

actions as (

    select * from {{ ref('int_actions') }}

    where acted_at < ({{ as_of() }} + 1)::timestamp at time zone 'utc'

),

first_actions as (

    select
        detractors.response_id,
        detractors.customer_id,
        detractors.answered_at,
        detractors.answered_at < detractors.matured_before as is_mature,
        -- What was done about the answer goes before what was done for the account.
        coalesce(
            min(actions.acted_at) filter (
                where actions.survey_response_id = detractors.response_id
            ),
            min(actions.acted_at)
        ) as first_action_at

    from detractors
    left join actions
        on
            detractors.customer_id = actions.customer_id
            and detractors.answered_at < actions.acted_at

    group by
        detractors.response_id,
        detractors.customer_id,
        detractors.answered_at,
        detractors.matured_before

)

-- A response younger than the limit can still be answered in time: it is neither met
-- nor missed.
select
    *,
    case
        when
            first_action_at - answered_at
            <= make_interval(hours => {{ policy('detractor_sla_hours', 'int') }})
            then true
        when is_mature then false
    end as is_sla_met

from first_actions
