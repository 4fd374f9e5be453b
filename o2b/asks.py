"""Questions that travel up the staircase by name: doors ask, stages answer, nobody imports."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.module_loading import import_string

from o2b.charging import Grant


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


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a page that another stage knows: its template, and the `part` that it shows."""

    template: str
    part: Any


@dataclass(frozen=True, slots=True)
class Affected:
    """One thing that a new version of a price book touches, or not, and why.

    `before` and `after` are what a full period costs, all its charges but usage together.
    """

    kind: str  # quote | order | subscription | contract | run
    title: str
    url: str
    affected: bool
    reason: str
    before: Decimal | None = None
    after: Decimal | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Impact:
    """All things of one kind that are touched for one reason, or not: how many, and the first."""

    kind: str
    title: str
    affected: bool
    reason: str
    total: int
    examples: Sequence[Affected] = ()


@dataclass(frozen=True, slots=True)
class Holding:
    """So many of a product that an account has, or that are on their way to it."""

    product: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class BilledSoFar:
    """How far one charge of an item has been billed, by full period and segment.

    `segments` are (period start, segment, highest revision, amount so far, period end, percent of
    tax, tax so far, whether all of it was reversed, the first day that no bill of it reached).
    """

    item_id: int
    account_id: int
    terms_id: int
    key: str
    through: date | None
    segments: Sequence[
        tuple[date, int, int, Decimal, date, Decimal, Decimal, bool, date | None]
    ] = ()


@dataclass(frozen=True, slots=True)
class TaskKind:
    """A kind of automatic task that plans may name.

    `faults` says in sentences what is wrong with the parameters of a step.
    """

    name: str
    label: str
    faults: Callable[[Mapping[str, Any]], list[str]]
    example: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GrantWords:
    """Who says in words what a charge brings into a pool or the wallet, given if it recurs."""

    say: Callable[[Grant, bool], str]


@dataclass(frozen=True, slots=True)
class TaskQueue:
    """A queue that steps by hand may name, and what an hour of its people costs us."""

    code: str
    name: str
    hourly_rate: Decimal


@dataclass(frozen=True, slots=True)
class Standing:
    """How an account stands with us, as billing tells it; amounts in the account's currency."""

    owed: Decimal
    overdue: Decimal
    # Paid and not yet allocated to any invoice: deposits.
    credit: Decimal
    limit: Decimal | None
    has_paid_a_bill: bool
    currency: str
    # The day of its newest invoice: what was delivered before is on it.
    billed_on: date | None = None


@dataclass(frozen=True, slots=True)
class Trace:
    """Something that happened with an account and stays: in words, how often."""

    text: str


# question -> (what an answer is, who answers: a callable by dotted name)
QUESTIONS: dict[str, tuple[type, Sequence[str]]] = {
    "home_cards": (
        Card,
        (
            "o2b.catalog.asks.home_cards",
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
    # (user, key of a price book's version) -> before its publication, what will change and what not
    "affected_by_publication": (
        Impact,
        (
            "o2b.catalog.asks.affected_by_publication",
            "quotes.asks.affected_by_publication",
            "orders.asks.affected_by_publication",
            "subscriptions.asks.affected_by_publication",
            "billing.asks.affected_by_publication",
        ),
    ),
    # (key of an account): what rules of the catalog see beside what is ordered now
    # How far the charges of items have been billed; asked with their ids.
    "billed_so_far": (BilledSoFar, ("billing.asks.billed_so_far",)),
    # (key of a quote): what its changes bring to what is in service
    "quote_parts": (Part, ("subscriptions.asks.quote_parts",)),
    # (): who knows the meters that grants name; for one answer of the API
    "grant_words": (GrantWords, ("o2b.catalog.asks.grant_words",)),
    "holdings": (Holding, ("orders.asks.holdings", "subscriptions.asks.holdings")),
    # (key of an account): why it is no blank page any more, so that its days may not be mixed
    "traces": (
        Trace,
        (
            "quotes.asks.traces",
            "orders.asks.traces",
            "subscriptions.asks.traces",
            "billing.asks.traces",
        ),
    ),
    # (): what a delivery plan may name
    "task_kinds": (TaskKind, ("orders.asks.task_kinds",)),
    "task_queues": (TaskQueue, ("orders.asks.task_queues",)),
    # (key of an account): sentences on what else its closing does, before somebody closes it
    "account_closing": (str, ("billing.asks.account_closing",)),
    # (key of an account): what it owes, what is overdue, what it has paid ahead
    "account_standing": (Standing, ("billing.asks.account_standing",)),
    "order_panels": (
        Panel,
        (
            "orders.asks.order_panels",
            "subscriptions.asks.order_panels",
            "billing.asks.order_panels",
        ),
    ),
}


def ask(question: str, *args: Any) -> list[Any]:
    """Every answer of every stage, in the staircase's order; each answerer returns a list."""
    _, answerers = QUESTIONS[question]
    return [answer for name in answerers for answer in import_string(name)(*args)]


def held_by(account_id: int) -> frozenset[str]:
    """The codes of the products that an account has, or that are on their way to it."""
    return frozenset(holding.product for holding in ask("holdings", account_id))
