with

asked as (

    select * from {{ ref('int_playbook_asks') }}

),

playbooks as (

    select * from {{ ref('playbooks') }}

),

actions as (

    select * from {{ ref('int_actions') }}

    where acted_at < {{ midnight_after(as_of()) }}

)

-- The first act of a kind that the playbook counts, after it was asked for and before
-- its reason went off.
select distinct on (asked.customer_id, asked.trigger, asked.opened_at)
    asked.customer_id,
    asked.trigger,
    asked.opened_at,
    actions.acted_at,
    actions.action_id,
    actions.action_kind

from asked
inner join playbooks on asked.trigger = playbooks.trigger
inner join actions
    on
        asked.customer_id = actions.customer_id
        and asked.asked_at < actions.acted_at
        and actions.action_kind = any(string_to_array(playbooks.done_by, '|'))

where asked.closed_at is null or actions.acted_at <= asked.closed_at

order by
    asked.customer_id asc,
    asked.trigger asc,
    asked.opened_at asc,
    actions.acted_at asc,
    actions.action_id asc
