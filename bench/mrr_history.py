"""Measure the MRR history of many customers: a full build, then increments of one day.

    python bench/mrr_history.py [customers, 2000] [months, 36]

Raw invoices, subscriptions, payers and CRM accounts in the shape of their vendors are written
set-wise by SQL into an embedded Postgres of its own: durable commits on, and the settings of
`make run`. Then dbt builds these tables as the daily run does, with four threads:
a first time, for a further day on which 1 % of the customers have news, for the last day of the
month with news of 3 %, and, of up to 5,000 customers, that day once more made anew, which must
give the same rows.

Not in the times: reading the project (the same for all), tests, the gate and publishing. Before
each build the tables are vacuumed, as the server does by itself in a day.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import LiteralString

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "plugins"))

import psycopg
from rich.console import Console
from rich.table import Table

from retention import migration
from retention.builds import dbt_runner
from retention.builds.dbt_runner import Project
from retention.builds.nodes import NodeResult
from retention.settings import Settings
from retention.sources import SOURCES
from retention.warehouse import Warehouse, postgres

console = Console(highlight=False, width=110)
FIRST_DAY, FURTHER_DAY, LAST_DAY = date(2026, 6, 28), date(2026, 6, 29), date(2026, 6, 30)
COMPARED_UP_TO = 5_000
COMPARED = (
    "staging.int_mrr_movements_by_month",
    "staging.int_mrr_balances",
    "marts.fct_mrr_spans",
)
# What readers ask of `fct_mrr_daily`: MRR of a day, of a customer, at each month end.
QUESTIONS: dict[str, LiteralString] = {
    "a day by currency": "select currency, sum(mrr_amount) from marts.fct_mrr_daily"
    " where as_of_date = '2026-03-15' group by 1",
    "one customer": "select * from marts.fct_mrr_daily where customer_id = '77'",
    "a monthly series": "select as_of_date, sum(mrr_reporting_amount) from marts.fct_mrr_daily"
    " where as_of_date in (select (month + interval '1 month' - interval '1 day')::date"
    " from generate_series(date '2023-07-01', date '2026-06-01', interval '1 month') as month)"
    " group by 1 order by 1",
}
SETTINGS = (
    "shared_buffers", "work_mem", "maintenance_work_mem", "fsync", "synchronous_commit",
    "full_page_writes", "wal_level",
)  # fmt: skip

LOAD: LiteralString = """
insert into ops.loads (source, stream, window_end, status, loaded_at)
values (%s, %s, now(), 'done', clock_timestamp()) returning load_id, loaded_at
"""
WRITE: LiteralString = """
insert into raw.{table} (record_id, content_hash, source_updated_at, loaded_at, load_id, doc)
select made.doc ->> 'id', sha256(convert_to(made.doc::text, 'UTF8')), made.changed_at,
    %(loaded_at)s, %(load_id)s, made.doc
from ({made}) as made
"""
# Everyone pays by the month from a day of the month of their own; seats come and go, one in
# twenty leaves, one in five pays in euros, a few bills stay unpaid.
CUSTOMERS: LiteralString = """
select n, 1 + n %% 28 as day, case when n %% 5 = 0 then 'eur' else 'usd' end as currency,
    case when n %% 20 = 3 then 1 + n %% %(months)s else %(months)s end as bills,
    1900 + 100 * (n %% 30) as price
from generate_series(1, %(customers)s) as n
"""
COMPANIES: LiteralString = """
select jsonb_build_object('id', n::text, 'createdAt', '2023-06-01T00:00:00Z', 'archived', false,
    'properties', jsonb_build_object('name', 'Company ' || n, 'domain', 'c' || n || '.example'))
    as doc, timestamptz '2023-06-01' as changed_at
from ({customers}) as customers
"""
PAYERS: LiteralString = """
select jsonb_build_object('id', 'cus_' || n, 'created', 1685577600, 'name', 'Company ' || n,
    'email', 'billing@c' || n || '.example', 'currency', currency,
    'metadata', jsonb_build_object('crm_company_id', n::text)) as doc,
    timestamptz '2023-06-01' as changed_at
from ({customers}) as customers
"""
SUBSCRIPTIONS: LiteralString = """
select jsonb_build_object('id', 'sub_' || n, 'customer', 'cus_' || n, 'currency', currency,
    'status', 'active', 'start_date', 1685577600, 'cancel_at_period_end', false,
    'metadata', jsonb_build_object('crm_company_id', n::text)) as doc,
    timestamptz '2023-06-01' as changed_at
from ({customers}) as customers
"""
INVOICES: LiteralString = """
select jsonb_build_object(
    'id', 'in_' || n || '_' || month, 'object', 'invoice', 'customer', 'cus_' || n,
    'subscription', 'sub_' || n, 'currency', currency, 'billing_reason', 'subscription_cycle',
    'collection_method', 'charge_automatically', 'attempt_count', 1,
    'status', case when is_open then 'open' else 'paid' end,
    'total', price * seats, 'amount_due', price * seats, 'created', starts,
    'amount_paid', case when is_open then 0 else price * seats end,
    'status_transitions', case when is_open then '{{}}'::jsonb
        else jsonb_build_object('paid_at', starts + 3600) end,
    'lines', jsonb_build_object('object', 'list', 'has_more', false, 'data', jsonb_build_array(
        jsonb_build_object(
            'id', 'il_' || n || '_' || month, 'type', 'subscription', 'currency', currency,
            'subscription', 'sub_' || n, 'subscription_item', 'si_' || n, 'quantity', seats,
            'amount', price * seats, 'proration', is_change, 'discount_amounts', '[]'::jsonb,
            'tax_amounts', '[]'::jsonb, 'period', jsonb_build_object('start', starts, 'end', ends),
            'price', jsonb_build_object('id', 'price_' || price, 'type', 'recurring',
                'currency', currency, 'unit_amount', price, 'lookup_key', 'growth_seat',
                'product', 'prod_growth', 'recurring', jsonb_build_object(
                    'interval', 'month', 'interval_count', 1, 'usage_type', 'licensed')))))
    ) as doc, to_timestamp(starts) as changed_at
from ({bills}) as bills
"""
HISTORY: LiteralString = """
select customers.*, month, false as is_change,
    5 + (n %% 20) + case when n %% 3 = 0 then (month + n %% 7) / 7 else 0 end as seats,
    month = bills and n %% 50 = 1 as is_open,
    extract(epoch from starts)::bigint as starts,
    extract(epoch from starts + interval '1 month')::bigint as ends
from ({customers}) as customers
cross join lateral generate_series(1, bills) as month
cross join lateral (select (timestamp '2026-07-01' + make_interval(days => day - 1)
    - make_interval(months => %(months)s - month + 1)) as starts) as term
order by month, n
"""
# News of a day: more seats from today, billed for the rest of the period.
NEWS: LiteralString = """
select customers.*, %(months)s + %(round)s as month, true as is_change, 40 as seats,
    false as is_open, extract(epoch from %(day)s::timestamp)::bigint as starts,
    extract(epoch from timestamp '2026-07-01' + make_interval(days => day - 1))::bigint as ends
from ({customers}) as customers
where n %% 100 < %(percent)s and bills = %(months)s
"""


class Raw:
    """Writes records of made-up customers, one load at a time."""

    def __init__(self, conn: psycopg.Connection, customers: int, months: int) -> None:
        self.conn = conn
        self.values: dict[str, object] = {"customers": customers, "months": months}

    def write(self, source: str, stream: str, made: LiteralString, **more: object) -> int:
        self.conn.execute("set role loader")
        found = self.conn.execute(LOAD, [source, stream]).fetchone()
        assert found is not None
        values = {**self.values, **more, "load_id": found[0], "loaded_at": found[1]}
        query = WRITE.format(table=f"{source}_{stream}", made=made)
        written = self.conn.execute(query, values).rowcount
        self.conn.execute("reset role")
        return written

    def history(self) -> int:
        for source, stream, made in (
            ("hubspot", "companies", COMPANIES),
            ("stripe", "customers", PAYERS),
            ("stripe", "subscriptions", SUBSCRIPTIONS),
        ):
            self.write(source, stream, made.format(customers=CUSTOMERS))
        bills = HISTORY.format(customers=CUSTOMERS)
        return self.write("stripe", "invoices", INVOICES.format(bills=bills))

    def news(self, day: date, percent: int) -> int:
        bills = NEWS.format(customers=CUSTOMERS)
        made = INVOICES.format(bills=bills)
        return self.write("stripe", "invoices", made, day=day, percent=percent, round=day.day)


def main() -> None:
    """Measure in a state folder of its own, which is gone afterwards."""
    customers, months = (int(arg) for arg in (*sys.argv[1:3], *("2000", "36")[len(sys.argv) - 1 :]))
    folder = Path(tempfile.mkdtemp(prefix="retention-bench-"))
    folder.chmod(0o755)
    settings = Settings(root=ROOT, state=folder, company="bench")
    try:
        postgres.start(settings)
        warehouse = Warehouse.from_settings(settings)
        migration.migrate(warehouse, SOURCES)
        with psycopg.connect(postgres.admin_url(settings), autocommit=True) as conn:
            shown = {name: conn.execute(f"show {name}").fetchone() for name in SETTINGS}
        console.print(", ".join(f"{name} {value[0]}" for name, value in shown.items() if value))
        with dbt_runner.project(warehouse, settings) as project:
            measure(warehouse, settings, project, customers, months)
    finally:
        postgres.destroy(settings)
        shutil.rmtree(folder, ignore_errors=True)


def measure(
    wh: Warehouse, settings: Settings, project: Project, customers: int, months: int
) -> None:
    """The four builds, and their times side by side."""
    # Options of its own: those in the environment make a session dbt's.
    url, own = postgres.admin_url(settings, settings.database), "-c timezone=UTC"
    with psycopg.connect(url, autocommit=True, options=own) as conn:
        raw = Raw(conn, customers, months)
        written = raw.history()
        size = "select pg_size_pretty(pg_database_size(current_database()))"
        console.print(
            f"{customers:,} customers x {months} months: {written:,} invoices,"
            f" {first(conn, size)} of raw records"
        )
        project.manifest  # noqa: B018 - parsed once, before the clock starts
        whole, spent = build(conn, project, FIRST_DAY)
        console.print(f"full build of {FIRST_DAY}: {spent:.1f} s; {first(conn, size)} altogether")
        news = raw.news(FURTHER_DAY, 1)
        further, spent_further = build(conn, project, FURTHER_DAY)
        redone = first(conn, "select count(*) from staging.int_customers_to_rebuild")
        console.print(
            f"further day {FURTHER_DAY}, {news:,} new records, {redone:,} customers rebuilt:"
            f" {spent_further:.1f} s, {spent_further / spent:.1%} of the full build"
        )
        show(whole, further)
        news = raw.news(LAST_DAY, 3)
        _, spent_last = build(conn, project, LAST_DAY)
        redone = first(conn, "select count(*) from staging.int_customers_to_rebuild")
        console.print(
            f"\nlast day of the month {LAST_DAY}, {news:,} new records, {redone:,} customers"
            f" redone: {spent_last:.1f} s, {spent_last / spent:.1%} of the full build"
        )
        show_questions(conn)
        if customers > COMPARED_UP_TO:
            return
        held = [content(conn, name) for name in COMPARED]
        _, spent_anew = build(conn, project, LAST_DAY, "--full-refresh")
        same = held == [content(conn, name) for name in COMPARED]
        console.print(
            f"{LAST_DAY} made anew: {spent_anew:.1f} s;"
            f" {'the same rows' if same else 'OTHER ROWS'} in {', '.join(COMPARED)}"
        )


def build(
    conn: psycopg.Connection, project: Project, day: date, *more: str
) -> tuple[list[NodeResult], float]:
    """One build of the MRR history, and its seconds by the wall clock."""
    conn.execute("vacuum analyze")
    conn.execute("checkpoint")
    row = conn.execute("select clock_timestamp()").fetchone()
    assert row is not None
    told = {"as_of": day.isoformat(), "known_at": row[0].isoformat(), "build_id": 1}
    only = ["--exclude-resource-type", "unit_test", "--exclude-resource-type", "test"]
    command = [
        "build",
        *only,
        *more,
        "--select",
        "+int_rebuild_state",
        "+fct_mrr_daily",
        "--threads",
        "4",
    ]
    began = time.monotonic()
    nodes = project.run([*command, "--vars", json.dumps(told)])
    spent = time.monotonic() - began
    assert {node.name: node.message for node in nodes if node.failed} == {}
    return nodes, spent


def show_questions(conn: psycopg.Connection) -> None:
    """Print the best of three times of each question on the view of days."""
    for name, query in QUESTIONS.items():
        seconds = []
        for _ in range(3):
            clock = time.monotonic()
            rows = len(conn.execute(query).fetchall())
            seconds.append(time.monotonic() - clock)
        console.print(f"fct_mrr_daily, {name}: {rows:,} rows in {min(seconds) * 1000:.0f} ms")


def show(whole: list[NodeResult], further: list[NodeResult]) -> None:
    """Models that took longest, seconds of their own; four of them run at a time."""
    seconds = {node.name: node.seconds for node in further}
    table = Table("model", "rows", "full, s", "further day, s", box=None)
    slowest = sorted(whole, key=lambda node: -max(node.seconds, seconds[node.name]))
    for node in slowest[:20]:
        rows = "" if node.rows is None else f"{node.rows:,}"
        table.add_row(node.name, rows, f"{node.seconds:.2f}", f"{seconds[node.name]:.2f}")
    console.print(table)


def content(conn: psycopg.Connection, name: str) -> object:
    """A fingerprint of all rows in any order."""
    digest = "sum(hashtextextended(t::text, 0)::numeric)"
    return conn.execute(f"select count(*), {digest} from {name} as t").fetchone()


def first(conn: psycopg.Connection, query: LiteralString) -> object:
    row = conn.execute(query).fetchone()
    return row[0] if row else None


if __name__ == "__main__":
    main()
