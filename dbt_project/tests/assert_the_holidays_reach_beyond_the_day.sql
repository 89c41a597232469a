{{ config(severity='warn') }}

-- Beyond the last year of the list a holiday counts as a working day, and every answer
-- looks a little slower than it was: run local/public_holidays.py.
select max(date) as last_holiday

from {{ ref('holidays') }}

having max(date) < {{ as_of() }}
