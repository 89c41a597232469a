with

payers as (

    select * from {{ ref('int_stripe_payers') }}

),

domains as (

    select
        domain,
        count(distinct source_key) as account_count

    from {{ ref('int_accounts') }}

    where domain is not null

    group by domain

),

-- The first reason that applies is the first to fix.
unmatched_payers as (

    select
        identities.source,
        'payer' as record_kind,
        identities.source_key,
        identities.customer_id,
        case
            when identities.source = 'files' or payers.crm_company_id is not null
                then 'unknown_account_id'
            when domains.account_count > 1 then 'domain_of_several_accounts'
            when payers.email_domain is not null then 'unknown_domain'
            else 'nothing_to_match_by'
        end as reason,
        1 as record_count

    from {{ ref('int_customer_identities') }} as identities
    left join payers
        on
            identities.source = 'stripe'
            and identities.source_key = payers.stripe_customer_id
    left join domains on payers.email_domain = domains.domain

    where identities.rule = 'unmatched'

),

others as (

    select
        source,
        'meeting' as record_kind,
        account_key,
        customer_id

    from {{ ref('int_meetings') }}

    union all

    select
        source,
        'ticket' as record_kind,
        account_key,
        customer_id

    from {{ ref('int_tickets') }}

    union all

    select
        source,
        'survey_response' as record_kind,
        null as account_key,
        customer_id

    from {{ ref('int_survey_responses') }}

)

select
    unmatched_payers.source,
    unmatched_payers.record_kind,
    unmatched_payers.source_key,
    unmatched_payers.customer_id,
    unmatched_payers.reason,
    unmatched_payers.record_count

from unmatched_payers

union all

select
    others.source,
    others.record_kind,
    coalesce(others.account_key, 'none') as source_key,
    null as customer_id,
    case
        when others.account_key is null then 'no_known_account'
        else 'unknown_account_id'
    end as reason,
    count(*) as record_count

from others

where others.customer_id is null

group by others.source, others.record_kind, others.account_key
