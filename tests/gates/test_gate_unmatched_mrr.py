"""MRR without a matched account stops the publish above the limit of the policy."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import pytest
from psycopg.types.json import Jsonb

from retention.builds.build import manifest_path
from retention.errors import GateFailed
from retention.gates.gate import check, require
from retention.warehouse import Warehouse
from tests.places import ROOT

SUITE = ROOT / "expectations" / "marts_fct_identity_map.yml"
DAY = date(2026, 6, 30)
MAP = """
create table marts.fct_identity_map as
select
    source, key as source_key, key as customer_id, rule as match_rule,
    confidence as match_confidence, 1::bigint as claim_count, date '2026-06-30' as as_of_date
from (values
    ('crm', '1001', 'own_key', 1.0), ('crm', '1002', 'own_key', 1.0), ('stripe', 's', 'none', 0.0)
) as rows (source, key, rule, confidence)
"""
MRR = """
create table marts.fct_mrr_spans as
select customer_id, null::date as valid_to, amount::numeric(18, 4) as mrr_reporting_amount
from (values ('1001', 100), ('1002', 100), ('s', {stray})) as rows (customer_id, amount)
"""
POLICY = """
create table policy.policy as
select 'max_unmatched_mrr_share' as name, '0.05' as value
"""


@pytest.mark.parametrize(("stray", "is_stopped"), [(10, False), (11, True)])
def test_mrr_without_an_account_above_five_percent_stops_the_publish(
    warehouse: Warehouse, tmp_path: Path, stray: int, is_stopped: bool
) -> None:
    """10 of 210 is 4.8 %, 11 of 211 is 5.2 %."""
    shutil.copy(SUITE, tmp_path)
    assert warehouse.settings is not None
    with warehouse.connect("transformer") as conn:
        for statement in (MAP, MRR.format(stray=stray), POLICY):
            conn.execute(statement.encode())
        conn.execute(
            "insert into ops.builds (as_of, known_at, status, models)"
            " values (%s, clock_timestamp(), 'done', %s)",
            [DAY, Jsonb([{"name": "fct_identity_map", "kind": "model", "status": "success"}])],
        )
    manifest = manifest_path(warehouse.settings)
    manifest.parent.mkdir(parents=True, exist_ok=True)
    meta = {"publish": "publish", "grain": ["source", "source_key"]}
    node = {"name": "fct_identity_map", "resource_type": "model", "config": {"meta": meta}}
    manifest.write_text(json.dumps({"nodes": {"model.fct_identity_map": node}}))

    found = check(warehouse, "marts", folder=tmp_path)
    broken = {outcome.expectation for outcome in found.critical}
    assert broken == ({"unmatched_mrr_is_small"} if is_stopped else set())
    if is_stopped:
        with pytest.raises(GateFailed, match="unmatched_mrr_is_small"):
            require(found)
    else:
        require(found)
