"""Write score, band, top reason, date and link of each customer to the CRM if changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from retention.errors import ExtractionError
from retention.reverse_etl import reading
from retention.reverse_etl.settings import Outbound
from retention.warehouse import Warehouse

# The property names in the CRM and the values they hold.
FIELDS = {
    "retention_health_score": ("number", "Health score, 0 to 100"),
    "retention_health_band": ("string", "Health band"),
    "retention_top_reason": ("string", "Health: top reason"),
    "retention_as_of": ("date", "Health: as of"),
    "retention_link": ("string", "Health: link"),
}
DAY = "retention_as_of"
# A new date alone is not a change. Written daily to every company, it would make the next load read
# all companies again.
REFRESH = dt.timedelta(days=7)
LONGEST = 1000
Values = dict[str, str]

SCORES = """
    select
        identity.source_key as company_id,
        customers.customer_name,
        customers.status = 'active' as is_active,
        health.score,
        health.band,
        health.main_reason,
        customers.customer_id,
        customers.as_of_date
    from publish.fct_identity_map as identity
    inner join publish.dim_customers as customers
        on identity.customer_id = customers.customer_id
    left join publish.fct_customer_health_daily as health
        on customers.customer_id = health.customer_id
        and customers.as_of_date = health.as_of_date
    where identity.source = 'crm' and identity.match_rule = 'own_key'
    order by identity.source_key
"""


@dataclass(frozen=True)
class Change:
    """One value of one company: the current and the new value."""

    company_id: str
    name: str
    field: str
    before: str
    after: str


class Writer(Protocol):
    """The interface of a CRM writer. ``write`` returns the reason for each rejected company."""

    vendor: str

    def prepare(self, fields: Mapping[str, tuple[str, str]]) -> list[str]: ...

    def read(self, ids: Iterable[str], fields: Iterable[str]) -> dict[str, Values]: ...

    def write(self, values: Mapping[str, Values]) -> dict[str, str]: ...


@dataclass(frozen=True)
class Plan:
    """The values to write; ``unknown`` and ``missing`` are reported."""

    as_of: dt.date
    changes: list[Change]
    looked_at: int
    unknown: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def companies(self) -> dict[str, Values]:
        found: dict[str, Values] = {}
        for change in self.changes:
            found.setdefault(change.company_id, {})[change.field] = change.after
        return found

    def summary(self) -> str:
        parts = [
            f"{len(self.changes):,} values of {len(self.companies):,} companies would change,"
            f" of {self.looked_at:,} looked at",
            f"{len(self.unknown):,} have the band unknown: they get the band and no score",
        ]
        if self.missing:
            names = ", ".join(self.missing[:10])
            parts.append(f"{len(self.missing):,} are not in the CRM: {names}")
        return "; ".join(parts)


def plan(wh: Warehouse, outbound: Outbound, writer: Writer) -> Plan:
    """Compare the published values with the CRM; writes nothing."""
    rows = reading.rows(wh, SCORES)
    as_of = reading.current(wh)["as_of"]
    have = writer.read([row["company_id"] for row in rows], FIELDS)
    changes: list[Change] = []
    for row in rows:
        if row["company_id"] in have:
            changes += differences(row, wanted(row, outbound), have[row["company_id"]])
    return Plan(
        as_of=as_of,
        changes=changes,
        looked_at=len(rows),
        unknown=[row["company_id"] for row in rows if row["band"] == "unknown"],
        missing=[
            row["company_id"] for row in rows if row["is_active"] and row["company_id"] not in have
        ],
    )


def wanted(row: Mapping[str, Any], outbound: Outbound) -> Values:
    """Return the CRM values per customer; empty for customers that do not pay or have no score."""
    if not row["is_active"] or row["band"] is None:
        return dict.fromkeys(FIELDS, "")
    known = row["band"] != "unknown" and row["score"] is not None
    return {
        "retention_health_score": format(row["score"], "f") if known else "",
        "retention_health_band": row["band"],
        "retention_top_reason": (row["main_reason"] or "")[:LONGEST],
        "retention_as_of": row["as_of_date"].isoformat(),
        "retention_link": outbound.link_to(row["customer_id"]),
    }


def differences(row: Mapping[str, Any], want: Values, have: Values) -> list[Change]:
    """Return the values to write; the date only with another value or after a week."""
    differing = [name for name in FIELDS if not _same(want[name], have.get(name, ""))]
    if differing == [DAY] and want[DAY] and _is_fresh(have.get(DAY, ""), want[DAY]):
        return []
    return [
        Change(row["company_id"], row["customer_name"], name, have.get(name, ""), want[name])
        for name in differing
    ]


def apply(writer: Writer, agreed: Plan) -> int:
    """Write the planned values and return the number of companies written.

    Idempotent. Raises ExtractionError with the rejected companies; the others are written.
    """
    values = agreed.companies
    if not values:
        return 0
    writer.prepare(FIELDS)
    refused = writer.write(values)
    if refused:
        told = "; ".join(f"company {key}: {reason}" for key, reason in list(refused.items())[:5])
        raise ExtractionError(
            f"{len(refused)} of {len(values)} companies were rejected. {told}",
            code="not_written",
            where=writer.vendor,
        )
    return len(values)


def only_agreed(fresh: Plan, agreed: Iterable[Mapping[str, str]]) -> Plan:
    """Return the part of a new plan that was approved: only values that the approver saw."""
    seen = {(each["company_id"], each["field"], each["after"]) for each in agreed}
    kept = [each for each in fresh.changes if (each.company_id, each.field, each.after) in seen]
    return Plan(fresh.as_of, kept, fresh.looked_at, fresh.unknown, fresh.missing)


def _same(one: str, other: str) -> bool:
    """Compare as text, or as numbers (46.5 equals 46.50)."""
    if one == other:
        return True
    try:
        return bool(one and other) and float(one) == float(other)
    except ValueError:
        return False


def _is_fresh(before: str, after: str) -> bool:
    try:
        told = dt.date.fromisoformat(before[:10])
    except ValueError:
        return False
    return dt.timedelta(0) <= dt.date.fromisoformat(after) - told < REFRESH


def as_documents(planned: Plan) -> list[dict[str, str]]:
    """Return the changes as plain documents, for approval and later comparison."""
    return [
        {"company_id": each.company_id, "field": each.field, "after": each.after}
        for each in planned.changes
    ]
