"""Questions that travel up the staircase by name: doors ask, stages answer, nobody imports."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.module_loading import import_string


@dataclass(frozen=True, slots=True)
class Card:
    """A figure on somebody's home: what, how much, where to go."""

    title: str
    value: str
    url: str
    tone: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """One hit of the search at the top of every page."""

    kind: str
    title: str
    url: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of a page that another stage renders: its heading and the URL name with its key."""

    title: str
    url: str


# question -> (what an answer is, who answers: a callable by dotted name)
QUESTIONS: dict[str, tuple[type, Sequence[str]]] = {
    "home_cards": (
        Card,
        (
            "quotes.asks.home_cards",
            "orders.asks.home_cards",
            "subscriptions.asks.home_cards",
            "billing.asks.home_cards",
        ),
    ),
    "search": (
        Found,
        (
            "o2b.customers.asks.search",
            "o2b.catalog.asks.search",
            "quotes.asks.search",
            "orders.asks.search",
            "subscriptions.asks.search",
            "billing.asks.search",
        ),
    ),
    "account_panels": (
        Panel,
        (
            "o2b.catalog.asks.account_panels",
            "quotes.asks.account_panels",
            "orders.asks.account_panels",
            "subscriptions.asks.account_panels",
            "billing.asks.account_panels",
        ),
    ),
    "order_panels": (Panel, ("subscriptions.asks.order_panels", "billing.asks.order_panels")),
}


def ask(question: str, *args: Any) -> list[Any]:
    """Every answer of every stage, in the staircase's order; each answerer returns a list."""
    _, answerers = QUESTIONS[question]
    return [answer for name in answerers for answer in import_string(name)(*args)]
