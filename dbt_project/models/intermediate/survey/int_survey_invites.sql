with

customer_keys as (

    select * from {{ ref('int_customer_keys') }}

),

hubspot_invites as (

    select * from {{ ref('stg_hubspot__survey_invites') }}

),

files_invites as (

    select * from {{ ref('stg_files__survey_invites') }}

),

-- The CRM has a running total; a file has a row per invitation.
unioned as (

    select
        company_id as account_key,
        'nps' as survey,
        invited_date,
        invites_total - lag(invites_total, 1, 0) over (
            partition by company_id
            order by invited_date
        ) as invite_count

    from hubspot_invites

    union all

    select
        account_id as account_key,
        survey,
        invited_date,
        count(*)::int as invite_count

    from files_invites

    group by account_id, survey, invited_date

)

select
    customer_keys.customer_id,
    unioned.survey,
    unioned.invited_date,
    sum(unioned.invite_count)::bigint as invite_count

from unioned
inner join customer_keys on unioned.account_key = customer_keys.account_key

where unioned.invited_date <= {{ as_of() }}

group by customer_keys.customer_id, unioned.survey, unioned.invited_date
