"""The basis of a line as JSON: written when it is drafted, read when it is computed again.

    {"v": 1, "pieces": [[quantity, first day, first day outside], …],
     "before": amount,                     what earlier revisions billed, if there are such
     "usage": {"quantity", "covered", "available", "own", "prepaid",
               "events": [[how many, value, moment, rate, covered], …],
               "rates": [[rate, per_seconds, connect_fee, first, next, prefix, destination], …]},
     "part": [percent before it, percent with it, of],      where several pay; o2b.charging.sharing
     "delivered": [how much of each piece, …],              where not all of each was there
     "paid": [number of a piece, …]}          where these were paid whole, as another charge

Numbers are texts. What is missing or None is left out. Only prices that look at single events keep
them. Of calls whose price does not hang on the time of day equal ones are counted; elsewhere those
that follow each other, for which of them come first may matter.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from itertools import chain, repeat
from typing import Any, NamedTuple

from o2b.charging import ChargeTerms, DeckRate, Event, Model
from o2b.charging.basis import Basis, UsageBasis
from o2b.charging.sharing import Part
from o2b.periods import Period

VERSION = 1
_written = json.JSONEncoder(separators=(",", ":")).encode  # made once: making it costs more
_ZERO = Decimal(0)


class BasisUnreadable(ValueError):
    """A basis that says something else than this page knows."""


class Counted(NamedTuple):
    """So many equal events, one after the other or wherever that does not matter."""

    times: int
    event: Event


class Stored(NamedTuple):
    """A basis as it was kept: that of drafting, its events counted."""

    basis: Basis
    events: tuple[Counted, ...] = ()


def basis_text(basis: Basis, terms: ChargeTerms) -> str:
    """The JSON of a basis, as short as it may be."""
    told: dict[str, Any] = {"v": VERSION}
    if basis.pieces:
        told["pieces"] = [[_text(q), str(days.start), str(days.end)] for q, days in basis.pieces]
    if basis.before is not None:
        told["before"] = _text(basis.before)
    if basis.usage is not None:
        told["usage"] = _usage(basis.usage, terms)
    if basis.part is not None and basis.whole is not None:
        told["part"] = [_text(each) for each in (*basis.part, basis.whole)]
    if basis.delivered:
        told["delivered"] = [_text(each) for each in basis.delivered]
    if basis.paid:
        told["paid"] = list(basis.paid)
    return _written(told)


def _usage(usage: UsageBasis, terms: ChargeTerms) -> dict[str, Any]:
    told: dict[str, Any] = {"quantity": _text(usage.quantity)}
    for name in ("covered", "available", "own"):
        value = getattr(usage, name)
        if value is not None:
            told[name] = _text(value)
    if usage.prepaid:
        told["prepaid"] = _text(usage.prepaid)
    if usage.events and looks_at_events(terms):
        rates: dict[int, tuple[int, DeckRate]] = {}
        told["events"] = [
            _event(each, rates) for each in counted(usage.events, in_order=_in_order(terms))
        ]
        if rates:
            told["rates"] = [_rate(rate) for _, rate in rates.values()]
    return told


def looks_at_events(terms: ChargeTerms) -> bool:
    """Whether its price is that of single events, not of their sum."""
    return terms.model is Model.RATED or (
        terms.model is Model.PERCENTAGE and terms.event is not None
    )


def _in_order(terms: ChargeTerms) -> bool:
    """Whether more than value, rate and what is covered decides what an event costs."""
    return terms.call is None or len(terms.call.windows) > 1


def counted(events: Iterable[Event], *, in_order: bool) -> Sequence[Counted]:
    """Equal events as one with their number; moments are left out where they do not count."""
    if in_order:
        return list(_runs(events))
    told = list(events)
    rates = {id(event.rate): event.rate for event in told}
    # By identity: a million calls have few rates, and their many fields are slow to hash.
    found = Counter((value, id(rate), covered) for value, _, rate, covered in told)
    return [
        Counted(times, Event(value, None, rates[rate], covered))
        for (value, rate, covered), times in found.items()
    ]


def _runs(events: Iterable[Event]) -> Iterator[Counted]:
    count, last = 0, None
    for event in events:
        if count and event == last:
            count += 1
            continue
        if last is not None:
            yield Counted(count, last)
        count, last = 1, event
    if last is not None:
        yield Counted(count, last)


def _event(each: Counted, rates: dict[int, tuple[int, DeckRate]]) -> list[Any]:
    value, at, rate, covered = each.event
    number = None
    if isinstance(rate, DeckRate):
        number = rates.setdefault(id(rate), (len(rates), rate))[0]
    more = [at and at.isoformat(), number, _text(covered) if covered else None]
    while more and more[-1] is None:
        more.pop()
    return [each.times, _text(value), *more]


def _rate(rate: DeckRate) -> list[Any]:
    return [
        _text(rate.rate),
        rate.per_seconds,
        _text(rate.connect_fee),
        rate.first_seconds,
        rate.next_seconds,
        rate.prefix,
        rate.destination,
    ]


def read_basis(told: Any) -> Stored:
    """What was kept of a line; BasisUnreadable for what this version did not write."""
    try:
        if told["v"] != VERSION:
            raise BasisUnreadable(f"version {told['v']} of a basis")
        pieces = tuple(
            (Decimal(quantity), Period(date.fromisoformat(start), date.fromisoformat(end)))
            for quantity, start, end in told.get("pieces", ())
        )
        usage: UsageBasis | None = None
        events: tuple[Counted, ...] = ()
        if "usage" in told:
            usage, events = _read_usage(told["usage"])
        *part, whole = map(Decimal, told.get("part", ("0",)))
        basis = Basis(pieces, _number(told, "before"), usage)
        if part:
            basis = basis._replace(part=Part(*part), whole=whole)
        delivered = tuple(map(Decimal, told.get("delivered", ())))
        basis = basis._replace(delivered=delivered, paid=tuple(map(int, told.get("paid", ()))))
        return Stored(basis, events)
    except (KeyError, TypeError, ValueError, AttributeError, InvalidOperation) as exc:
        raise BasisUnreadable(f"{type(exc).__name__}: {exc}") from exc


def told_before(told: Any) -> Decimal | None:
    """What a basis says that was billed before; None if it says nothing that can be read."""
    try:
        return _number(told, "before")
    except (TypeError, ValueError, InvalidOperation):
        return None


def _read_usage(told: dict[str, Any]) -> tuple[UsageBasis, tuple[Counted, ...]]:
    rates = [_read_rate(*each) for each in told.get("rates", ())]
    events = tuple(_read_event(rates, *each) for each in told.get("events", ()))
    usage = UsageBasis(
        Decimal(told["quantity"]),
        tuple(chain.from_iterable(repeat(each.event, each.times) for each in events)),
        _number(told, "covered"),
        _number(told, "available"),
        _number(told, "own"),
        _number(told, "prepaid") or _ZERO,
    )
    return usage, events


def _read_event(
    rates: Sequence[DeckRate],
    count: int,
    value: str,
    at: str | None = None,
    rate: int | None = None,
    covered: str | None = None,
) -> Counted:
    moment = datetime.fromisoformat(at) if at else None
    deck = None if rate is None else rates[rate]
    return Counted(count, Event(Decimal(value), moment, deck, Decimal(covered or 0)))


def _read_rate(
    rate: str, per: int, fee: str, first: int, then: int, prefix: str, destination: str
) -> DeckRate:
    return DeckRate(Decimal(rate), per, Decimal(fee), first, then, prefix, destination)


def _number(told: dict[str, Any], name: str) -> Decimal | None:
    return Decimal(told[name]) if name in told else None


def _text(value: Decimal) -> str:
    return str(value)
