"""A small world copied many times, for benches: copy n has n times the span added to each key."""

from collections.abc import Collection, Mapping
from typing import Any

from django.db import connection
from psycopg2 import sql

Keys = Mapping[str, str]  # column → the table whose rows it names, its own key first


def multiply(
    tables: Mapping[str, Keys], copies: int, *, named: Collection[tuple[str, str]] = ()
) -> None:
    """So many copies in all; rows are right as they stand, so no trigger or foreign key looks.

    Columns that are `named` (table, column) are unique texts: they get the number of the copy.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        spans = {
            table: _span(cursor, table)
            for table in {to for keys in tables.values() for to in keys.values()}
        }
        for table, keys in tables.items():
            _copy_rows(cursor, table, {c: spans[to] for c, to in keys.items()}, copies, named)
        cursor.execute("SET session_replication_role = DEFAULT")


def _span(cursor: Any, table: str) -> int:
    cursor.execute(f"SELECT COALESCE(max(id) - min(id) + 1, 0) FROM {table}")
    span: int = cursor.fetchone()[0]
    return span


def _copy_rows(
    cursor: Any,
    table: str,
    spans: Mapping[str, int],
    copies: int,
    named: Collection[tuple[str, str]],
) -> None:
    cursor.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = %s"
        " AND table_schema = 'public' ORDER BY ordinal_position",
        [table],
    )
    columns = [row[0] for row in cursor.fetchall()]
    cursor.execute(
        sql.SQL(
            "INSERT INTO {0} ({1}) SELECT {2} FROM {0} CROSS JOIN generate_series(1, {3}) AS n"
            " ORDER BY n, {4}"
        ).format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, columns)),
            sql.SQL(", ").join(_copied(c, spans.get(c), (table, c) in named) for c in columns),
            sql.Literal(copies - 1),
            sql.Identifier(next(iter(spans))),
        )
    )


def _copied(column: str, span: int | None, is_named: bool) -> sql.Composable:
    name = sql.Identifier(column)
    if span is not None:
        return sql.SQL("{} + n * {}").format(name, sql.Literal(span))
    return sql.SQL("{} || '-' || n").format(name) if is_named else name
