"""No node of a build may process rows faster than the company grows."""

from __future__ import annotations

from datetime import date

import psycopg
import pytest

from retention.builds import build, dbt_runner
from retention.warehouse import Warehouse, postgres
from retention.warehouse.keyring import PSEUDONYM_KEY, secret
from tests.conftest import drop_database
from tests.end_to_end.company import FIRST, Company
from tests.growth import FLOOR, TOO_STEEP, Growth, Work, compared, multiply, works

FACTOR = 3
# Pairs of months and segments, as many with more customers; a merge join goes through them.
BOUNDED = {"fct_retention_cohorts"}


def built(company: Company, day: date, times: int) -> dict[str, Work]:
    """Build the company that many times as large; return the work of each node."""
    settings, wh = company.settings, company.wh
    with psycopg.connect(postgres.admin_url(settings, settings.database)) as conn:
        multiply(conn, times)
    build.build(wh, day)
    with wh.connect("transformer") as conn:
        for name, value in dbt_runner.PLANNING.items():
            conn.execute("select set_config(%s, %s, false)", [name, value])
        key = [f"retention.{PSEUDONYM_KEY}", secret(settings, PSEUDONYM_KEY)]
        conn.execute("select set_config(%s, %s, false)", key)
        return works(conn, dbt_runner.target_path(settings))


@pytest.mark.slow
@pytest.mark.system
def test_no_node_processes_rows_faster_than_the_company_grows(loaded_once: Company) -> None:
    measured = []
    for times in (1, FACTOR):
        company = loaded_once.copied(f"growth{times}")
        try:
            measured.append(built(company, FIRST, times))
        finally:
            drop_database(company.settings)
    found = compared(*measured, FACTOR)
    print("\n".join(str(growth) for growth in found[:10]))
    assert len(found) > 100
    assert sum(each.exponent > 0.9 for each in found) > 100, "the company did not grow"
    assert {each.name for each in found} >= BOUNDED
    steep = [each for each in found if each.is_too_steep and each.name not in BOUNDED]
    assert not steep, "\n".join(f"{each}\n    {each.large.worst}" for each in steep)


def grown(wh: Warehouse, query: str) -> Growth:
    """Measure a query on tables of 300 and 900 rows."""
    done = []
    for rows in (300, 300 * FACTOR):
        with wh.connect("transformer") as conn:
            conn.execute(
                "create temporary table things as"
                " select n as id, n %% 7 as kind from generate_series(1, %s) as n",
                [rows],
            )
            conn.execute("analyze things")
            done.append(Work.of(conn, query))
            conn.rollback()
    return Growth("things", *done, FACTOR)


@pytest.mark.parametrize(
    "query",
    [
        "select count(*) from things as a inner join things as b on a.id < b.id",
        "select a.id, (select max(b.id) from things as b where b.id < a.id) from things as a",
        "select 1 from things as a inner join things as b on a.kind = b.kind",
    ],
    ids=["join without an equality", "correlated sub-query", "join that fans out"],
)
def test_a_quadratic_query_is_too_steep_and_names_its_plan(
    warehouse: Warehouse, query: str
) -> None:
    growth = grown(warehouse, query)
    assert growth.large.rows > FLOOR
    assert growth.exponent == pytest.approx(2, abs=0.2)
    assert growth.is_too_steep
    assert "things" in growth.large.worst
    assert "exponent" in str(growth)


def test_a_linear_query_is_not_too_steep(warehouse: Warehouse) -> None:
    growth = grown(
        warehouse,
        "select count(*) from generate_series(1, 10) as copy"
        " cross join (select a.id from things as a inner join things as b using (id)) as joined",
    )
    assert growth.large.rows > 5_000
    assert growth.exponent < TOO_STEEP
    assert not growth.is_too_steep


def test_the_rows_that_a_filter_removes_count(warehouse: Warehouse) -> None:
    with warehouse.connect("transformer") as conn:
        conn.execute("create temporary table things as select generate_series(1, 1000) as id")
        work = Work.of(conn, "select id from things where id < 0")
    assert work.rows == 1000
