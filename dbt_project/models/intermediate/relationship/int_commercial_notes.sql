with

meetings as (

    select
        'meeting:' || meetings.meeting_id as note_id,
        meetings.customer_id,
        lower(trim(tag.word)) as word,
        meetings.meeting_date as noted_date

    from {{ ref('int_meetings') }} as meetings
    cross join lateral jsonb_array_elements_text(meetings.risk_tags) as tag (word)

    where meetings.outcome = 'completed'

),

deals as (

    select
        'deal:' || deal_id as note_id,
        customer_id,
        lower(lost_reason) as word,
        closes_date as noted_date

    from {{ ref('int_deals') }}

    where lost_reason is not null and is_closed

),

noted as (

    select * from meetings

    union all

    select * from deals

)

select
    noted.note_id,
    noted.customer_id,
    tags.tag,
    noted.noted_date

from noted
inner join {{ ref('commercial_tags') }} as tags on noted.word = tags.vendor_value

where noted.customer_id is not null and noted.noted_date <= {{ as_of() }}
