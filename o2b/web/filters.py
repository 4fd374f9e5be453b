"""Filters of a list that live in its address: a choice, a day or a word, each by its own name."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from django.db.models import QuerySet
from django.http import HttpRequest

from o2b.web.columns import Text
from o2b.web.show import day_text

Choices = Iterable[tuple[Any, Text]]
LONGEST = 100


@dataclass(frozen=True)
class Filter:
    """One filter: `?name=value`; what its value does to the rows is a look-up or a function.

    A `choice` takes what `choices` offer, a sequence or a function of the request; a `day` takes
    YYYY-MM-DD; a `word` anything. What is unknown is ignored, as everywhere in an address.
    `unasked` says what is shown where nothing is chosen, if that is not all.
    """

    name: str
    title: Text
    lookup: str | Callable[[QuerySet[Any], Any], QuerySet[Any]]
    choices: Choices | Callable[[HttpRequest], Choices] = ()
    kind: Literal["choice", "day", "word"] = "choice"
    unasked: Text = ""

    def of(self, request: HttpRequest) -> "Asked":
        """The filter as this request asks it."""
        told = request.GET.get(self.name, "").replace("\0", "").strip()[:LONGEST]
        options = self._options(request) if self.kind == "choice" else ()
        return Asked(self, self._known(told, options), options)

    def _options(self, request: HttpRequest) -> tuple[tuple[str, Text], ...]:
        offered = self.choices(request) if callable(self.choices) else self.choices
        return tuple((str(value), label) for value, label in offered)

    def _known(self, told: str, options: Sequence[tuple[str, Text]]) -> str:
        match self.kind:
            case "choice":
                return told if any(told == value for value, label in options) else ""
            case "day":
                return told if _day(told) else ""
        return told


@dataclass(frozen=True)
class Asked:
    """A filter with what was asked of it; empty where nothing was."""

    filter: Filter
    value: str
    options: Sequence[tuple[str, Text]] = ()

    def apply(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value:
            return rows
        value = _day(self.value) if self.filter.kind == "day" else self.value
        lookup = self.filter.lookup
        return lookup(rows, value) if callable(lookup) else rows.filter(**{lookup: value})

    @property
    def shown(self) -> Text:
        """The value in words."""
        if self.filter.kind == "day":
            return day_text(_day(self.value))
        return next((label for value, label in self.options if value == self.value), self.value)


@dataclass(frozen=True)
class Narrowed:
    """A filter that is in force, and the address without it."""

    title: Text
    shown: Text
    href: str


def _day(told: str) -> date | None:
    try:
        return date.fromisoformat(told) if len(told) == 10 else None
    except ValueError:
        return None
