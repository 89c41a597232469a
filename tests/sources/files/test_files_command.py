"""`retention files check`: what a person sees of a folder before anything is loaded."""

from __future__ import annotations

import shutil
from pathlib import Path

from typer.testing import CliRunner

from retention.cli import app
from tests.places import ROOT

EXAMPLE = ROOT / "demo" / "mappings" / "example"


def check(folder: Path) -> tuple[int, list[str]]:
    result = CliRunner().invoke(app, ["files", "check", str(folder)])
    return result.exit_code, result.output.splitlines()


def test_the_example_has_no_problem() -> None:
    assert check(EXAMPLE) == (0, [f"0 errors, 0 warnings in {EXAMPLE}"])


def test_a_broken_folder_is_reported_by_file_line_and_column(tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    shutil.copytree(EXAMPLE, folder)
    customers = folder / "customers.csv"
    lines = customers.read_text().splitlines()
    lines[1] = lines[1].replace(lines[1].split(",")[0], "")
    customers.write_text("\n".join(lines) + "\n")
    contracts = folder / "contracts.csv"
    contracts.write_text(contracts.read_text().replace("EUR", "EURO", 1))

    code, said = check(folder)
    assert code == 3
    assert any(line.startswith("error   customers.csv:2: id: ") for line in said), said
    assert any(line.startswith("error   contracts.csv:3: currency: ") for line in said), said
    assert said[-1].startswith("2 errors, "), said


def test_a_problem_of_many_rows_is_reported_once_with_its_count(tmp_path: Path) -> None:
    folder = tmp_path / "many"
    shutil.copytree(EXAMPLE, folder)
    customers = folder / "customers.csv"
    nameless = "," + customers.read_text().splitlines()[1].split(",", 1)[1] + "\n"
    customers.write_text(customers.read_text() + nameless * 60)

    code, said = check(folder)
    assert code == 3
    assert sum(line.endswith("[missing_key]") for line in said) == 51
    assert said[-1] == f"60 errors, 0 warnings in {folder}"


def test_the_fields_of_one_stream_or_of_all_are_printed() -> None:
    one = CliRunner().invoke(app, ["files", "fields", "owners"]).output
    assert "| owner_id | id | yes |" in one
    assert "### accounts" not in one
    everything = CliRunner().invoke(app, ["files", "fields"]).output
    assert {"### accounts", "### usage_events"} <= set(everything.splitlines())
    end = next(line for line in everything.splitlines() if line.startswith("| ends_on "))
    assert end == "| ends_on | date |  | a wrong value rejects the row |"


def test_an_unknown_stream_is_refused_with_the_nearest_name() -> None:
    result = CliRunner().invoke(app, ["files", "fields", "acounts"])
    assert result.exit_code != 0
    assert "Did you mean 'accounts'?" in str(result.exception) + str(
        getattr(result.exception, "hint", "")
    )
