-- With two open tasks for one alert rule, the work is done twice or not at all.
select
    customer_id,
    alert_rule,
    count(*) as tasks

from {{ ref('fct_playbook_tasks') }}

where is_open

group by customer_id, alert_rule

having count(*) > 1
