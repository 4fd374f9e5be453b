"""Whether a meter keeps what a price looks at: each event by itself, and the time of the day."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from o2b.catalog.rules.books import BookRow, RowFault
from o2b.catalog.rules.faults import gettext_noop as _
from o2b.charging import Aggregation
from o2b.charging.terms import ChargeTerms, DeckRates, EventRates, Kind, Model

NOT_EACH = _(
    "%(product)s, %(key)s prices single events, and meter %(meter)s keeps only totals of them:"
    " measure it by a meter that counts each event by itself."
)
NOT_TIMED = _(
    "%(product)s, %(key)s hangs on the time of each event, and meter %(meter)s does not keep it on"
    " every day from %(day)s on: publish a version of the meter that does, and let prices begin"
    " no earlier."
)


class Kept(NamedTuple):
    """How a meter adds up, and whether it keeps each event's time on every day asked about."""

    aggregation: Aggregation
    timed: bool


def needs_each(charge: ChargeTerms) -> bool:
    """Whether a total of a day would cost something else than its events do.

    Calls are rounded and opened one by one; so are fees, bounds and free ones of an event. Percent
    of a value beyond a free amount is the same of a total.
    """
    if charge.kind is not Kind.USAGE:
        return False
    if charge.model is Model.RATED:
        return True
    event = charge.event
    return event is not None and bool(_by_event(event) or event.free_events)


def needs_time(charge: ChargeTerms) -> bool:
    """Whether the order or the time of events changes what they cost.

    Windows of the day do; and which events are free, where each costs something of its own.
    """
    if charge.kind is not Kind.USAGE:
        return False
    if charge.call is not None:
        return len(charge.call.windows) > 1
    event = charge.event
    if event is None:
        return False
    some_free = bool(event.free_amount or charge.allowance)
    return bool(event.free_events) or (some_free and _by_event(event))


def _by_event(event: EventRates) -> bool:
    return bool(event.fee) or event.minimum is not None or event.maximum is not None


def looked_at(rows: Sequence[BookRow]) -> set[str]:
    """The meters of prices that look at single events."""
    return {row.charge.meter_code for row in rows if needs_each(row.charge)}


def faults_of_carrying(
    rows: Sequence[BookRow], meters: Mapping[str, Kept], since: date
) -> Iterator[RowFault]:
    """Prices of single events by a meter that does not tell them; `since` is their first day."""
    for row in rows:
        charge = row.charge
        kept = meters.get(charge.meter_code)
        if kept is None:
            continue
        told = {"meter": charge.meter_code}
        if needs_each(charge) and kept.aggregation is not Aggregation.EACH:
            if not isinstance(charge.call, DeckRates):  # whose number no such meter has
                yield row.fault("details.meter", NOT_EACH, **told)
        elif needs_time(charge) and not kept.timed:
            yield row.fault("details.meter", NOT_TIMED, **told, day=since)
