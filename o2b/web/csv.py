"""A list as a CSV file: streamed, whatever its length, and harmless in a spreadsheet."""

import csv
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _

from o2b.money import quantise
from o2b.web.columns import Column, read

# A spreadsheet takes a text that begins like this for a formula.
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")


class Echo:
    """A file that hands back what is written to it."""

    def write(self, value: str) -> str:
        return value


def stream_csv(name: str, columns: Sequence[Column], rows: QuerySet[Any]) -> StreamingHttpResponse:
    """All rows, read in chunks by a server-side cursor."""
    response = StreamingHttpResponse(lines(columns, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def lines(columns: Sequence[Column], rows: QuerySet[Any]) -> Iterator[str]:
    write = csv.writer(Echo()).writerow
    yield write([safe(title) for title in titles(columns)])
    for row in rows.iterator(chunk_size=2000):
        yield write([safe(value) for value in values(columns, row)])


def titles(columns: Sequence[Column]) -> Iterator[Any]:
    for column in columns:
        yield str(column.title)
        if column.currency:
            yield _("%(title)s, currency") % {"title": column.title}
        if column.note:
            yield note_title(column)


def note_title(column: Column) -> str:
    """What the second line of a column is called where it stands alone."""
    match column.note.rpartition(".")[2] if isinstance(column.note, str) else "":
        case "reference":
            return _("Account number")
        case "title":
            return _("Title")
        case "code":
            return _("Code")
    return _("%(title)s, note") % {"title": column.title}


def values(columns: Sequence[Column], row: Any) -> Iterator[Any]:
    for column in columns:
        value = column.raw(row)
        currency = read(row, column.currency) if column.currency else None
        if column.kind == "money":
            value = plain_amount(getattr(value, "amount", value), currency)
        yield value
        if column.currency:
            yield currency
        if column.note:
            yield read(row, column.note)


def plain_amount(amount: Any, currency: Any) -> Any:
    """The amount with its currency's decimals, unless that would lose some."""
    if not isinstance(amount, Decimal) or not currency:
        return amount
    rounded = quantise(amount, currency)
    return rounded if rounded == amount else amount


def safe(value: Any) -> str:
    """The value as one cell: numbers and days as machines read them, text that cannot run."""
    if value is None:
        return ""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, int | Decimal):
        return format(value, "f") if isinstance(value, Decimal) else str(value)
    text = str(value)
    return f"'{text}" if text.lstrip(" ").startswith(DANGEROUS) else text
