with recursive

customers as (

    select * from {{ ref('int_customers') }}

),

-- The limit of ten levels ends the recursion on a cycle of parents.
ancestors as (

    select
        customer_id,
        customer_id as group_id,
        parent_customer_id as next_parent_id,
        0 as level

    from customers

    union all

    select
        ancestors.customer_id,
        customers.customer_id as group_id,
        customers.parent_customer_id as next_parent_id,
        ancestors.level + 1 as level

    from ancestors
    inner join customers on ancestors.next_parent_id = customers.customer_id

    where ancestors.level < 10

)

select distinct on (customer_id)
    customer_id,
    group_id

from ancestors

order by customer_id asc, level desc
