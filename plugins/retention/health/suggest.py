"""Propose weights of the health score from the learned model, as a diff for a person to review.

A weight moves halfway towards the model's, so that half of the expert's weight remains. The
proposal is a new version from the day after the build, so that no past score changes.
"""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_FLOOR, Decimal
from pathlib import Path
from typing import Any

from psycopg.rows import dict_row

from retention.errors import UsageError
from retention.warehouse import Warehouse

COMPONENTS = """
    select definition, segment, component, metric, direction, weight
    from publish.dim_health_definitions
    where
        valid_from <= as_of_date
        and (valid_to is null or valid_to > as_of_date)
        and definition = (
            select score_definition from publish.fct_customer_health_daily
            order by as_of_date desc limit 1
        )
    order by segment, component
"""
# Per metric over all customers and months: spread of its effect on the logit, and its direction.
EFFECTS = """
    select
        part ->> 'metric' as metric,
        stddev_pop((part ->> 'contribution')::float) as spread,
        corr((part ->> 'value')::float, (part ->> 'contribution')::float) as direction,
        max(as_of_date) as as_of_date
    from publish.fct_churn_probability
    cross join lateral jsonb_array_elements(contributions) as parts (part)
    where jsonb_typeof(part -> 'value') = 'number'
        and as_of_date > (select max(as_of_date) from publish.fct_churn_probability) - 366
    group by 1
"""
STEP = Decimal("0.0001")


@dataclass(frozen=True)
class Proposal:
    """The seed before and after the proposed change."""

    path: Path
    before: str
    after: str

    def diff(self) -> str:
        before, after = (text.splitlines(keepends=True) for text in (self.before, self.after))
        name = f"dbt_project/seeds/{self.path.name}"
        return "".join(difflib.unified_diff(before, after, f"a/{name}", f"b/{name}", n=0))

    def write(self) -> None:
        self.path.write_text(self.after, encoding="utf-8")


def propose(wh: Warehouse, seed: Path) -> Proposal:
    """Propose a new version of the seed; raise UsageError if no model is published."""
    with wh.connect("bi_reader") as conn:
        cursor = conn.cursor(row_factory=dict_row)
        effects = cursor.execute(EFFECTS).fetchall()
        components = cursor.execute(COMPONENTS).fetchall()
    if not effects:
        raise UsageError(
            "No churn model is published: too few customers have churned to fit one.",
            code="nothing_learned",
            hint="Keep the weights until `retention score suggest` finds a model.",
        )
    begins = max(row["as_of_date"] for row in effects) + timedelta(days=1)
    learned = {row["metric"]: _risk_by_metric(row) for row in effects}
    before = seed.read_text(encoding="utf-8")
    return Proposal(seed, before, changed(before, components, learned, begins))


def _risk_by_metric(row: Mapping[str, Any]) -> float:
    """Return the effect of a metric; positive when a larger value means more risk."""
    sign = row["direction"] or 0.0
    return float(row["spread"] or 0.0) * (1 if sign > 0 else -1 if sign < 0 else 0)


def changed(
    text: str,
    components: Sequence[Mapping[str, Any]],
    learned: Mapping[str, float],
    begins: date,
) -> str:
    """Return the seed with a new version of each segment whose weights would change."""
    header, *lines = list(csv.reader(io.StringIO(text)))
    place = {name: number for number, name in enumerate(header)}
    added: list[list[str]] = []
    # One version number for all segments: two versions never begin on the same day.
    definitions = {row["definition"] for row in components}
    taken = [
        int(line[place["version"]]) for line in lines if line[place["definition"]] in definitions
    ]
    version = max(taken, default=0) + 1
    for segment in sorted({row["segment"] for row in components}):
        mine = [row for row in components if row["segment"] == segment]
        weights = blended(mine, learned)
        if all(weights[row["component"]] == row["weight"] for row in mine):
            continue
        newest = {
            line[place["component"]]: line
            for line in sorted(lines, key=lambda line: int(line[place["version"]]))
            if (line[place["definition"]], line[place["segment"]])
            == (mine[0]["definition"], segment)
        }
        for row in mine:
            line = list(newest[row["component"]])
            line[place["version"]] = str(version)
            line[place["valid_from"]] = begins.isoformat()
            line[place["weight"]] = str(weights[row["component"]])
            added.append(line)
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(added)
    return text.rstrip("\n") + "\n" + written.getvalue()


def blended(
    components: Sequence[Mapping[str, Any]], learned: Mapping[str, float]
) -> dict[str, Decimal]:
    """Average the weights with the model's; none is negative and they add up to exactly 1.

    A metric whose effect contradicts the direction of its component gets no weight from the model:
    reversing a scale is a decision for a person.
    """
    harm = {
        row["component"]: max(
            0.0,
            learned.get(row["metric"], 0.0) * (1 if row["direction"] == "lower_is_better" else -1),
        )
        for row in components
    }
    total = sum(harm.values())
    if not total:
        return {row["component"]: row["weight"] for row in components}
    exact = {
        row["component"]: (row["weight"] + Decimal(repr(harm[row["component"]] / total))) / 2
        for row in components
    }
    floors = {name: value.quantize(STEP, ROUND_FLOOR) for name, value in exact.items()}
    left = int((1 - sum(floors.values())) / STEP)
    most = sorted(exact, key=lambda name: (floors[name] - exact[name], name))[:left]
    return {name: floors[name] + (STEP if name in most else 0) for name in floors}
