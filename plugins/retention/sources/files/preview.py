"""Preview what a folder would load: rows, customers, MRR by month, dates, and what is not read."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from retention.source import Connection, Record, Rejected
from retention.sources.files.fields import fields_of
from retention.sources.files.folder import Folder
from retention.sources.files.mapping import columns_of
from retention.sources.files.profile import unread_files
from retention.sources.files.read import open_folder, records
from retention.usage.compressed import EventFile
from retention.usage.lake import session, write_part

_MONTHS = 13
Term = tuple[str, date, date | None, str, Decimal]


@dataclass
class StreamPreview:
    """What one stream would load."""

    stream: str
    records: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    lost_values: int = 0
    first: str | None = None
    last: str | None = None
    accounts: set[str] = field(default_factory=set)


@dataclass
class Preview:
    """What a folder would load; ``mrr`` is by month and currency, ``paying`` by month."""

    streams: list[StreamPreview]
    mrr: dict[date, dict[str, Decimal]]
    paying: dict[date, int]
    unread_columns: dict[str, list[str]]
    unread_files: list[str]


def preview(root: Path, mapping: str | None = None) -> Preview:
    """Read every row of a folder once and count; nothing is loaded.

    Raises ConfigurationError for an invalid mapping and BrokenFile for a file that cannot be read.
    """
    folder = open_folder(Connection("files", str(root), extra={"mapping": mapping}))
    terms: list[Term] = []
    streams = [_stream(folder, stream, terms) for stream in folder.mapping.streams]
    months = _months(terms)
    return Preview(
        streams=streams,
        mrr={month: _mrr(terms, month) for month in months},
        paying={month: len({each[0] for each in _in_force(terms, month)}) for month in months},
        unread_columns=dict(_unread_columns(folder)),
        unread_files=unread_files(folder),
    )


def _stream(folder: Folder, stream: str, terms: list[Term]) -> StreamPreview:
    found = StreamPreview(stream)
    if stream == "usage_events":
        _count_events(found, folder)
        return found
    dates = [each.name for each in fields_of(stream).values() if each.kind in {"date", "timestamp"}]
    for each in records(folder, stream):
        if isinstance(each, Record):
            _count(found, each.doc, dates)
            if stream == "subscriptions" and not each.doc["is_trial"]:
                terms.append(_term(each.doc))
        elif isinstance(each, Rejected) and each.record_kept:
            found.lost_values += 1
        else:
            found.rejected[each.code] += 1
    return found


def _count_events(found: StreamPreview, folder: Folder) -> None:
    """Count the events by the bulk path, as the load reads them."""
    from retention.sources.files.events import event_format

    rule = folder.mapping.streams["usage_events"]
    named = folder.files(rule)
    event_files = [EventFile(n, file, folder.root / file) for n, file in enumerate(named)]
    form = event_format(folder, rule, event_files[0].path)
    with TemporaryDirectory(prefix="retention-preview-") as scratch:
        db = session(Path(scratch) / "spill")
        part = write_part(db, form, event_files, Path(scratch) / "part", lambda: None)
        db.execute(f"create view events as from read_parquet('{part.events}')")
        query = "select problem, count(*) from events group by problem"
        counts = dict(db.execute(query).fetchall())
        query = """
            select min(event_date)::varchar, max(event_date)::varchar from events
            where problem is null
        """
        found.first, found.last = db.execute(query).fetchone() or (None, None)
        query = "select distinct account_key from events where problem is null"
        found.accounts = {account for (account,) in db.execute(query).fetchall()}
    found.records = counts.pop(None, 0)
    found.rejected.update(counts)


def _count(found: StreamPreview, doc: dict[str, Any], dates: list[str]) -> None:
    found.records += 1
    if doc.get("account_id"):
        found.accounts.add(doc["account_id"])
    given = [doc[name] for name in dates if doc[name]]
    if given:
        found.first = min(given) if found.first is None else min(found.first, *given)
        found.last = max(given) if found.last is None else max(found.last, *given)


def _term(doc: dict[str, Any]) -> Term:
    ends = date.fromisoformat(doc["ends_on"]) if doc["ends_on"] else None
    starts = date.fromisoformat(doc["starts_on"])
    return doc["account_id"], starts, ends, doc["currency"], doc["mrr_amount"]


def _months(terms: list[Term]) -> list[date]:
    """Return the first days after the last months in which a term begins or ends."""
    known = [each for _, starts, ends, *_ in terms for each in (starts, ends) if each]
    if not known:
        return []
    last = max(known)
    count = last.year * 12 + last.month
    return [date(n // 12, n % 12 + 1, 1) for n in range(count - _MONTHS + 1, count + 1)]


def _in_force(terms: list[Term], after: date) -> Iterator[Term]:
    """Yield the terms in force on the last day of the month before ``after``."""
    end = date.fromordinal(after.toordinal() - 1)
    return (
        each for each in terms if each[1] <= end and (each[2] is None or each[2] > end) and each[4]
    )


def _mrr(terms: list[Term], after: date) -> dict[str, Decimal]:
    total: dict[str, Decimal] = defaultdict(Decimal)
    for *_, currency, amount in _in_force(terms, after):
        total[currency] += amount
    return dict(total)


def _unread_columns(folder: Folder) -> Iterator[tuple[str, list[str]]]:
    """Yield for each file the columns of its header that no rule reads."""
    read: dict[str, set[str]] = defaultdict(set)
    headers: dict[str, tuple[str, ...]] = {}
    for stream in folder.mapping.streams:
        for _, rule in folder.mapping.rules(stream):
            form = folder.form(rule)
            for path in folder.files(rule):
                label = form.label(path)
                headers[label] = folder.header(path, form) or ()
                read[label] |= set(columns_of(rule))
            for origin in rule.fields.values():
                if origin.lookup:
                    label = folder.form(origin.lookup).label(origin.lookup.file)
                    read[label] |= {origin.lookup.match, origin.lookup.take}
    for label, columns in headers.items():
        if unread := [column for column in columns if column not in read[label]]:
            yield label, unread


def lines(found: Preview) -> Iterator[str]:
    """Yield the preview as text."""
    yield f"{'stream':<18}{'records':>9}{'rejected':>10}{'lost values':>13}{'customers':>11}  dates"
    for each in found.streams:
        dates = f"{(each.first or '-')[:10]} to {(each.last or '-')[:10]}" if each.first else "-"
        rejected = each.rejected.total()
        yield (
            f"{each.stream:<18}{each.records:>9,}{rejected:>10,}{each.lost_values:>13,}"
            f"{len(each.accounts):>11,}  {dates}"
        )
        if rejected:
            yield f"  rejected: {', '.join(f'{c} {n:,}' for c, n in each.rejected.most_common(5))}"
    if found.mrr:
        yield "\nMRR at the end of each month, without trials; compare it with your own figure"
    for after, amounts in found.mrr.items():
        month = date.fromordinal(after.toordinal() - 1).strftime("%Y-%m")
        shown = ", ".join(f"{amount:,.2f} {code}" for code, amount in sorted(amounts.items()))
        yield f"  {month}  {found.paying[after]:>7,} customers  {shown or '0'}"
    for file, columns in found.unread_columns.items():
        yield f"not read of {file}: {', '.join(columns)}"
    for file in found.unread_files:
        yield f"no stream reads {file}"
