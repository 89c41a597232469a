"""What a gate found: one outcome per check, counts only, never a value of the data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Group

SEVERITIES = ("critical", "warning", "info")


@dataclass(frozen=True)
class Outcome:
    """One check of one suite. ``observed`` holds counts, rates and dates, no values."""

    suite: str
    expectation: str
    severity: str
    success: bool
    column: str = ""
    unexpected: int | None = None
    checked: int | None = None
    notes: str = ""
    observed: dict[str, Any] = field(default_factory=dict)

    @property
    def stops(self) -> bool:
        """Only a failed critical check stops a run; the others are told and kept."""
        return not self.success and self.severity == "critical"

    def __str__(self) -> str:
        column = f"({self.column})" if self.column else ""
        count = ""
        if self.unexpected is not None:
            of = f" of {self.checked:,}" if self.checked is not None else ""
            count = f": {self.unexpected:,}{of} unexpected"
        return f"{self.suite}: {self.expectation}{column}{count}"


@dataclass(frozen=True)
class GateReport:
    """All outcomes of one gate; ``gate_run_id`` is its row in ``ops.gate_runs``."""

    gate: str
    outcomes: tuple[Outcome, ...]
    seconds: float
    build_id: int | None = None
    gate_run_id: int | None = None
    docs: Path | None = None
    docs_error: str = ""

    @property
    def critical(self) -> tuple[Outcome, ...]:
        return tuple(outcome for outcome in self.outcomes if outcome.stops)

    @property
    def warnings(self) -> tuple[Outcome, ...]:
        return tuple(o for o in self.outcomes if not o.success and not o.stops)

    @property
    def passed(self) -> bool:
        """A gate without a single check has shown nothing, so it does not pass."""
        return bool(self.outcomes) and not self.critical

    @property
    def suites(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(outcome.suite for outcome in self.outcomes))

    def summary(self) -> str:
        """One line: verdict, number of checks and suites, what failed by severity, seconds."""
        verdict = "passed" if self.passed else "STOPPED"
        notes = sum(outcome.severity == "info" for outcome in self.warnings)
        return (
            f"gate {self.gate} {verdict}: {len(self.outcomes)} checks in {len(self.suites)} "
            f"suites, {len(self.critical)} critical, {len(self.warnings) - notes} warnings, "
            f"{notes} notes, {self.seconds:.1f} s"
        )

    def __rich__(self) -> Group:
        from rich.console import Group
        from rich.text import Text

        style = "green" if self.passed else "bold red"
        return Group(Text(self.summary(), style=style), *self._tables())

    def _tables(self) -> Iterator[Any]:
        from rich.table import Table
        from rich.text import Text

        failed = (*self.critical, *self.warnings)
        if not failed:
            return
        table = Table("severity", "suite", "check", "column", "unexpected", "why", box=None)
        for outcome in failed:
            # Text, not str: a column named by a vendor may look like console markup.
            row = (
                outcome.severity,
                outcome.suite,
                outcome.expectation,
                outcome.column,
                "" if outcome.unexpected is None else f"{outcome.unexpected:,}",
                outcome.notes,
            )
            table.add_row(*(Text(cell) for cell in row))
        yield table
