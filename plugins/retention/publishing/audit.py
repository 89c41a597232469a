"""Check that a build may be published: gate 2 passed and the marts are unchanged since."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg

from retention.errors import PublishError
from retention.publishing import checksum
from retention.publishing.mart import Mart, with_rows

_GATE = """
select count(*) filter (where severity = 'critical'),
    count(*) filter (where severity = 'critical' and not success)
from ops.gate_results
where gate = 'marts' and build_id = %(build)s and gate_run_id = (
    select max(gate_run_id) from ops.gate_results where gate = 'marts' and build_id = %(build)s
)
"""


def require_passed(conn: psycopg.Connection, build_id: int) -> None:
    """Raise PublishError unless the build is done and its newest marts gate passed."""
    where = f"build {build_id}"
    row = conn.execute("select status from ops.builds where build_id = %s", [build_id]).fetchone()
    if row is None or row[0] != "done":
        state = row[0] if row else "unknown"
        raise PublishError(
            f"the build is {state}, not done.",
            code="build_not_done",
            where=where,
            hint="Run `retention build` first.",
        )
    checks, failed = conn.execute(_GATE, {"build": build_id}).fetchone() or (0, 0)
    if not checks or failed:
        state = f"{failed} critical checks failed" if checks else "it has not run"
        raise PublishError(
            f"the marts gate did not pass: {state}.",
            code="gate_not_passed",
            where=where,
            hint=f"Run `retention gate marts --build-id {build_id}`.",
        )


def require_audited(conn: psycopg.Connection, build_id: int, wanted: Sequence[Mart]) -> None:
    """Raise PublishError unless the checksum of every mart is the one that gate 2 stored."""
    audited: dict[str, str] = dict(
        conn.execute(
            "select mart, checksum from ops.mart_checksums where build_id = %s", [build_id]
        ).fetchall()
    )
    for mart in with_rows(wanted):
        _, found = checksum.of(conn, "marts", mart.name)
        if audited.get(mart.name) != found:
            what = "has changed since" if mart.name in audited else "was not checked by"
            raise PublishError(
                f"marts.{mart.name} {what} the gate.",
                code="not_what_was_audited",
                where=f"build {build_id}",
                hint=f"Run `retention gate marts --build-id {build_id}` again.",
            )
