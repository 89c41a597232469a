"""The page `make run` ends with: what was loaded and checked, how retention stands, who is at risk.

Everything about customers is read as ``bi_reader``: the page shows what any reader sees.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from psycopg.rows import namedtuple_row
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from retention.warehouse import Warehouse

AT_RISK = 10

STREAMS = """
    select
        newest.source,
        newest.stream,
        newest.window_end,
        newest.versions_written as new_rows,
        totals.versions_written,
        coalesce(waiting.rows, 0) as waiting
    from (
        select distinct on (source, stream) source, stream, window_end, versions_written
        from ops.loads where status = 'done'
        order by source asc, stream asc, load_id desc
    ) as newest
    inner join (
        select source, stream, sum(versions_written) as versions_written
        from ops.loads where status = 'done' group by source, stream
    ) as totals using (source, stream)
    left join (
        select source, stream, count(*) as rows
        from ops.quarantine where resolved_at is null group by source, stream
    ) as waiting using (source, stream)
    order by newest.source, newest.stream
"""
GATES = """
    select
        gate,
        count(*) as checks,
        count(*) filter (where not success and severity = 'critical') as critical,
        count(*) filter (where not success and severity = 'warning') as warnings
    from ops.gate_results
    where gate_run_id in (select max(gate_run_id) from ops.gate_results group by gate)
    group by gate order by gate
"""
LAST_MONTH = """
    select *
    from publish.fct_retention_monthly
    where segment = 'all'
    order by month desc limit 1
"""
NPS = """
    select month, respondents, nps
    from publish.fct_survey_monthly
    where segment = 'all' and survey = 'nps' and nps is not null
    order by month desc limit 1
"""
REVIEWS = """
    select
        quarter,
        sum(covered_customers) as covered,
        sum(eligible_customers) as eligible
    from publish.fct_review_coverage_quarterly
    where segment = 'all' and csm_id = 'all'
    group by quarter
    having sum(eligible_customers) > 0
    order by quarter desc limit 1
"""
WORKLIST = """
    select
        worklist_rank, customer_name, segment, csm_name, health_score, mrr_at_risk_amount,
        reporting_currency, reason, action, due_date
    from publish.fct_csm_worklist
    order by worklist_rank limit %s
"""


def show(wh: Warehouse, console: Console) -> None:
    """Print the page; a warehouse with nothing published yet gets one line that says so."""
    with wh.connect("bi_reader") as conn:
        cursor = conn.cursor(row_factory=namedtuple_row)
        shown: Any = cursor.execute("select * from publish.as_of").fetchone()
        if shown is None:
            console.print("Nothing is published yet. `make run` loads, builds and publishes.")
            return
        month: Any = cursor.execute(LAST_MONTH).fetchone()
        nps: Any = cursor.execute(NPS).fetchone()
        reviews: Any = cursor.execute(REVIEWS).fetchone()
        at_risk: list[Any] = cursor.execute(WORKLIST, [AT_RISK]).fetchall()
    with wh.connect("loader") as conn:
        cursor = conn.cursor(row_factory=namedtuple_row)
        streams: list[Any] = cursor.execute(STREAMS).fetchall()
        gates: list[Any] = cursor.execute(GATES).fetchall()
    console.print(_streams_table(streams))
    for gate in gates:
        console.print(_gate_line(gate))
    stale = f", stale: {', '.join(shown.stale_sources)}" if shown.stale_sources else ""
    console.print(
        f"Publish {shown.publish_id}: as of {shown.as_of}{stale},"
        f" published {shown.published_at:%Y-%m-%d %H:%M:%S} UTC\n"
    )
    _show_retention(console, month, nps, reviews)
    _show_at_risk(console, at_risk)
    _show_next(console)


def percent(rate: Decimal | None) -> str:
    """A rate 0-1 as text; "not measured" is a word, never a zero."""
    return "not measured" if rate is None else f"{rate * 100:.1f} %"


def _streams_table(streams: list[Any]) -> Table:
    table = Table(
        title="Loaded: rows held, and new in the last load",
        title_justify="left",
        box=None,
        pad_edge=False,
    )
    table.add_column("stream")
    for name in ("rows held", "new", "quarantined", "complete to"):
        table.add_column(name, justify="right")
    for each in streams:
        table.add_row(
            f"{each.source}.{each.stream}",
            f"{each.versions_written:,}",
            f"{each.new_rows:,}",
            f"{each.waiting:,}",
            f"{each.window_end:%Y-%m-%d %H:%M}",
        )
    return table


def _gate_line(gate: Any) -> str:
    verdict = "[red]stopped[/red]" if gate.critical else "[green]passed[/green]"
    what = "Gate 1, what arrived" if gate.gate == "arrived" else "Gate 2, what is published"
    return f"{what}: {verdict}, {gate.checks} checks, {gate.warnings} warnings"


def _show_retention(console: Console, month: Any, nps: Any, reviews: Any) -> None:
    if month is None:
        console.print("No month is complete yet.")
        return
    console.print(f"[bold]{month.month:%B %Y}[/bold]")
    console.print(
        f"  MRR {month.reporting_currency} {month.closing_amount:,.0f}"
        f" from {month.closing_customers:,} customers"
    )
    console.print(
        f"  NRR {percent(month.nrr)}   GRR {percent(month.grr)}"
        f"   logo churn {percent(month.logo_churn_rate)}"
        f" ({month.churned_customers} of {month.opening_customers})"
    )
    if nps is not None:
        console.print(f"  NPS {nps.nps:.0f} from {nps.respondents} people in {nps.month:%B %Y}")
    if reviews is not None:
        console.print(
            f"  Business reviews: {percent(reviews.covered / reviews.eligible)} of customers"
            f" covered in Q{(reviews.quarter.month + 2) // 3} {reviews.quarter.year}"
            f" ({reviews.covered} of {reviews.eligible})"
        )
    console.print()


def _show_at_risk(console: Console, at_risk: list[Any]) -> None:
    if not at_risk:
        console.print("Nobody is on the worklist today.\n")
        return
    console.print(f"[bold]The {len(at_risk)} customers most at risk[/bold]")
    for each in at_risk:
        score = "not known" if each.health_score is None else f"{each.health_score:.0f}"
        money = f"{each.reporting_currency} {each.mrr_at_risk_amount:,.0f} a month"
        console.print(
            f"{each.worklist_rank:>3}  [bold]{escape(each.customer_name)}[/bold]"
            f"  [dim]{escape(_who(each))}[/dim]  score {score}, {money}"
        )
        console.print(Padding(escape(each.reason), (0, 0, 0, 5)))
        console.print(
            Padding(f"[cyan]{escape(each.action)}, by {each.due_date}.[/cyan]", (0, 0, 0, 5))
        )


def _who(each: Any) -> str:
    return f"{each.segment or 'no segment'}, {each.csm_name or 'no CSM'}"


def _show_next(console: Console) -> None:
    console.print("\nNext:", highlight=False)
    for command in (
        ".venv/bin/retention psql bi_reader   # ask it something",
        ".venv/bin/retention status           # runs, freshness, quarantine",
        "make up                              # Airflow's web UI",
    ):
        console.print(f"  {command}", markup=False)
