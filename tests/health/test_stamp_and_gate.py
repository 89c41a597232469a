"""Gate 2 agrees with the stamp of a score, although it sees rounded figures."""

from __future__ import annotations

import yaml

from retention.statistics.metrics import PROVEN, Auc, verdict
from retention.warehouse import Warehouse
from tests.places import ROOT

SUITE = ROOT / "expectations" / "marts_fct_health_backtest.yml"
SMALL = 1e-9


def refused(wh: Warehouse, stamp: str, low: float, brier: float, base: float) -> bool:
    """Return whether the check of proven scores refuses these figures as the mart holds them."""
    suite = yaml.safe_load(SUITE.read_text("utf-8"))
    (check,) = [each for each in suite["expect"] if each["name"] == "proven_is_better_than_chance"]
    query = check["unexpected_rows_expectation"]["unexpected_rows_query"]
    row = (
        f"(select '{stamp}' as stamp, {low}::numeric(9, 6) as auc_low,"
        f" {brier}::numeric(9, 6) as brier, {base}::numeric(9, 6) as brier_base_rate) as row"
    )
    with wh.connect("transformer") as conn:
        return bool(conn.execute(query.format(batch=row)).fetchall())


def test_a_score_that_is_better_by_less_than_the_rounding_passes(warehouse: Warehouse) -> None:
    low, brier, base = 0.5 + SMALL, 0.05 - SMALL, 0.05
    assert verdict(Auc(0.6, low, 0.7, 100), brier, base, 20) == PROVEN
    assert not refused(warehouse, PROVEN, low, brier, base)


def test_a_proven_score_below_chance_is_refused(warehouse: Warehouse) -> None:
    assert refused(warehouse, PROVEN, 0.49, 0.04, 0.05)
    assert refused(warehouse, PROVEN, 0.6, 0.06, 0.05)
    assert not refused(warehouse, "unproven", 0.49, 0.06, 0.05)
