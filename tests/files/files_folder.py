"""Folders of files for tests, and where the public data sets are."""

from __future__ import annotations

from datetime import date
from pathlib import Path

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
