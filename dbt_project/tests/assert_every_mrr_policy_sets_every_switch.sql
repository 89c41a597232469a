-- A missing switch would include amounts by accident; an unknown value would exclude
-- them.
with

policies as (

    select distinct mrr_policies.policy from {{ ref('mrr_policies') }} as mrr_policies

)

select
    policies.policy,
    switches.switch,
    mrr_policies.value

from policies
cross join {{ ref('mrr_switches') }} as switches
left join {{ ref('mrr_policies') }} as mrr_policies
    on
        policies.policy = mrr_policies.policy
        and switches.switch = mrr_policies.switch

where
    mrr_policies.value is null
    or (
        mrr_policies.value != 'inherits'
        and mrr_policies.value !~ '^[0-9.]+$'
        and not mrr_policies.value
        = any(regexp_split_to_array(switches.allowed, ', | or '))
    )
