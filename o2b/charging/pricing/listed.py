"""The list price of a charge: its model, made ready once and asked often."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from o2b.charging.models.blocks import cost_of_blocks
from o2b.charging.models.calls import rate_call, unpaid
from o2b.charging.models.decked import price_decked
from o2b.charging.models.events import (
    EventsNeeded,
    charge_count,
    charge_events,
    without_included,
)
from o2b.charging.models.tiers import TierTable
from o2b.charging.terms import ChargeTerms, DeckRates, Model
from o2b.charging.usage import Event
from o2b.money import EXACT

# The single events of a quantity, or how many there were where no more is known.
Events = Sequence[Event] | int

_ZERO = Decimal(0)
_ONE = Decimal(1)
_MOST_READY = 8192


class Ready:
    """A charge made ready for pricing: its model is one of two functions."""

    __slots__ = (
        "by_event",
        "by_quantity",
        "charge",
        "included",
        "plain",
        "size",
        "started",
        "table",
        "unit_price",
    )

    def __init__(self, charge: ChargeTerms) -> None:
        self.charge = charge
        self.by_event = _BY_EVENT.get(charge.model)
        self.by_quantity = _BY_QUANTITY.get(charge.model, _flat)
        self.unit_price = charge.unit_price
        self.started = charge.conventions.started
        self.included = _ZERO if charge.allowance is None else charge.allowance.units
        self.plain = not charge.discounts and charge.minimum is None and charge.maximum is None
        self.size = charge.package_size or _ONE
        percent = charge.model is Model.GRADUATED_PERCENTAGE
        self.table = TierTable(charge.tiers, self.started, percent=percent)


ByQuantity = Callable[[Ready, Decimal, Decimal | None], Decimal]
ByEvent = Callable[[Ready, Decimal, Events, Decimal | None], Decimal]

_ready: dict[int, Ready] = {}


def ready(charge: ChargeTerms) -> Ready:
    """The charge made ready; found by identity, for its many fields are slow to hash."""
    found = _ready.get(id(charge))
    if found is None or found.charge is not charge:
        if len(_ready) >= _MOST_READY:
            _ready.clear()
        found = _ready[id(charge)] = Ready(charge)  # keeps the charge, so its id stays its own
    return found


def list_price(
    charge: ChargeTerms,
    quantity: Decimal,
    events: Events = (),
    *,
    included: Decimal | None = None,
    tier_quantity: Decimal | None = None,
) -> Decimal:
    """Before discounts and bounds; the formulas stand with each model.

    `included`: units that cost nothing (None: the charge's own allowance), taken off first.
    `tier_quantity` chooses the tier of a volume or stair-step price in place of the quantity.
    Where events are priced one by one and none is told, the quantity is one event.
    """
    return listed(ready(charge), quantity, events, included, tier_quantity)


def listed(
    ready: Ready,
    quantity: Decimal,
    events: Events,
    included: Decimal | None,
    tier_quantity: Decimal | None,
) -> Decimal:
    """The list price of a charge made ready."""
    if ready.by_event is not None:
        return ready.by_event(ready, quantity, events, included)
    free = ready.included if included is None else included
    if free:
        quantity = payable(quantity, free)
    return ready.by_quantity(ready, quantity, tier_quantity)


def payable(quantity: Decimal, included: Decimal) -> Decimal:
    """The quantity less what is included, not below zero unless it was."""
    if quantity <= included:
        return min(quantity, _ZERO)
    return EXACT.subtract(quantity, included)


def single_events(quantity: Decimal, events: Events) -> Sequence[Event]:
    """The events; a quantity without any is one event."""
    if isinstance(events, int):
        raise EventsNeeded("a count does not tell the single events")
    if events or not quantity:
        return events
    return (Event(quantity),)


def _flat(ready: Ready, _: Decimal, __: Decimal | None) -> Decimal:
    """The unit price, whatever the quantity. Sources: Kill Bill (recurring), OpenMeter (flat)."""
    return ready.unit_price


def _per_unit(ready: Ready, quantity: Decimal, _: Decimal | None) -> Decimal:
    """Unit price × quantity. Sources: Lago (standard), OpenMeter (unit), Stripe (per unit)."""
    return EXACT.multiply(ready.unit_price, quantity)


def _package(ready: Ready, quantity: Decimal, _: Decimal | None) -> Decimal:
    """Unit price × started packages: ⌈quantity ÷ package size⌉ (Lago, OpenMeter, Chargebee)."""
    return cost_of_blocks(ready.unit_price, quantity, ready.size, ready.started)


def _graduated(ready: Ready, quantity: Decimal, _: Decimal | None) -> Decimal:
    return ready.table.graduated(quantity)


def _volume(ready: Ready, quantity: Decimal, tier_quantity: Decimal | None) -> Decimal:
    return ready.table.volume(quantity, tier_quantity)


def _stairstep(ready: Ready, quantity: Decimal, tier_quantity: Decimal | None) -> Decimal:
    return ready.table.stairstep(quantity if tier_quantity is None else tier_quantity)


def _percentage(
    ready: Ready, quantity: Decimal, events: Events, included: Decimal | None
) -> Decimal:
    """Percent of the quantity (a value), or of each event by its rates."""
    charge = ready.charge
    free = ready.included if included is None else included
    if charge.event is None:
        value = payable(quantity, free)
        return EXACT.multiply(charge.unit_price, value).scaleb(-2, context=EXACT)
    if isinstance(events, int):
        if free:
            raise EventsNeeded("which events are included needs the events themselves")
        return charge_count(charge.unit_price, charge.event, quantity, events)
    told = single_events(quantity, events)
    if free:
        told = without_included(told, free)
    values = [event.value for event in told]
    total = _ZERO
    for each in charge_events(charge.unit_price, charge.event, values):
        total = EXACT.add(total, each.amount)
    return total


def _rated(ready: Ready, quantity: Decimal, events: Events, _: Decimal | None) -> Decimal:
    """Each call by its seconds, less those prepaid; by a deck only those that are told."""
    total = _ZERO
    rates = ready.charge.call
    if isinstance(rates, DeckRates):
        if isinstance(events, int):
            raise EventsNeeded("a count does not tell which numbers were called")
        return price_decked(rates, events, started=ready.started)
    if rates is not None:
        for event in single_events(quantity, events):
            call = rate_call(rates, event.value, event.at, started=ready.started)
            total = EXACT.add(total, unpaid(call, event.covered))
    return total


_BY_QUANTITY: dict[Model, ByQuantity] = {
    Model.FLAT: _flat,
    Model.PER_UNIT: _per_unit,
    Model.PACKAGE: _package,
    Model.GRADUATED: _graduated,
    Model.GRADUATED_PERCENTAGE: _graduated,
    Model.VOLUME: _volume,
    Model.STAIRSTEP: _stairstep,
}
_BY_EVENT: dict[Model, ByEvent] = {Model.PERCENTAGE: _percentage, Model.RATED: _rated}
