"""Comments on published views and columns, from the descriptions in the dbt project."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import psycopg
from psycopg import sql

from retention.publishing.mart import AUDIENCES, Mart

_STORED = """
select view.relnamespace::regnamespace::text, view.relname, coalesce(attribute.attname, ''),
    coalesce(obj.description, '')
from pg_class as view
cross join lateral (
    select 0::smallint as attnum, null::name as attname
    union all
    select attnum, attname from pg_attribute
    where attrelid = view.oid and attnum > 0 and not attisdropped
) as attribute
left join pg_description as obj
    on obj.objoid = view.oid and obj.objsubid = attribute.attnum
    and obj.classoid = 'pg_class'::regclass
where view.relkind = 'v' and view.relnamespace::regnamespace::text = any(%s)
"""


def write(conn: psycopg.Connection, wanted: Sequence[Mart]) -> int:
    """Comment each published view and column whose description changed; return their number.

    Idempotent. Readers are not blocked. A view's comment ends with its grain, since a view has
    no key in the catalogue.
    """
    rows = conn.execute(_STORED, [list(AUDIENCES)]).fetchall()
    stored = {(schema, view, column): text for schema, view, column, text in rows}
    changed = [
        (place, text)
        for mart in wanted
        for place, text in _described(mart)
        if place in stored and stored[place] != text
    ]
    for (schema, view, column), text in changed:
        kind = sql.SQL("column" if column else "view")
        name = sql.Identifier(*(part for part in (schema, view, column) if part))
        conn.execute(sql.SQL("comment on {} {} is {}").format(kind, name, sql.Literal(text)))
    return len(changed)


def _described(mart: Mart) -> Iterator[tuple[tuple[str, str, str], str]]:
    if mart.description:
        text = f"{_line(mart.description)} Grain: {', '.join(mart.grain)}."
        yield (mart.audience, mart.name, ""), text
    for column, description in mart.columns.items():
        if description:
            yield (mart.audience, mart.name, column), _line(description)


def _line(text: str) -> str:
    """Join wrapped lines of YAML: BI tools show a comment as it is stored."""
    return " ".join(text.split())
