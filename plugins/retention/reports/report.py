"""Print the report at the end of `make run`: loads, gates, retention and customers at risk."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from retention.reports import figures
from retention.reports.status import held
from retention.warehouse import Warehouse

BANDS = ("red", "yellow", "green", "unknown")


def show(wh: Warehouse, console: Console) -> None:
    """Print the report; before the first publish, one line says so."""
    page = figures.read(wh)
    if page is None:
        console.print("Nothing is published yet. `make run` loads, builds and publishes.")
        return
    shown = page.shown
    _show_streams(console, page.streams)
    for gate in page.gates:
        console.print(_gate_line(gate))
    stale = f", stale: {', '.join(shown.stale_sources)}" if shown.stale_sources else ""
    console.print(
        f"Publish {shown.publish_id}: as of {shown.as_of}{stale},"
        f" published {shown.published_at:%Y-%m-%d %H:%M:%S} UTC{held(shown)}\n"
    )
    _show_retention(console, page.month)
    _show_relationship(console, page.nps, page.reviews, page.health)
    _show_contradictions(console, page.contradictions)
    _show_at_risk(console, page.at_risk)
    _show_next(console)


def percent(rate: Decimal | None) -> str:
    """Format a rate from 0 to 1; a missing rate is "not measured", never zero."""
    return "not measured" if rate is None else f"{rate * 100:.1f} %"


def _show_streams(console: Console, streams: list[Any]) -> None:
    """Print a line per stream with rows, and the names of the streams without rows."""
    console.print(_streams_table([each for each in streams if each.versions_written]))
    silent = [f"{each.source}.{each.stream}" for each in streams if not each.versions_written]
    if silent:
        console.print(f"No rows from {', '.join(silent)}.", style="dim")


def _streams_table(streams: list[Any]) -> Table:
    table = Table(
        title="Loaded rows: stored, and written by the last load",
        title_justify="left",
        box=None,
        pad_edge=False,
    )
    table.add_column("stream")
    for name in ("rows stored", "written", "quarantined", "complete to"):
        table.add_column(name, justify="right")
    for each in streams:
        table.add_row(
            f"{each.source}.{each.stream}",
            f"{each.versions_written:,}",
            f"{each.rows_written:,}",
            f"{each.waiting:,}",
            f"{each.window_end:%Y-%m-%d %H:%M}",
        )
    return table


def _gate_line(gate: Any) -> str:
    verdict = "[red]stopped[/red]" if gate.critical else "[green]passed[/green]"
    what = "Gate 1, loaded records" if gate.gate == "arrived" else "Gate 2, marts"
    counts = [_counted(gate.checks, "check"), _counted(gate.warnings, "warning")]
    if gate.notes:
        counts.append(_counted(gate.notes, "note"))
    return f"{what}: {verdict}, {', '.join(counts)}"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _show_retention(console: Console, month: Any) -> None:
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


def _show_relationship(console: Console, nps: Any, reviews: Any, health: Any) -> None:
    """Print NPS, review coverage and health; a figure without a source is "not measured"."""
    if nps is None:
        console.print("  NPS not measured: no survey answers")
    else:
        console.print(f"  NPS {nps.nps:.0f} from {nps.respondents} people in {nps.month:%B %Y}")
    if reviews is None:
        console.print("  Business reviews not measured: no meetings")
    else:
        console.print(
            f"  Business reviews: {percent(reviews.covered / reviews.eligible)} of customers"
            f" covered in Q{(reviews.quarter.month + 2) // 3} {reviews.quarter.year}"
            f" ({reviews.covered} of {reviews.eligible})"
        )
    if health is not None:
        counts = [(getattr(health, band), band) for band in BANDS]
        bands = ", ".join(f"{count} {band}" for count, band in counts if count)
        console.print(f"  Health: {bands}; {percent(health.coverage)} of the score is measured")
    console.print()


def _show_contradictions(console: Console, found: list[Any]) -> None:
    if not found:
        return
    kinds = found[0].kinds
    counted = "1 kind" if kinds == 1 else f"{kinds} kinds"
    console.print(f"[bold]Conflicts between sources[/bold]: {counted}")
    for each in found:
        console.print(f"{each.contradiction_count:>8,}  {each.description}", markup=False)
    if kinds > len(found):
        console.print("          and more in publish.fct_data_quality", style="dim")
    console.print()


def _show_at_risk(console: Console, at_risk: list[Any]) -> None:
    if not at_risk:
        console.print("No customer is on the worklist today.\n")
        return
    console.print(f"[bold]The {len(at_risk)} customers most at risk[/bold]")
    for each in at_risk:
        money = f"{each.reporting_currency} {each.mrr_at_risk_amount:,.0f} a month"
        console.print(
            f"{each.worklist_rank:>3}  [bold]{escape(each.customer_name)}[/bold]"
            f"  [dim]{escape(_who(each))}[/dim]{'  ' if _who(each) else ''}{_score(each)}, {money}"
        )
        console.print(Padding(escape(each.reason), (0, 0, 0, 5)))
        due = f"by {each.due_date}" if each.due_date else "this week"
        console.print(Padding(f"[cyan]{escape(each.action)}, {due}.[/cyan]", (0, 0, 0, 5)))


def _score(each: Any) -> str:
    """Return the score, or the measured share when coverage is too low for a band."""
    if each.health_band == "unknown":
        return f"health unknown ({each.health_coverage * 100:.0f} % measured)"
    return f"score {each.health_score:.0f}"


def _who(each: Any) -> str:
    segment = None if each.segment == "unknown" else each.segment
    return ", ".join(part for part in (segment, each.csm_name) if part)


def _show_next(console: Console) -> None:
    console.print("\nNext:", highlight=False)
    for command in (
        ".venv/bin/retention psql bi_reader   # ask it something",
        ".venv/bin/retention status           # runs, freshness, quarantine",
        "make up                              # Airflow's web UI",
    ):
        console.print(f"  {command}", markup=False)
