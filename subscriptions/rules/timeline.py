"""From facts to spans: what a service was on each day, whatever order its facts came in.

The facts are taken by their days, not by their arrival, so that a backdated change, a future one
and one told twice late end in the same spans, and so in the same money.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from o2b.periods import FOREVER, Period
from subscriptions.rules.facts import Act, Billing, Fact, standing_facts

WHOLE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Span:
    """Some days of a service on which nothing changes.

    `leg` counts the accounts that had it, from 0; `opens` says that its Terms hold here for the
    first time, so that what they cost once is owed; `line` is the order line that describes it,
    `described` what does (as JSON), where changes of other days say a part of that. Of the quantity
    so much is `delivered`.
    """

    leg: int
    account: int
    period: Period
    product_version: int
    terms: int
    quantity: Decimal
    in_use: bool
    billed: bool
    opens: bool
    line: int
    described: str | None = None
    delivered: Decimal = WHOLE


@dataclass(slots=True)
class _State:
    leg: int
    account: int
    product_version: int
    terms: int
    quantity: Decimal
    line: int = 0
    delivered: Decimal = WHOLE
    suspended: Billing | None = None
    fee: int | None = None


def spans_of(facts: Iterable[Fact]) -> list[Span]:
    """The spans of a service, oldest first, without gap or overlap, the last one open or ended.

    >>> from decimal import Decimal as D
    >>> day = date(2026, 1, 1)
    >>> start = Fact(1, Act.START, day, 7, 70, D(1), account=5)
    >>> more = Fact(2, Act.QUANTITY, date(2026, 3, 1), quantity=D(4))
    >>> [(s.period.start.month, int(s.quantity)) for s in spans_of([more, start])]
    [(1, 1), (3, 4)]
    """
    ordered = standing_facts(list(facts))
    first = ordered[0]
    if first.act is not Act.START:
        raise ValueError("the first fact of a service is its start")
    found: list[Span] = []
    state, began = _started(first), first.on
    opened: set[int] = set()
    for fact in [*ordered[1:], Fact(0, Act.WITHDRAW, FOREVER)]:
        if fact.on > began:
            found.append(_span(state, Period(began, fact.on), opened))
            began = fact.on
        if fact.act is Act.END:
            break
        _apply(state, fact)
    return _joined(found)


def _started(fact: Fact) -> _State:
    if not (fact.product_version and fact.terms and fact.quantity and fact.account):
        raise ValueError("a start names version, Terms, quantity and account")
    start = (fact.account, fact.product_version, fact.terms, fact.quantity)
    return _State(0, *start, line=fact.line or 0)


def _apply(state: _State, fact: Fact) -> None:
    if fact.product_version is not None:
        state.product_version = fact.product_version
    if fact.quantity is not None:
        state.quantity = fact.quantity
    state.line = fact.line or state.line
    state.delivered = fact.delivered or state.delivered
    match fact.act:
        case Act.TERMS if fact.terms is not None:
            state.terms = fact.terms
        case Act.SUSPEND:
            state.suspended, state.fee = fact.billing or Billing.NONE, fact.terms
        case Act.RESUME:
            state.suspended = state.fee = None
        case Act.TRANSFER if fact.account is not None:
            state.leg, state.account = state.leg + 1, fact.account


def _span(state: _State, period: Period, opened: set[int]) -> Span:
    terms = state.terms
    if state.suspended is Billing.FEE and state.fee is not None:
        terms = state.fee
    billed = state.suspended is not Billing.NONE
    opens = billed and terms not in opened
    if opens:
        opened.add(terms)
    return Span(
        leg=state.leg,
        account=state.account,
        period=period,
        product_version=state.product_version,
        terms=terms,
        quantity=state.quantity,
        in_use=state.suspended is None,
        billed=billed,
        opens=opens,
        line=state.line,
        delivered=state.delivered,
    )


def _joined(spans: list[Span]) -> list[Span]:
    """Neighbours that differ in nothing are one span: a change to what was already is none."""
    found: list[Span] = []
    for span in spans:
        before = found[-1] if found else None
        if before is not None and _what(before) == _what(span):
            found[-1] = replace(before, period=Period(before.period.start, span.period.end))
        else:
            found.append(span)
    return found


def _what(span: Span) -> tuple[object, ...]:
    return (
        *(span.leg, span.account, span.product_version, span.terms),
        *(span.quantity, span.in_use, span.billed, span.line, span.delivered),
    )


def span_on(spans: Iterable[Span], day: date) -> Span | None:
    """What the service is on a day; None before its start and once it has ended."""
    return next((s for s in spans if s.period.start <= day < s.period.end), None)
