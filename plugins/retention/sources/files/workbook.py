"""Read a sheet of a workbook: xlsx, xlsm, xlsb, xls or ods."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from retention.sources.files.problems import nearest
from retention.sources.files.table import BrokenFile

SUFFIXES = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
# A sheet is read as a whole, so a small file must not unpack to more than memory holds.
_MOST_UNPACKED = 512 << 20


def sheet_names(path: Path) -> list[str]:
    """Return the sheets of a workbook in order; raises BrokenFile if it cannot be read."""
    return list(_opened(path).sheet_names)


def sheet_rows(path: Path, sheet: str | None, first: int) -> Iterator[tuple[int, list[Any]]]:
    """Yield row number and cells from row ``first`` on; an empty cell is an empty text.

    Without ``sheet``, the workbook must have a single one. Raises BrokenFile.
    """
    workbook = _opened(path)
    name = _chosen(workbook.sheet_names, sheet)
    rows = workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
    yield from enumerate(rows[first - 1 :], start=first)


def _chosen(names: list[str], sheet: str | None) -> str:
    if sheet is None and len(names) > 1:
        listed = ", ".join(map(repr, names))
        message = f"the workbook has {len(names)} sheets: {listed}. Set `sheet` to one of them"
        raise BrokenFile("which_sheet", message)
    if sheet is not None and sheet not in names:
        raise BrokenFile("missing_sheet", f"no sheet {sheet!r}. {nearest(sheet, names)}")
    if not names:
        raise BrokenFile("missing_sheet", "the workbook has no sheet")
    return sheet or names[0]


def _opened(path: Path) -> Any:
    import python_calamine as calamine

    _refuse_bombs(path)
    try:
        return calamine.load_workbook(str(path))
    except calamine.PasswordError as error:
        message = "the workbook is protected by a password; save it without one"
        raise BrokenFile("protected_workbook", message) from error
    except calamine.CalamineError as error:
        raise BrokenFile("broken_workbook", f"not a readable workbook: {error}") from error


def _refuse_bombs(path: Path) -> None:
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as packed:
        size = sum(each.file_size for each in packed.infolist())
    if size > _MOST_UNPACKED:
        message = (
            f"the workbook unpacks to {size >> 20} MiB, the limit is {_MOST_UNPACKED >> 20};"
            " save its sheets as CSV"
        )
        raise BrokenFile("workbook_too_large", message)
