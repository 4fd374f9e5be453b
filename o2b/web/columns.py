"""The parts of a list: columns and what they make of a row, heads that sort, chips, actions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Literal

from django.contrib.auth.models import AnonymousUser
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.safestring import SafeString

from o2b.web import show

Text = str | Promise
# A dotted path ("account.customer.name") or a function of the row.
Reader = str | Callable[[Any], Any]
Kind = Literal["text", "number", "money", "day", "moment", "badge", "code"]


def read(row: Any, reader: Reader) -> Any:
    """What the reader finds in the row; None where the path ends early."""
    if callable(reader):
        return reader(row)
    return reduce(_step, reader.split("."), row)


def _step(thing: Any, name: str) -> Any:
    if thing is None:
        return None
    found = thing[name] if isinstance(thing, dict) else getattr(thing, name)
    return found() if callable(found) and not hasattr(found, "all") else found


@dataclass(frozen=True)
class Column:
    """One column: where its value is read, how it is written, by what it sorts, where it leads.

    `value` is a path or function (default: the attribute `name`); `sort` one or more ORM fields;
    `link` True for `row.get_absolute_url()`, or a path or function giving an address;
    `note` a path or function for the quiet second line; `currency` one for money;
    `label` and `tone` for a badge whose state is not in `o2b.web.states`; `may_be_empty` for a day
    or moment that many rows lack: those stand last, whichever way they are sorted.
    """

    name: str
    title: Text
    value: Reader | None = None
    sort: str | Sequence[str] | None = None
    kind: Kind = "text"
    currency: Reader | None = None
    link: Reader | bool = False
    note: Reader | None = None
    label: Reader | None = None
    tone: Reader | None = None
    may_be_empty: bool = False

    @property
    def align(self) -> str:
        return "r" if self.kind in {"number", "money"} else ""

    def raw(self, row: Any) -> Any:
        return read(row, self.value or self.name)

    def shown(self, row: Any) -> str | SafeString:
        value = self.raw(row)
        match self.kind:
            case "money":
                return show.money_text(value, read(row, self.currency) if self.currency else "")
            case "badge":
                label = read(row, self.label) if self.label else None
                return show.badge_html(value, label, read(row, self.tone) if self.tone else "")
            case "number":
                return show.number_text(value)
            case "day":
                return show.day_text(value)
            case "moment":
                return show.moment_text(value)
        return show.NOTHING if value is None or value == "" else str(value)

    def address(self, row: Any) -> str:
        if self.link is True:
            return row.get_absolute_url()
        return (read(row, self.link) or "") if self.link else ""


@dataclass(frozen=True)
class Cell:
    """One cell, ready to be shown."""

    column: Column
    text: str | SafeString
    url: str
    note: Any


@dataclass(frozen=True)
class Row:
    """One row, ready to be shown; templates of one's own find the object as `source`."""

    source: Any
    cells: list[Cell]

    @classmethod
    def of(cls, columns: Sequence[Column], row: Any) -> "Row":
        return cls(
            row,
            [
                Cell(
                    column,
                    column.shown(row),
                    column.address(row),
                    read(row, column.note) if column.note else None,
                )
                for column in columns
            ],
        )


@dataclass(frozen=True)
class Head:
    """The head of a column: its sort link and in which direction the rows stand now."""

    column: Column
    href: str
    direction: str

    @classmethod
    def of(cls, column: Column, sort: str, href: Callable[..., str]) -> "Head":
        if not column.sort:
            return cls(column, "", "")
        standing = sort.removeprefix("-") == column.name
        rising = standing and not sort.startswith("-")
        direction = ("ascending" if rising else "descending") if standing else ""
        return cls(column, href(sort=f"-{column.name}" if rising else column.name), direction)


@dataclass(frozen=True)
class Chip:
    """A filter that is a link."""

    title: Text
    href: str
    current: bool


@dataclass(frozen=True)
class Action:
    """A button at the head of a page that leads somewhere, for those who may."""

    title: Text
    url_name: str
    permission: str = ""
    primary: bool = True

    @property
    def url(self) -> str:
        return reverse(self.url_name)

    def open_to(self, user: Any) -> bool:
        if isinstance(user, AnonymousUser):
            return False
        return not self.permission or user.has_perm(self.permission)
