{{ config(materialized='table') }}

with

spells as (

    select * from {{ ref('int_playbook_spells') }}

),

-- A spell that begins while another is on, or soon after it, goes on with its action.
begun as (

    select
        *,
        coalesce(
            opened_at > max(coalesce(closed_at, 'infinity'::timestamptz)) over (
                partition by customer_id, trigger
                order by opened_at, evidence_list
                rows between unbounded preceding and 1 preceding
            ) + make_interval(days => {{ policy('playbook_reopen_days', 'int') }}),
            true
        ) as is_new

    from spells

),

numbered as (

    select
        *,
        count(*) filter (where is_new) over (
            partition by customer_id, trigger order by opened_at, evidence_list
        ) as number

    from begun

)

-- It is asked for since its oldest spell that is still on, or since its last one.
select
    customer_id,
    trigger,
    min(opened_at) as opened_at,
    coalesce(min(opened_at) filter (where closed_at is null), max(opened_at))
        as asked_at,
    case when bool_and(closed_at is not null) then max(closed_at) end as closed_at,
    count(*) - 1 as reopened_count,
    (array_agg(answered_by_at order by opened_at desc, evidence_list desc))[1]
        as answered_by_at,
    (array_agg(evidence order by opened_at desc, evidence_list desc))[1] as evidence,
    (array_agg(evidence_list order by opened_at desc, evidence_list desc))[1]
        as evidence_list

from numbered

group by customer_id, trigger, number
