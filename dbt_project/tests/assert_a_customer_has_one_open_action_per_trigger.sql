-- Two open actions for one reason would be done twice, or each be left to the other.
select
    customer_id,
    trigger,
    count(*) as actions

from {{ ref('fct_playbook_actions') }}

where is_open

group by customer_id, trigger

having count(*) > 1
