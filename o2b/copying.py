"""Rows into Postgres by COPY: what bulk_create does, several times as fast where rows are many."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from io import StringIO
from typing import Any, TypeVar

from django.contrib.postgres.fields import ArrayField, RangeField
from django.db import connection, models
from django.db.models.expressions import DatabaseDefault

from o2b.sql import ask

NULL = r"\N"
MANY = 100  # from so many rows on, COPY is worth its two queries
KEYS = "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)"
Writer = Callable[[Any], str]
M = TypeVar("M", bound=models.Model)


def new_keys(model: type[models.Model], count: int) -> list[int]:
    """So many keys of rows to be, ascending."""
    if not count:
        return []
    return [key for (key,) in ask(KEYS, [model._meta.db_table, count])]


def write_all(rows: Iterable[M]) -> list[M]:
    """Write rows of one model, each of which is given its key: by COPY where they are many."""
    found = list(rows)
    if len(found) >= MANY:
        return copy_in(found)
    return type(found[0])._base_manager.bulk_create(found) if found else []


def copy_in(rows: Iterable[M]) -> list[M]:
    """Write rows of one model; one without a key is given it. What the database works out by
    itself (`db_default`) is left to it, where the rows do not say."""
    found = list(rows)
    if not found:
        return []
    model = type(found[0])
    keyless = [row for row in found if row.pk is None]
    for row, key in zip(keyless, new_keys(model, len(keyless)), strict=True):
        row.pk = key
    fields = [field for field in model._meta.concrete_fields if _is_told(field, found)]
    columns = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    lines = StringIO()
    lines.writelines(_lines(fields, found))
    lines.seek(0)
    # COPY is psycopg's own; let its refusals look like all others.
    with connection.cursor() as cursor, connection.wrap_database_errors:
        cursor.copy_expert(f"COPY {model._meta.db_table} ({columns}) FROM STDIN", lines)
    for row in found:
        row._state.adding, row._state.db = False, connection.alias
    return found


def set_all(rows: Iterable[models.Model], names: Sequence[str]) -> None:
    """Write these fields of rows of one model that are there already, in one UPDATE."""
    found = list(rows)
    if not found:
        return
    meta = type(found[0])._meta
    fields: list[Any] = [meta.pk, *(meta.get_field(name) for name in names)]
    columns = [connection.ops.quote_name(str(field.column)) for field in fields]
    arrays = ", ".join(f"%s::{field.db_type(connection)}[]" for field in fields)
    told = ", ".join(f"{column} = told.{column}" for column in columns[1:])
    values = [
        [field.get_db_prep_save(getattr(row, field.attname), connection) for row in found]
        for field in fields
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {meta.db_table} AS here SET {told} FROM unnest({arrays})"
            f" AS told ({', '.join(columns)}) WHERE here.{columns[0]} = told.{columns[0]}",
            values,
        )


def _is_told(field: Any, rows: Sequence[models.Model]) -> bool:
    """Whether the rows say it themselves."""
    if not field.has_db_default():
        return True
    return not any(isinstance(row.__dict__[field.attname], DatabaseDefault) for row in rows)


def _lines(fields: Sequence[Any], rows: Sequence[models.Model]) -> Iterator[str]:
    """A line a row; a value that many rows share, as the very same object, is written out once."""
    known: dict[Writer, dict[int, str]] = defaultdict(dict)
    columns = [
        (field.attname, write, known[write]) for field in fields for write in [_writer_of(field)]
    ]
    for row in rows:
        told, cells = row.__dict__, []
        for name, write, texts in columns:
            value = told[name]
            text = texts.get(id(value))
            if text is None:
                text = texts[id(value)] = NULL if value is None else write(value)
            cells.append(text)
        yield "\t".join(cells) + "\n"


def _writer_of(field: Any) -> Writer:
    """How a value of a field is written for COPY, if there is one."""
    if isinstance(field, models.JSONField):
        return _json
    if isinstance(field, RangeField):
        return _range
    return _array if isinstance(field, ArrayField) else _plain


def _json(value: Any) -> str:
    return copied(json.dumps(value))


def _range(value: Any) -> str:
    """Half open, an end that is not known left out."""
    lower, upper = ("" if end is None else end for end in (value.lower, value.upper))
    return f"[{lower},{upper})"


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return copied(value)
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def copied(text: str) -> str:
    r"""A text as COPY wants it.

    >>> copied("a\tb")
    'a\\tb'
    """
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _array(values: Sequence[Any]) -> str:
    """A list as Postgres reads it, as COPY wants it."""
    return copied("{" + ",".join(_item(value) for value in values) + "}")


def _item(value: Any) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return "NULL" if value is None else str(value)
