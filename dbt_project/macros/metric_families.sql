{#- List the metric families: the model that computes each, its observation date column
    and its metric columns. `int_customer_metrics` and `int_metrics` are generated from
    this list. -#}
{% macro metric_families() -%}
    {{ return([
        {
            "family": "usage", "observed": "usage_observed_date",
            "metrics": [
                "active_seat_ratio", "usage_trend_ratio", "usage_trend_30d_ratio",
                "feature_breadth", "key_feature_breadth", "active_day_ratio",
                "days_since_last_use", "seat_level_severity", "licensed_seats", "active_users",
            ],
        },
        {
            "family": "meeting", "observed": "meetings_observed_date",
            "metrics": [
                "decision_maker_meetings", "decision_maker_cancellations",
                "days_since_business_review", "days_since_decision_maker_met",
            ],
        },
        {
            "family": "survey", "observed": "nps_observed_date",
            "metrics": ["mean_nps_score", "nps_score_drop", "respondent_score_drop"],
        },
        {"family": "survey", "observed": "csat_observed_date", "metrics": ["csat_share"]},
        {
            "family": "ticket", "observed": "tickets_observed_date",
            "metrics": ["ticket_surge_ratio", "median_first_reply_hours", "open_tickets"],
        },
        {
            "family": "billing", "observed": "invoices_observed_date",
            "metrics": ["days_overdue", "cancelling_subscriptions"],
        },
        {
            "family": "contract", "observed": "terms_observed_date",
            "metrics": ["days_to_term_end"],
        },
        {
            "family": "detractor", "observed": "unanswered_observed_date",
            "metrics": ["unanswered_detractors"],
        },
        {
            "family": "sentiment", "observed": "sentiment_observed_date",
            "metrics": ["csm_sentiment"],
        },
    ]) }}
{%- endmacro %}
