"""The columns that a stream's rule reads."""

from __future__ import annotations

from collections.abc import Sequence

from retention.sources.files.mapping import StreamRule


def columns_of(rule: StreamRule) -> list[str]:
    """Every column the rule names, once each, in the order of the mapping."""
    named = [*rule.only, *rule.skip, *rule.unique]
    named += [column for origin in rule.fields.values() for column in origin.origins]
    named += rule.updated_at.origins if rule.updated_at else ()
    return list(dict.fromkeys(named))


def missing_columns(rule: StreamRule, header: Sequence[str] | None) -> list[str]:
    """The columns of the rule that a header lacks; none where there is no header.

    A dotted name is there when its first part is: what a column of objects holds is known
    only row by row.
    """
    if header is None:
        return []
    there = set(header)
    return [
        column
        for column in columns_of(rule)
        if column not in there and column.split(".")[0] not in there
    ]
