-- A customer has one segment, so the segments' customers and money are those of all.
select
    month,
    sum(closing_customers) filter (where segment != 'all') as segments_customers,
    max(closing_customers) filter (where segment = 'all') as all_customers,
    sum(closing_amount) filter (where segment != 'all') as segments_amount,
    max(closing_amount) filter (where segment = 'all') as all_amount

from {{ ref('fct_retention_monthly') }}

group by month

having
    sum(closing_customers) filter (where segment != 'all')
    is distinct from max(closing_customers) filter (where segment = 'all')
    or sum(closing_amount) filter (where segment != 'all')
    is distinct from max(closing_amount) filter (where segment = 'all')
