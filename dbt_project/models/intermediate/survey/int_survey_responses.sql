{{ config(materialized='table') }}

with

customer_keys as (

    select * from {{ ref('int_customer_keys') }}

),

contacts as (

    select * from {{ ref('int_contacts') }}

),

typeform_responses as (

    select * from {{ ref('int_typeform_responses') }}

),

files_responses as (

    select * from {{ ref('stg_files__survey_responses') }}

),

surveys as (

    select * from {{ ref('surveys') }}

),

roles as (

    select * from {{ ref('int_contact_role_ranges') }}

),

scales as (

    select * from {{ ref('survey_scales') }}

),

unioned as (

    select
        'typeform' as source,
        response_id,
        company_id as account_key,
        contact_id,
        email_pseudonym,
        survey,
        score,
        scale_min,
        scale_max,
        reason,
        next_step,
        answered_at

    from typeform_responses

    union all

    select
        'files' as source,
        files_responses.response_id,
        files_responses.account_id as account_key,
        files_responses.contact_id,
        files_responses.email_pseudonym,
        files_responses.survey,
        files_responses.score,
        coalesce(files_responses.scale_min, surveys.scale_min) as scale_min,
        coalesce(files_responses.scale_max, surveys.scale_max) as scale_max,
        files_responses.reason,
        files_responses.next_step,
        files_responses.answered_at

    from files_responses
    left join surveys on files_responses.survey = surveys.survey

),

-- A respondent without an id is matched by address; an address belongs to one contact.
contact_emails as (

    select
        email_pseudonym,
        min(contact_id) as contact_id

    from contacts

    where email_pseudonym is not null

    group by email_pseudonym

    having count(*) = 1

),

identified as (

    select
        unioned.*,
        coalesce(by_id.contact_id, contact_emails.contact_id) as known_contact_id,
        coalesce(
            by_id.contact_id,
            contact_emails.contact_id,
            unioned.contact_id,
            unioned.email_pseudonym,
            unioned.source || ':' || unioned.response_id
        ) as respondent_key

    from unioned
    left join contacts as by_id on unioned.contact_id = by_id.contact_id
    left join contact_emails on unioned.email_pseudonym = contact_emails.email_pseudonym

)

select
    identified.source,
    identified.response_id,
    coalesce(customer_keys.customer_id, contacts.customer_id) as customer_id,
    identified.known_contact_id as contact_id,
    identified.respondent_key,
    coalesce(roles.role, contacts.contact_role) as contact_role,
    identified.survey,
    identified.score,
    identified.scale_min,
    identified.scale_max,
    identified.reason,
    identified.next_step,
    case
        when identified.score >= scales.promoter_from then 'promoter'
        when identified.score <= scales.detractor_to then 'detractor'
        when identified.score is not null and scales.survey is not null then 'passive'
    end as answer_class,
    coalesce(
        identified.score between scales.scale_min and scales.scale_max
        and (identified.survey != 'nps' or identified.score = round(identified.score)),
        false
    ) as is_valid,
    identified.answered_at::date as answered_date,
    identified.answered_at

from identified
left join contacts on identified.known_contact_id = contacts.contact_id
left join roles
    on
        identified.known_contact_id = roles.contact_id
        and identified.answered_at::date >= roles.starts_date
        and identified.answered_at::date < roles.ends_date
left join customer_keys on identified.account_key = customer_keys.account_key
left join scales
    on
        identified.survey = scales.survey
        and identified.scale_min = scales.scale_min
        and identified.scale_max = scales.scale_max
