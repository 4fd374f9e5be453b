"""The arithmetic behind a price, line by line."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import ROUND_DOWN, Decimal
from itertools import islice
from typing import NamedTuple

from o2b.charging.models.blocks import cost_of_blocks, started_blocks
from o2b.charging.models.calls import rate_call, unpaid
from o2b.charging.models.decked import rate_decked
from o2b.charging.models.events import charge_events, without_included
from o2b.charging.models.tiers import Row, TierTable
from o2b.charging.pricing.adjustments import discounted, less
from o2b.charging.pricing.listed import Events, Ready, listed, payable, ready, single_events
from o2b.charging.terms import (
    DECIMALS,
    AdjustmentOrder,
    ChargeTerms,
    DeckRates,
    Discount,
    DiscountKind,
    Model,
    Started,
    decimals,
    plain,
)
from o2b.charging.usage import Event
from o2b.money import EXACT, ROUNDING, sum_of

_ZERO = Decimal(0)
_SHOWN = Decimal(1).scaleb(-DECIMALS)

# Every label that a step may carry, for the translators.
LABELS = (
    "flat",
    "per unit",
    "included",
    "tier",
    "tier fee",
    "step",
    "package",
    "percentage",
    "event",
    "event fees",
    "free event",
    "call",
    "further",
    "sum",
    "discount",
    "surcharge",
    "not below zero",
    "minimum",
    "maximum",
)


class Step(NamedTuple):
    """One line of the arithmetic behind a price; `result` is an amount of money."""

    label: str
    arithmetic: str
    result: Decimal


def explain(
    charge: ChargeTerms,
    quantity: Decimal,
    events: Events = (),
    *,
    included: Decimal | None = None,
    tier_quantity: Decimal | None = None,
) -> tuple[Step, ...]:
    """The price step by step; the last result is what `price` returns.

    Lines of one list price stand alone and are summed; from there on each line goes on with the
    result before it.
    """
    parts = explain_list(charge, quantity, events, included=included, tier_quantity=tier_quantity)
    total = listed(ready(charge), quantity, events, included, tier_quantity)
    return (*parts, *_adjustments(charge, total))


def explain_list(
    charge: ChargeTerms,
    quantity: Decimal,
    events: Events = (),
    *,
    included: Decimal | None = None,
    tier_quantity: Decimal | None = None,
    most: int | None = None,
) -> tuple[Step, ...]:
    """The list price step by step, before discounts and bounds; the last result is all of it.

    Of very many events only the first `most` lines are told, and one that holds the others.
    """
    made = ready(charge)
    total = listed(made, quantity, events, included, tier_quantity)
    free = made.included if included is None else included
    steps = _parts(made, quantity, events, free, tier_quantity)
    parts = list(steps if most is None else islice(steps, most + 1))
    if most is not None and len(parts) > most:
        shown = sum_of(part.result for part in parts[:most])
        parts[most:] = [Step("further", "…", EXACT.subtract(total, shown))]
    if sum(part.label != "included" for part in parts) != 1:
        parts.append(Step("sum", sum_words(part.result for part in parts), total))
    return tuple(parts)


def sum_words(results: Iterable[Decimal]) -> str:
    """The results of steps as a sum."""
    terms = " + ".join(told(each) for each in results if each) or "0"
    return terms.replace("+ -", "− ")


def _parts(
    made: Ready, quantity: Decimal, events: Events, free: Decimal, tier_quantity: Decimal | None
) -> Iterator[Step]:
    """The lines of the list price; they add up to it."""
    charge = made.charge
    unit = plain(charge.unit_price)
    if charge.model is Model.FLAT:
        yield Step("flat", unit, charge.unit_price)
        return
    if charge.model is Model.RATED:
        if isinstance(charge.call, DeckRates) and not isinstance(events, int):
            yield from _calls(charge, events)
        else:
            yield from _calls(charge, single_events(quantity, events))
        return
    if free and quantity > 0:
        yield Step("included", f"{plain(min(free, quantity))} × 0", _ZERO)
    if charge.model is Model.PERCENTAGE:
        yield from _percentages(charge, quantity, events, free)
        return
    left = payable(quantity, free) if free else quantity
    if charge.model is Model.PER_UNIT:
        amount = EXACT.multiply(charge.unit_price, left)
        yield Step("per unit", f"{unit} × {plain(left)}", amount)
    elif charge.model is Model.PACKAGE:
        yield Step("package", *_blocks(charge, charge.unit_price, left, charge.package_size))
    else:
        yield from _tiers(charge, made.table, left, tier_quantity)


def _tiers(
    charge: ChargeTerms, table: TierTable, quantity: Decimal, tier_quantity: Decimal | None
) -> Iterator[Step]:
    chosen = quantity if tier_quantity is None else tier_quantity
    if charge.model is Model.STAIRSTEP:
        fee = table.stairstep(chosen)
        yield Step("step", plain(fee), fee)
    elif charge.model is Model.VOLUME:
        yield from _tier(charge, table, table.rows[table.index(chosen)], quantity)
    else:
        last = table.index(quantity)
        for i, row in enumerate(table.rows[: last + 1]):
            upper = quantity if i == last else table.rows[i + 1].lower
            yield from _tier(charge, table, row, EXACT.subtract(upper, row.lower))


def _tier(charge: ChargeTerms, table: TierTable, row: Row, units: Decimal) -> Iterator[Step]:
    """The units within a tier, and its flat fee."""
    if table.percent:
        percent = plain(row.unit_price.scaleb(2, context=EXACT))
        yield Step("tier", f"{percent} % × {plain(units)}", table.part(row, units))
    else:
        yield Step("tier", *_blocks(charge, row.unit_price, units, row.block))
    if row.flat_fee:
        yield Step("tier fee", plain(row.flat_fee), row.flat_fee)


def _blocks(
    charge: ChargeTerms, unit_price: Decimal, quantity: Decimal, size: Decimal | None
) -> tuple[str, Decimal]:
    """Arithmetic and result of units, or of blocks of them."""
    unit = plain(unit_price)
    if size is None:
        return f"{unit} × {plain(quantity)}", EXACT.multiply(unit_price, quantity)
    started = charge.conventions.started
    amount = cost_of_blocks(unit_price, quantity, size, started)
    if started is Started.SHARE:
        return f"{unit} × {plain(quantity)} / {plain(size)}", amount
    count = plain(started_blocks(quantity, size, started))
    return f"{unit} × {count} ({plain(quantity)} / {plain(size)})", amount


def _percentages(
    charge: ChargeTerms, quantity: Decimal, events: Events, free: Decimal
) -> Iterator[Step]:
    percent = plain(charge.unit_price)
    rates = charge.event
    if rates is None or isinstance(events, int):
        value = payable(quantity, free)
        amount = EXACT.multiply(charge.unit_price, value).scaleb(-2, context=EXACT)
        yield Step("percentage", f"{percent} % × {plain(value)}", amount)
        if rates is not None and isinstance(events, int) and quantity:
            fees = EXACT.multiply(rates.fee, Decimal(events))
            yield Step("event fees", f"{plain(rates.fee)} × {events}", fees)
        return
    single = single_events(quantity, events)
    if free:
        single = without_included(single, free)
    for each in charge_events(charge.unit_price, rates, [event.value for event in single]):
        if each.is_free:
            yield Step("free event", f"{plain(each.value)} × 0", _ZERO)
            continue
        said = plain(each.value)
        base = f"({said} − {plain(each.free)})" if each.free else said
        fee = f" + {plain(rates.fee)}" if rates.fee else ""
        text = f"{percent} % × {base}{fee}"
        if rates.minimum is not None and each.amount == rates.minimum:
            text = f"max({text}, {plain(rates.minimum)})"
        elif rates.maximum is not None and each.amount == rates.maximum:
            text = f"min({text}, {plain(rates.maximum)})"
        yield Step("event", text, each.amount)


def _calls(charge: ChargeTerms, events: Sequence[Event]) -> Iterator[Step]:
    if charge.call is None:
        return
    for event in events:
        started = charge.conventions.started
        if isinstance(charge.call, DeckRates):
            _, call = rate_decked(charge.call, event, started=started)
        else:
            call = rate_call(charge.call, event.value, event.at, started=started)
        legs = [
            f"{plain(leg.slot.rate)} × {plain(leg.billed)} / {leg.slot.per_seconds}"
            for leg in call.legs
        ]
        if event.covered:
            left = max(EXACT.subtract(call.billed_seconds, event.covered), _ZERO)
            legs = [f"({' + '.join(legs)}) × {plain(left)} / {plain(call.billed_seconds)}"]
        fees = [plain(call.connect_fee)] if call.connect_fee else []
        amount = unpaid(call, event.covered)
        yield Step("call", " + ".join(fees + legs) if amount else "0", amount)


def _adjustments(charge: ChargeTerms, total: Decimal) -> Iterator[Step]:
    """Discounts and bounds in the order that the conventions say."""
    if charge.conventions.order is AdjustmentOrder.DISCOUNT_FIRST:
        yield from _discounts(charge, total)
        yield from _bounds(charge, discounted(charge, total))
    else:
        bounds = list(_bounds(charge, total))
        yield from bounds
        yield from _discounts(charge, bounds[-1].result if bounds else total)


def _discounts(charge: ChargeTerms, listed: Decimal) -> Iterator[Step]:
    left = listed
    for discount in charge.discounts:
        before, left = left, less(left, discount)
        label = "surcharge" if discount.value < 0 else "discount"
        yield Step(label, _arithmetic(before, discount), left)
    final = discounted(charge, listed)
    if final != left:
        yield Step("not below zero", f"max({told(left)}, 0)", final)


def _bounds(charge: ChargeTerms, left: Decimal) -> Iterator[Step]:
    if charge.minimum is not None and left < charge.minimum:
        yield Step("minimum", f"max({told(left)}, {plain(charge.minimum)})", charge.minimum)
    elif charge.maximum is not None and left > charge.maximum:
        yield Step("maximum", f"min({told(left)}, {plain(charge.maximum)})", charge.maximum)


def _arithmetic(before: Decimal, discount: Discount) -> str:
    sign = "+" if discount.value < 0 else "−"
    value = plain(abs(discount.value))
    suffix = " %" if discount.kind is DiscountKind.PERCENT else ""
    return f"{told(before)} {sign} {value}{suffix}"


def told(value: Decimal) -> str:
    """As plain as a price; of a quotient twelve decimals and the sign that more follow."""
    if decimals(value) <= DECIMALS:
        return plain(value)
    return plain(value.quantize(_SHOWN, ROUND_DOWN, context=ROUNDING)) + "…"
