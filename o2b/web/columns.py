"""The parts of a list: columns and what they make of a row, heads that sort, chips, actions."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from html import escape
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
    `note` a path or function for the quiet second line, `note_link` where that leads; `currency`
    one for money;
    `label` and `tone` for a badge whose state is not in `o2b.web.states`; `may_be_empty` for a day
    or moment that many rows lack: those stand last, whichever way they are sorted; `figures` for
    a text that is read as a number: it stands right.
    """

    name: str
    title: Text
    value: Reader | None = None
    sort: str | Sequence[str] | None = None
    kind: Kind = "text"
    currency: Reader | None = None
    link: Reader | bool = False
    note: Reader | None = None
    note_link: Reader | None = None
    label: Reader | None = None
    tone: Reader | None = None
    may_be_empty: bool = False
    figures: bool = False

    @property
    def align(self) -> str:
        return "r" if self.figures or self.kind in {"number", "money"} else ""

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

    def inner_html(self, row: Any) -> str:
        """What stands in its cell of the row."""
        text = _safe(self.shown(row))
        if url := self.address(row):
            text = f'<a href="{escape(url)}">{text}</a>'
        note = read(row, self.note) if self.note else None
        if not note:
            return text
        note = _safe(note)
        if self.note_link:
            note = f'<a class="quiet" href="{escape(read(row, self.note_link))}">{note}</a>'
        return f"{text} <small>{note}</small>"


def _safe(text: Any) -> str:
    return text.__html__() if hasattr(text, "__html__") else escape(str(text))


@dataclass(frozen=True)
class Row:
    """One row, ready to be shown; templates of one's own find the object as `source`."""

    source: Any
    html: SafeString

    @classmethod
    def all_of(cls, columns: Sequence[Column], rows: Iterable[Any]) -> "list[Row]":
        """The rows of a page; here, because a template takes five times as long over its cells."""
        tags = [_tags(column, is_head=n == 0) for n, column in enumerate(columns)]
        return [
            cls(
                row,
                SafeString(
                    "".join(
                        f"{before}{column.inner_html(row)}{after}"
                        for column, (before, after) in zip(columns, tags, strict=True)
                    )
                ),
            )
            for row in rows
        ]


def _tags(column: Column, *, is_head: bool) -> tuple[str, str]:
    """The tags of a column's cells; the first of a row is its head."""
    kind = f"k-{column.kind}"
    if is_head:
        return f'<th scope="row" role="rowheader" class="{kind}">', "</th>"
    css = f"{kind} {column.align}".strip()
    return f'<td role="cell" class="{css}" data-label="{escape(str(column.title))}">', "</td>"


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
