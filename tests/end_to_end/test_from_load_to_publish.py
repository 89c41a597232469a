"""From the first load to what readers see: publish, next day, nothing new, rollback, the pages."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import psycopg
import pytest

from demo.company.world import World
from retention import steps
from retention.publishing.publish import PublishResult
from tests.command_line import retention
from tests.conftest import drop_database
from tests.end_to_end.company import FIRST, Company, after, read_by_bi
from tests.loading import query

pytestmark = pytest.mark.slow

DAILY = ("fct_customer_health_daily",)
MONTHLY = ("fct_mrr_movements_monthly", "fct_retention", "fct_survey_monthly")


@pytest.fixture(scope="module")
def next_day(published_once: Company) -> Iterator[tuple[Company, PublishResult]]:
    """The company after its second daily run, and what that run published."""
    company = published_once.copied("next_day")
    company.load_day(after(1))
    yield company, company.transform(after(1))
    drop_database(company.settings)


def test_the_first_publish_shows_every_customer_as_of_the_first_day(
    published_once: Company, world: World
) -> None:
    shown = query(
        published_once.wh,
        "select as_of, stale_sources, (select count(*) from publish.dim_customers)"
        " from publish.as_of",
        "bi_reader",
    )
    assert shown == [(FIRST, [], len(world.truth))]


def test_mrr_of_every_customer_currency_and_month_is_the_truth_to_the_cent(
    published_once: Company, world: World
) -> None:
    true = {
        (truth.company_id, currency.upper(), month): amount
        for truth in world.truth.values()
        for (month, currency), amount in truth.mrr.items()
        if month <= FIRST and amount
    }
    rows = query(
        published_once.wh,
        "select customer_id, currency, as_of_date, mrr_amount from publish.fct_mrr_daily",
        "bi_reader",
    )
    month_ends = {row[:3]: row[3] for row in rows if is_month_end(row[2])}
    assert len(true) > 300
    assert len({currency for _, currency, _ in true}) == 3
    assert {key: amount.quantize(Decimal("0.0001")) for key, amount in true.items()} == month_ends


def is_month_end(day: date) -> bool:
    return day.day == monthrange(day.year, day.month)[1]


def test_the_next_day_publishes_only_that_day(next_day: tuple[Company, PublishResult]) -> None:
    company, result = next_day
    assert result.as_of == after(1)
    # A day of MRR is written only where it differs from the day before.
    assert result.marts["fct_mrr_spans"]["added"] < 60
    assert "fct_mrr_daily" not in result.marts
    for mart in DAILY:
        assert result.marts[mart]["closed"] == 0
        assert 0 < result.marts[mart]["added"] < 60
        added = query(
            company.wh,
            f"select distinct as_of_date from published.{mart}"
            f" where from_publish = {result.publish_id}",
            "publisher",
        )
        assert added == [(after(1),)]
    for mart in MONTHLY:
        assert (result.marts[mart]["added"], result.marts[mart]["closed"]) == (0, 0)


def test_a_run_without_anything_new_builds_nothing(
    next_day: tuple[Company, PublishResult],
) -> None:
    company, _ = next_day
    assert steps.day_to_build(company.wh) is None
    assert not any(result.versions_written for result in company.load_day(after(1)))
    assert steps.day_to_build(company.wh) is None
    assert steps.day_to_build(company.wh, after(1)) == after(1)


def test_a_day_that_brought_something_is_built(published: Company) -> None:
    assert steps.day_to_build(published.wh) is None
    assert any(result.versions_written for result in published.load_day(after(1)))
    assert steps.day_to_build(published.wh) == after(1)


def test_a_rollback_shows_the_first_publish_to_the_byte_and_can_be_undone(
    next_day: tuple[Company, PublishResult], published_once: Company
) -> None:
    company, result = next_day
    newest = read_by_bi(company.wh)
    first = read_by_bi(published_once.wh)
    assert newest != first
    done = retention(company.environment(), "rollback", "--reason", "a trial")
    assert done.code == 0
    assert done.out.startswith(
        "publish 1 is current\npublish 2 is held back until new records arrive"
    )
    assert read_by_bi(company.wh) == first
    nowhere = retention(company.environment(), "rollback")
    assert nowhere.code == 2
    assert "there is no earlier publish to roll back to" in nowhere.err
    assert read_by_bi(company.wh) == first
    held = retention(company.environment(), "status").out
    assert "rolled back and held since" in " ".join(held.split())
    assert retention(company.environment(), "rollback", str(result.publish_id)).code == 0
    assert read_by_bi(company.wh) == newest


def test_status_says_what_was_loaded_built_and_published(
    next_day: tuple[Company, PublishResult],
) -> None:
    company, _ = next_day
    said = retention(company.environment(), "status")
    assert said.code == 0
    for stream in ("hubspot.companies", "stripe.invoices", "typeform.responses", "posthog.events"):
        (line,) = [line for line in said.out.splitlines() if line.startswith(f"{stream} ")]
        assert "done" in line
        assert "2026-07-02 00:00" in line
    assert "build 2 of 2026-07-01: done in" in said.out
    assert "Readers see publish 2: as of 2026-07-01" in said.out
    assert "late" not in said.out


def test_report_says_how_retention_stands_and_who_is_at_risk(
    next_day: tuple[Company, PublishResult],
) -> None:
    company, _ = next_day
    said = retention(company.environment(), "report")
    assert said.code == 0
    ((closing, nrr),) = query(
        company.wh,
        "select closing_amount, nrr from publish.fct_retention"
        " where period = 'month' and dimension = 'all' order by starts_date desc limit 1",
        "bi_reader",
    )
    ((name, reason),) = query(
        company.wh,
        "select customer_name, reason from publish.fct_csm_worklist where worklist_rank = 1",
        "bi_reader",
    )
    flat = " ".join(said.out.split())
    for part in (
        "Gate 1, loaded records: passed",
        "Gate 2, marts: passed",
        "Publish 2: as of 2026-07-01",
        "June 2026",
        f"{closing:,.0f} from",
        f"NRR {nrr * 100:.1f} %",
        "GRR",
        "logo churn",
        "NPS",
        "Business reviews:",
        "most at risk",
        name,
        " ".join(reason.split()),
        "Next:",
    ):
        assert part in flat


def test_a_task_has_the_same_id_and_date_on_the_next_day(
    next_day: tuple[Company, PublishResult],
) -> None:
    company, _ = next_day
    ((yesterday, gone, moved),) = query(
        company.wh,
        """
        select
            count(*),
            count(*) filter (where today.task_id is null),
            count(*) filter (
                where today.assigned_at = before.assigned_at and today.due_at != before.due_at
            )
        from published.fct_playbook_tasks as before
        left join publish.fct_playbook_tasks as today using (task_id)
        where before.from_publish = 1 and before.alert_rule != 'renewal_due'
        """,
        "publisher",
    )
    assert yesterday
    assert (gone, moved) == (0, 0)


def test_doctor_finds_everything_well_or_says_how_to_mend_it(
    next_day: tuple[Company, PublishResult],
) -> None:
    company, _ = next_day
    environment = company.environment()
    well = retention(environment, "doctor")
    assert well.code == 0, well.out
    assert "bad" not in well.out
    for what in ("disk", "warehouse", "clock", "role bi_reader", "migrations", "stripe_api"):
        assert what in well.out
    del environment["AIRFLOW_CONN_STRIPE_API"]
    environment["AIRFLOW_CONN_HUBSPOT_API"] = '{"host": "http://127.0.0.1:1", "password": "x"}'
    ill = retention(environment, "doctor")
    assert ill.code == 3
    assert "http://127.0.0.1:1 does not answer" in " ".join(ill.out.split())
    # A long address breaks the line, so where it breaks is not looked at.
    assert "Set AIRFLOW_CONN_STRIPE_API" in " ".join(ill.out.split())


def test_the_printed_address_reads_publish_and_nothing_else(
    next_day: tuple[Company, PublishResult],
) -> None:
    company, _ = next_day
    url = retention(company.environment(), "dsn", "bi_reader").out
    assert url.count("\n") == 1
    with psycopg.connect(url.strip(), autocommit=True) as conn:
        assert conn.execute("select count(*) from publish.dim_customers").fetchone() == (40,)
        for table in (
            "raw.hubspot_contacts",
            "marts.dim_customers",
            "ops.loads",
            "people.dim_contacts",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(f"select 1 from {table}")


def test_every_published_table_and_column_has_a_comment(published: Company) -> None:
    with published.wh.connect("bi_reader") as conn:
        bare = conn.execute(
            "select nspname, relname, attname from pg_class"
            " join pg_namespace on pg_namespace.oid = relnamespace"
            " join pg_attribute on attrelid = pg_class.oid and attnum > 0"
            " where nspname in ('publish', 'people') and relkind = 'v'"
            " and (col_description(pg_class.oid, attnum) is null"
            "   or obj_description(pg_class.oid, 'pg_class') is null)"
        ).fetchall()
    assert bare == []
