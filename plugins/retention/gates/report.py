"""Report of a gate: one outcome per check, with counts and, but for a repeated key, no values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Group


@dataclass(frozen=True)
class Outcome:
    """Result of one check of one suite.

    ``observed`` has counts, rates and dates; its ``example`` is a repeated key of a mart without
    personal data. Other values of the data are in no outcome.
    """

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
        """Return whether the check stops a run: it failed and is critical."""
        return not self.success and self.severity == "critical"

    def __str__(self) -> str:
        column = f"({self.column})" if self.column else ""
        count = ""
        if self.unexpected is not None:
            of = f" of {self.checked:,}" if self.checked is not None else ""
            count = f": {self.unexpected:,}{of} unexpected"
        if "example" in self.observed:
            count += f", for example {self.observed['example']}"
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
        """Return whether no critical check failed; False for a gate without any check."""
        return bool(self.outcomes) and not self.critical

    @property
    def suites(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(outcome.suite for outcome in self.outcomes))

    def summary(self) -> str:
        """Return one line: result, number of checks and suites, failures by severity, seconds."""
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
