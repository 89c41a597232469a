"""`retention alerts` and `retention customer <id>`: what they print of what is published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

import pytest

from retention.publishing import publish
from retention.publishing.mart import Mart
from retention.settings import Settings
from retention.warehouse import Warehouse
from tests.command_line import retention
from tests.conftest import copy_database, drop_database
from tests.publishing.small_marts import build

DAY = date(2026, 6, 30)
CUSTOMERS = """
select
    customer_id, customer_name, 'SMB' as segment, 'retail' as industry, 'active' as status,
    'Lina Zhang' as csm_name, 'USD' as reporting_currency, 1200::numeric(18, 4) as mrr_amount,
    date '2024-01-01' as first_paid_date, score::numeric(5, 2) as health_score, band as health_band,
    date '2026-08-31' as renewal_date, date '2026-08-01' as notice_date,
    date '2026-06-30' as as_of_date
from (values
    ('1001', 'Flintfield [Inc.]', 41.5, 'red'), ('1002', 'Beaconwell Ltda.', null, 'unknown'),
    ('1003', 'Group of 10, 5, 5 and 5', 6.25, 'red')
) as rows (customer_id, customer_name, score, band)
"""
ALERTS = """
select
    '1001' as customer_id, alert_rule, severity, evidence, array['response:7'] as evidence_ids,
    date(closed) is null as is_open, date(opened) as opened_date, date(opened) as known_date,
    date(closed) as closed_date, date '2026-06-30' as as_of_date
from (values
    ('score_dropped', 'medium', 'The score fell from 9 to 7.', '2026-06-01', null),
    ('invoice_overdue', 'high', 'An invoice is 31 days late.', '2026-06-28', null),
    ('usage_falling', 'medium', 'Usage fell.', '2026-05-01', '2026-06-26')
) as rows (alert_rule, severity, evidence, opened, closed)
"""
TIMELINE = """
select
    '1001' as customer_id, date(day) as event_date, number as event_number, source, part, kind,
    sentence, array['x'] as evidence_ids
from (values
    ('2026-05-20', 1, 'billing', 'happened', 'movement', 'MRR fell by 100'),
    ('2026-06-01', 1, 'crm', 'done', 'meeting', 'check in held'),
    ('2026-06-01', 2, 'alerts', 'alert_opened', 'score_dropped', 'The score fell from 9 to 7.'),
    ('2026-06-26', 1, 'alerts', 'alert_closed', 'usage_falling', 'measured so after 56 days')
) as rows (day, number, source, part, kind, sentence)
"""
QUALITY = """
select
    alert_rule, 40::bigint as alert_count, 4::bigint as immature_count,
    rate::numeric(9, 6) as precision_rate,
    0.3::numeric(9, 6) as precision_low_rate, 0.7::numeric(9, 6) as precision_high_rate,
    0.1::numeric(9, 6) as base_rate, lift::numeric(9, 4) as lift,
    0.25::numeric(9, 6) as recall_rate,
    41.0::numeric(9, 1) as median_lead_days, verdict, 90 as horizon_days,
    date '2026-06-30' as as_of_date
from (values
    ('usage_falling', 0.1, 1.0, 'unproven'), ('score_dropped', 0.5, 5.0, 'proven'),
    ('invoice_overdue', null, null, 'insufficient data')
) as rows (alert_rule, rate, lift, verdict)
"""
TABLES = {
    "dim_customers": CUSTOMERS,
    "fct_alerts": ALERTS,
    "fct_customer_timeline": TIMELINE,
    "fct_alert_rule_quality": QUALITY,
}
KEYS = {
    "dim_customers": ("customer_id",),
    "fct_alerts": ("customer_id", "alert_rule"),
    "fct_customer_timeline": ("customer_id", "event_date", "event_number"),
    "fct_alert_rule_quality": ("alert_rule",),
}


@pytest.fixture(scope="module")
def company(cluster: Settings) -> Iterator[Mapping[str, str]]:
    """The environment of a warehouse in which two customers are published."""
    settings = Settings(root=cluster.root, state=cluster.state, company="pages")
    copy_database(cluster, settings)
    try:
        wh = Warehouse.from_settings(settings)
        marts = [Mart(name, "publish", keys) for name, keys in KEYS.items()]
        publish.publish(wh, build(wh, TABLES, as_of=DAY), actor="test", only=marts)
        yield {"RETENTION_STATE": str(cluster.state), "RETENTION_COMPANY": "pages"}
    finally:
        drop_database(settings)


def test_the_page_of_a_customer_tells_its_story_in_time_order(company: Mapping[str, str]) -> None:
    said = retention(company, "customer", "1001")
    assert said.code == 0, said.err
    assert "Flintfield [Inc.]  SMB, retail, active, managed by Lina Zhang" in said.out
    assert "MRR USD 1,200 since 2024-01-01; health 42, red" in said.out
    assert "Renews on 2026-08-31, notice until 2026-08-01" in said.out
    opened, story = said.out.split("Timeline")
    assert "Open alerts (2)" in opened
    # What is more severe is said first, whatever opened first.
    assert opened.index("An invoice is 31 days late.") < opened.index("The score fell from 9 to 7.")
    assert "Usage fell." not in opened
    told = ["MRR fell by 100", "✓", "check in held", "▲", "score_dropped: The score", "▽"]
    tale = story.splitlines()
    assert [part for line in tale[1:] for part in told if part in line] == told


def test_only_the_newest_events_are_told_when_asked(company: Mapping[str, str]) -> None:
    story = retention(company, "customer", "1001", "--last", "1").out.split("Timeline")[1]
    assert "the last 1 events" in story
    assert "measured so after 56 days" in story
    assert "check in held" not in story


def test_a_customer_without_alerts_or_health_has_a_page(company: Mapping[str, str]) -> None:
    said = retention(company, "customer", "1002").out
    assert "health unknown" in said
    assert "No alert is open." in said


def test_a_mean_of_6_25_is_published_exactly_and_shown_as_6(company: Mapping[str, str]) -> None:
    """Planhat's worked example: a group of 10, 5, 5 and 5 has the mean 6.25 and is shown as 6."""
    assert "health 6, red" in retention(company, "customer", "1003").out


@pytest.mark.parametrize(
    ("wanted", "near"),
    [
        ("10001", "1001 (Flintfield [Inc.])"),
        ("beacon", "Did you mean 1002 (Beaconwell Ltda.)?"),
        ("zzz", "publish.dim_customers lists the ids."),
    ],
)
def test_an_unknown_customer_is_refused_with_those_that_come_near(
    company: Mapping[str, str], wanted: str, near: str
) -> None:
    said = retention(company, "customer", wanted)
    assert said.code == 2
    assert f"Unknown customer {wanted!r}" in said.err
    assert near in said.err


def test_alerts_are_counted_by_what_is_open_today(company: Mapping[str, str]) -> None:
    said = retention(company, "alerts")
    assert said.code == 0, said.err
    lines = [line.split() for line in said.out.splitlines()[1:] if line.strip()]
    assert lines == [
        ["invoice_overdue", "high", "1", "1", "1", "0"],
        ["score_dropped", "medium", "1", "1", "0", "0"],
        ["usage_falling", "medium", "0", "0", "0", "1"],
    ]


def test_a_rule_no_better_than_the_base_rate_is_unproven(company: Mapping[str, str]) -> None:
    said = retention(company, "alerts", "--evaluate")
    assert said.code == 0, said.err
    assert "As of 2026-06-30, by the MRR history: churn within 90 days" in said.out
    verdicts = ["score_dropped", "usage_falling", "invoice_overdue"]
    assert [w for line in said.out.splitlines() for w in verdicts if line.startswith(w)] == verdicts
    falling = next(line for line in said.out.splitlines() if line.startswith("usage_falling"))
    assert falling.split()[-1] == "unproven"
    dropped = next(line for line in said.out.splitlines() if line.startswith("score_dropped"))
    assert "50.0 %" in dropped
    assert "30-70 %" in dropped


def test_a_day_before_the_one_that_is_shown_is_not_built_in_place(
    company: Mapping[str, str],
) -> None:
    """It would delete the frozen days behind it."""
    refused = retention(company, "build", "--as-of", "2026-06-29")
    assert refused.code == 2
    assert "[day_is_past] 2026-06-29 is before the published day 2026-06-30." in refused.err
    assert "retention rebuild --as-of 2026-06-29" in refused.err
