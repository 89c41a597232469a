"""Write the HTML data docs of a gate: checks and counts, no values of the data."""

from __future__ import annotations

import logging
import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from retention.gates.report import GateReport
from retention.gates.validation import Examined, exception_of, great_expectations, quiet

log = logging.getLogger(__name__)

# Results that contain only counts; lists and observed values may contain personal data.
_COUNTS = (
    "element_count",
    "unexpected_count",
    "unexpected_percent",
    "missing_count",
    "missing_percent",
    "unexpected_percent_total",
    "unexpected_percent_nonmissing",
)
# The library's pages load scripts, styles and pictures from a dozen hosts. This policy blocks
# all remote content and scripts.
_POLICY = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\';'
    " style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'\">"
)
_ACTIVE = re.compile(r"<(script|footer)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
_PICTURE = re.compile(r"url\([\"']?(?:https?:)?//[^)]*\)", re.IGNORECASE)
_REMOTE = re.compile(
    r"<(?:link|img|meta|iframe)\b[^>]*?(?:href|src|content)=[\"'](?:https?:)?//[^>]*>",
    re.IGNORECASE,
)


def write(folder: Path, report: GateReport, examined: Sequence[Examined]) -> GateReport:
    """Replace the pages of this gate; return the report with their path.

    A failure to write them does not fail the gate; the report then has ``docs_error``.
    """
    try:
        fresh = folder.with_name(folder.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        with quiet():
            pages = _library_pages(fresh, examined)
        (fresh / "index.html").write_text(_index(report, pages), "utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        fresh.replace(folder)
    except Exception as error:
        log.warning("no data docs: %s", type(error).__name__)
        return replace(report, docs_error=f"no data docs: {type(error).__name__}")
    return replace(report, docs=folder / "index.html")


def _library_pages(folder: Path, examined: Sequence[Examined]) -> dict[str, str]:
    """Render one page per suite with Great Expectations; return file names by suite name."""
    great_expectations()
    from great_expectations.render.renderer import ValidationResultsPageRenderer
    from great_expectations.render.view import DefaultJinjaPageView

    renderer, view = ValidationResultsPageRenderer(), DefaultJinjaPageView()
    pages = {}
    for each in examined:
        page = view.render(renderer.render(_scrubbed(each)))
        name = f"{each.suite.name}.html"
        (folder / name).write_text(_sealed(page), "utf-8")
        pages[each.suite.name] = name
    return pages


def _scrubbed(each: Examined) -> Any:
    """Copy the result with only success flags and counts."""
    from great_expectations.core import (
        ExpectationSuiteValidationResult,
        ExpectationValidationResult,
    )

    results = []
    for result in each.result.results:
        error = exception_of(result)
        info = {
            "raised_exception": bool(error),
            "exception_message": error,
            "exception_traceback": "",
        }
        results.append(
            ExpectationValidationResult(
                success=result.success,
                expectation_config=_as_written(each, result),
                result=_counts(result),
                exception_info=info,
            )
        )
    return ExpectationSuiteValidationResult(
        success=each.result.success,
        results=results,
        suite_name=each.suite.name,
        statistics=each.result.statistics,
        meta={"great_expectations_version": great_expectations().__version__},
    )


def _as_written(each: Examined, result: Any) -> Any:
    """Return the expectation as written in its suite, without the expanded SQL."""
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    entry = each.suite.expectations[result.expectation_config.meta["number"]]
    notes = entry.notes or None
    return ExpectationConfiguration(type=entry.type, kwargs=dict(entry.kwargs), notes=notes)


def _counts(result: Any) -> dict[str, Any]:
    found = result.result or {}
    counts = {key: found[key] for key in _COUNTS if isinstance(found.get(key), int | float)}
    if "unexpected_percent" not in counts:
        # The library's page requires both or neither.
        counts.pop("unexpected_count", None)
    kind = result.expectation_config.type
    observed = found.get("observed_value")
    if kind.startswith(("expect_table_", "unexpected_rows")) and isinstance(observed, int):
        counts["observed_value"] = observed
    return counts


def _sealed(page: str) -> str:
    """Remove scripts and remote content from the page."""
    page = _PICTURE.sub("none", _REMOTE.sub("", _ACTIVE.sub("", page)))
    return page.replace("<head>", f"<head>{_POLICY}<style>{_STYLE}</style>", 1)


def _index(report: GateReport, pages: dict[str, str]) -> str:
    from jinja2 import Environment

    # Autoescape: a field name of a vendor may look like a tag.
    template = Environment(autoescape=True).from_string(_INDEX)
    return template.render(report=report, pages=pages, policy=_POLICY, style=_STYLE)


_STYLE = """
body {font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem}
table {border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem}
th, td {text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #ddd; vertical-align: top}
.failed.critical td:first-child {color: #b00020; font-weight: 600}
.failed td:first-child {color: #8a5a00}
nav, .navbar, .modal, .d-none, .ge-left-sidebar-container {display: none}
"""

_INDEX = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">{{ policy|safe }}
<title>gate {{ report.gate }}</title><style>{{ style|safe }}</style></head><body>
<h1>Gate {{ report.gate }}: {{ "passed" if report.passed else "stopped" }}</h1>
<p>{{ report.summary() }}; run {{ report.gate_run_id }}
{%- if report.build_id %}, build {{ report.build_id }}{% endif %}.</p>
{% for suite in report.suites %}
<h2>{% if suite in pages %}<a href="{{ pages[suite] }}">{{ suite }}</a>{% else %}{{ suite }}
{%- endif %}</h2>
<table><tr><th>result</th><th>check</th><th>column</th><th>unexpected</th><th>why</th></tr>
{% for o in report.outcomes if o.suite == suite %}
<tr class="{{ '' if o.success else 'failed' }} {{ o.severity }}">
<td>{{ "ok" if o.success else o.severity }}</td><td>{{ o.expectation }}</td>
<td>{{ o.column }}</td>
<td>{% if o.unexpected is not none %}{{ "{:,}".format(o.unexpected) }}{% endif %}
{%- if o.checked is not none %} of {{ "{:,}".format(o.checked) }}{% endif %}</td>
<td>{{ o.notes }}</td></tr>
{% endfor %}</table>
{% endfor %}
</body></html>
"""
