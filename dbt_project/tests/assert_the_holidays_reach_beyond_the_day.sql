{{ config(severity='warn') }}

-- After the last year of the list, holidays count as working days and reply times look
-- too long. Run local/public_holidays.py to extend it.
select max(date) as last_holiday

from {{ ref('holidays') }}

having max(date) < {{ as_of() }}
