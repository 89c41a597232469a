{{ config(materialized='table') }}

with

customer_days as (

    select * from {{ ref('int_customer_days_to_score') }}

),

usage as (

    select * from {{ ref('int_usage_metrics_daily') }}

),

meetings as (

    select * from {{ ref('int_meeting_metrics_daily') }}

),

surveys as (

    select * from {{ ref('int_survey_metrics_daily') }}

),

tickets as (

    select * from {{ ref('int_ticket_metrics_daily') }}

),

billing as (

    select * from {{ ref('int_billing_metrics_daily') }}

),

contracts as (

    select * from {{ ref('int_contract_metrics_daily') }}

),

detractors as (

    select * from {{ ref('int_detractor_metrics_daily') }}

),

sentiments as (

    select * from {{ ref('int_sentiment_metrics_daily') }}

)

select
    customer_days.customer_id,
    customer_days.segment,
    customer_days.mrr_reporting_amount,
    customer_days.tenure_days,
    usage.active_seat_ratio,
    usage.usage_trend_ratio,
    usage.feature_breadth,
    usage.days_since_last_use,
    usage.licensed_seats,
    usage.active_users,
    usage.usage_trend_30d_ratio,
    usage.key_feature_breadth,
    usage.active_day_ratio,
    array_position(array['green', 'yellow', 'red'], usage.seat_level) - 1
        as seat_level_severity,
    meetings.decision_maker_meetings,
    meetings.decision_maker_cancellations,
    meetings.days_since_business_review,
    meetings.days_since_decision_maker_met,
    surveys.mean_nps_score,
    surveys.nps_score_drop,
    surveys.respondent_score_drop,
    surveys.csat_share,
    tickets.ticket_surge_ratio,
    tickets.median_first_reply_hours,
    tickets.open_tickets,
    billing.days_overdue,
    billing.cancelling_subscriptions,
    detractors.unanswered_detractors,
    customer_days.as_of_date,
    meetings.last_review_date,
    billing.cancellation_date,
    usage.usage_observed_date as active_seat_ratio_date,
    usage.usage_observed_date as usage_trend_ratio_date,
    usage.usage_observed_date as feature_breadth_date,
    usage.usage_observed_date as days_since_last_use_date,
    usage.usage_observed_date as usage_trend_30d_ratio_date,
    usage.usage_observed_date as key_feature_breadth_date,
    usage.usage_observed_date as active_day_ratio_date,
    usage.usage_observed_date as seat_level_severity_date,
    meetings.meetings_observed_date as decision_maker_meetings_date,
    meetings.meetings_observed_date as decision_maker_cancellations_date,
    meetings.meetings_observed_date as days_since_business_review_date,
    meetings.meetings_observed_date as days_since_decision_maker_met_date,
    surveys.nps_observed_date as mean_nps_score_date,
    surveys.nps_observed_date as nps_score_drop_date,
    surveys.nps_observed_date as respondent_score_drop_date,
    surveys.csat_observed_date as csat_share_date,
    tickets.tickets_observed_date as ticket_surge_ratio_date,
    tickets.tickets_observed_date as median_first_reply_hours_date,
    billing.invoices_observed_date as days_overdue_date,
    billing.invoices_observed_date as cancelling_subscriptions_date,
    detractors.unanswered_observed_date as unanswered_detractors_date,
    sentiments.csm_sentiment,
    sentiments.sentiment_observed_date as csm_sentiment_date,
    contracts.days_to_term_end,
    contracts.terms_observed_date as days_to_term_end_date

from customer_days
left join usage
    on
        customer_days.customer_id = usage.customer_id
        and customer_days.as_of_date = usage.as_of_date
left join meetings
    on
        customer_days.customer_id = meetings.customer_id
        and customer_days.as_of_date = meetings.as_of_date
left join surveys
    on
        customer_days.customer_id = surveys.customer_id
        and customer_days.as_of_date = surveys.as_of_date
left join tickets
    on
        customer_days.customer_id = tickets.customer_id
        and customer_days.as_of_date = tickets.as_of_date
left join billing
    on
        customer_days.customer_id = billing.customer_id
        and customer_days.as_of_date = billing.as_of_date
left join detractors
    on
        customer_days.customer_id = detractors.customer_id
        and customer_days.as_of_date = detractors.as_of_date
left join sentiments
    on
        customer_days.customer_id = sentiments.customer_id
        and customer_days.as_of_date = sentiments.as_of_date
left join contracts
    on
        customer_days.customer_id = contracts.customer_id
        and customer_days.as_of_date = contracts.as_of_date
