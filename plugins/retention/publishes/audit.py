"""The proof that a build may be published: its gate passed, and it is what the gate saw."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg

from retention.errors import PublishError
from retention.marts import checksum
from retention.marts.mart import Mart

_GATE = """
select count(*) filter (where severity = 'critical'),
    count(*) filter (where severity = 'critical' and not success)
from ops.gate_results
where gate = 'marts' and build_id = %(build)s and gate_run_id = (
    select max(gate_run_id) from ops.gate_results where gate = 'marts' and build_id = %(build)s
)
"""


def require_passed(conn: psycopg.Connection, build_id: int) -> None:
    """Refuse a build that is not finished, or whose newest marts gate did not pass."""
    where = f"build {build_id}"
    row = conn.execute("select status from ops.builds where build_id = %s", [build_id]).fetchone()
    if row is None or row[0] != "done":
        state = row[0] if row else "unknown"
        raise PublishError(f"the build is {state}, not done.", code="build_not_done", where=where)
    checks, failed = conn.execute(_GATE, {"build": build_id}).fetchone() or (0, 0)
    if not checks or failed:
        said = f"{failed} critical checks failed" if checks else "it has not been checked"
        raise PublishError(
            f"the marts gate did not pass: {said}.",
            code="gate_not_passed",
            where=where,
            mend="Run `retention gate marts`.",
        )


def require_audited(conn: psycopg.Connection, build_id: int, wanted: Sequence[Mart]) -> None:
    """The marts are what the gate looked at, or nothing is published."""
    audited: dict[str, str] = dict(
        conn.execute(
            "select mart, checksum from ops.mart_checksums where build_id = %s", [build_id]
        ).fetchall()
    )
    for mart in wanted:
        _, found = checksum.of(conn, "marts", mart.name)
        if audited.get(mart.name) != found:
            what = "has changed since" if mart.name in audited else "was not looked at by"
            raise PublishError(
                f"marts.{mart.name} {what} the gate.",
                code="not_what_was_audited",
                where=f"build {build_id}",
                mend="Run the marts gate again, or build again.",
            )
