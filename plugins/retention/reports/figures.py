"""Read the figures of the report at the end of a run: loads, gates and published results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg.rows import namedtuple_row

from retention.reports.status import SHOWN
from retention.warehouse import Warehouse

AT_RISK = 10

STREAMS = """
    select
        newest.source,
        newest.stream,
        newest.window_end,
        newest.versions_written as rows_written,
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
        from ops.quarantine where resolved_at is null and path is null group by source, stream
    ) as waiting using (source, stream)
    order by newest.source, newest.stream
"""
GATES = """
    select
        gate,
        count(*) as checks,
        count(*) filter (where not success and severity = 'critical') as critical,
        count(*) filter (where not success and severity = 'warning') as warnings,
        count(*) filter (where not success and severity = 'info') as notes
    from ops.gate_results
    where gate_run_id in (select max(gate_run_id) from ops.gate_results group by gate)
    group by gate order by gate
"""
LAST_MONTH = """
    select *, starts_date as month
    from publish.fct_retention
    where period = 'month' and dimension = 'all'
    order by starts_date desc limit 1
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
HEALTH = """
    select
        count(*) filter (where health_band = 'red') as red,
        count(*) filter (where health_band = 'yellow') as yellow,
        count(*) filter (where health_band = 'green') as green,
        count(*) filter (where health_band = 'unknown') as unknown,
        avg(health_coverage) as coverage
    from publish.dim_customers
    where status = 'active'
    having count(*) > 0
"""
# Largest share of affected records first: it matters most for the figures.
CONTRADICTIONS = """
    select contradiction_count, description, count(*) over () as kinds
    from publish.fct_data_quality
    where contradiction_count > 0
    order by contradiction_count::numeric / nullif(checked_count, 0) desc, kind asc limit 6
"""
WORKLIST = """
    select
        worklist_rank, customer_name, segment, csm_name, health_score, health_band,
        health_coverage, mrr_at_risk_amount, reporting_currency, reason, action, due_date
    from publish.fct_csm_worklist
    order by worklist_rank limit %s
"""


@dataclass(frozen=True)
class Figures:
    """Rows of the report; None for a figure that no source measures."""

    shown: Any
    month: Any
    nps: Any
    reviews: Any
    health: Any
    contradictions: list[Any]
    at_risk: list[Any]
    streams: list[Any]
    gates: list[Any]


def read(wh: Warehouse) -> Figures | None:
    """Read all figures of the report; None before the first publish.

    Customer data is read with the rights of ``bi_reader``.
    """
    with wh.connect("bi_reader") as conn:
        cursor = conn.cursor(row_factory=namedtuple_row)
        shown = cursor.execute(SHOWN).fetchone()
        if shown is None:
            return None
        published: dict[str, Any] = {
            "month": cursor.execute(LAST_MONTH).fetchone(),
            "nps": cursor.execute(NPS).fetchone(),
            "reviews": cursor.execute(REVIEWS).fetchone(),
            "health": cursor.execute(HEALTH).fetchone(),
            "contradictions": cursor.execute(CONTRADICTIONS).fetchall(),
            "at_risk": cursor.execute(WORKLIST, [AT_RISK]).fetchall(),
        }
    with wh.connect("loader") as conn:
        cursor = conn.cursor(row_factory=namedtuple_row)
        streams = cursor.execute(STREAMS).fetchall()
        gates = cursor.execute(GATES).fetchall()
    return Figures(shown=shown, streams=streams, gates=gates, **published)
