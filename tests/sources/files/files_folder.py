"""Folders of files for tests, and where the public data sets are."""

from __future__ import annotations

import zipfile
from datetime import date
from io import BytesIO
from pathlib import Path
from xml.sax.saxutils import escape

from retention.source import Connection, Record, Rejected
from retention.sources.files import SOURCE
from retention.window import Window

ACCOUNTS = """
streams:
  accounts:
    file: accounts.csv
    fields: {account_id: id, name: name}
"""


def subscriptions(mrr: str, **more: str) -> str:
    """A mapping whose terms.csv has the columns a, b, day and what ``mrr`` names."""
    extra = "".join(f"\n      {name}: {rule}" for name, rule in more.items())
    return f"""
streams:
  subscriptions:
    file: terms.csv
    fields:
      subscription_id: {{columns: [a, b]}}
      account_id: a
      starts_on: {{column: day, format: "%d.%m.%Y"}}
      currency: {{value: USD}}
      mrr_amount: {mrr}{extra}
"""


def folder(root: Path, mapping: str = ACCOUNTS, **files: str | bytes) -> Path:
    """A folder with a mapping and files; ``accounts_csv`` is written as accounts.csv."""
    root.mkdir(exist_ok=True)
    (root / "mapping.yml").write_text(mapping)
    for name, content in files.items():
        stem, _, suffix = name.partition("_")
        path = root / f"{stem}.{suffix.replace('_', '.')}"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


_PARTS = {
    "[Content_Types].xml": (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/></Types>'
    ),
    "_rels/.rels": (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="r1" Target="xl/workbook.xml" Type="http://schemas.openxmlformats.org/'
        'officeDocument/2006/relationships/officeDocument"/></Relationships>'
    ),
    # Style 1 is a date.
    "xl/styles.xml": (
        '<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>'
    ),
}
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
Sheet = list[list[str | int | float | date | None]]


def workbook(**sheets: Sheet) -> bytes:
    """An xlsx workbook of these sheets, as a spreadsheet program writes it."""
    named, related = "", ""
    parts = dict(_PARTS)
    for number, (name, rows) in enumerate(sheets.items(), start=1):
        named += f'<sheet name="{name}" sheetId="{number}" r:id="s{number}"/>'
        related += (
            f'<Relationship Id="s{number}" Type="{_OFFICE}/worksheet"'
            f' Target="worksheets/sheet{number}.xml"/>'
        )
        lines = "".join(f"<row>{''.join(map(_cell, row))}</row>" for row in rows)
        parts[f"xl/worksheets/sheet{number}.xml"] = (
            f'<worksheet xmlns="{_MAIN}"><sheetData>{lines}</sheetData></worksheet>'
        )
    parts["xl/workbook.xml"] = (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{named}</sheets></workbook>'
    )
    parts["xl/_rels/workbook.xml.rels"] = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'{related}<Relationship Id="st" Type="{_OFFICE}/styles" Target="styles.xml"/>'
        "</Relationships>"
    )
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return packed.getvalue()


def _cell(value: str | float | date | None) -> str:
    if value is None:
        return "<c/>"
    if isinstance(value, str):
        return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    if isinstance(value, date):
        return f'<c s="1"><v>{(value - date(1899, 12, 30)).days}</v></c>'
    return f"<c><v>{value}</v></c>"


def read(root: Path, stream: str) -> list[Record | Rejected]:
    """Everything the source yields for a stream of a folder."""
    connection = Connection("files_folder", str(root))
    found = SOURCE.stream(stream)
    return list(found.extract(connection, found, Window.through(date(2024, 12, 31))))


def documents(root: Path, stream: str) -> list[dict[str, object]]:
    """The documents of a stream of which no row may be rejected."""
    found = read(root, stream)
    rejected = [each for each in found if isinstance(each, Rejected)]
    assert not rejected
    return [each.doc for each in found if isinstance(each, Record)]
