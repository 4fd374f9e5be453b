"""What a service that runs pays from a day on: an uplift, or another price, and nothing once again.

Set-up fees were paid when it began, and trials and first steps of a price are for who begins: a
renewal and a new version of a book bring none of them back.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from o2b.charging import CallRates, ChargeTerms, Kind, LineTerms, Tier
from o2b.charging.ramps import step_day
from o2b.money import EXACT

HUNDRED = Decimal(100)
PLACES = Decimal("1e-8")


def uplifted(terms: LineTerms, percent: Decimal) -> LineTerms:
    """Every price of what recurs or is metered times (1 + percent/100), to 8 places.

    Discounts in percent go on; discounts as an amount stay the amount that they are.
    """
    factor = EXACT.divide(EXACT.add(HUNDRED, percent), HUNDRED)
    return replace(terms, charges=tuple(_uplifted(each, factor) for each in lasting(terms.charges)))


def moved(terms: LineTerms) -> LineTerms:
    """A price as somebody pays who has the service already."""
    return replace(terms, charges=tuple(_settled(each) for each in lasting(terms.charges)))


def same_price(new: LineTerms, now: LineTerms, *, on: date, began_on: date) -> bool:
    """Whether the new Terms cost from a day on what those in force cost then."""
    steps = (step_day(step, began_on) for charge in now.charges for step in charge.ramp)
    return all(day <= on for day in steps) and moved(new).charges == moved(now).charges


def lasting(charges: Iterable[ChargeTerms]) -> tuple[ChargeTerms, ...]:
    """The charges that come again; where all is paid once, all of them."""
    charges = tuple(charges)
    return tuple(each for each in charges if each.kind is not Kind.ONE_TIME) or charges


def recurs(terms: LineTerms) -> bool:
    """Whether anything of it is billed more than once."""
    return any(charge.kind is not Kind.ONE_TIME for charge in terms.charges)


def _settled(charge: ChargeTerms) -> ChargeTerms:
    relative = [step for step in charge.ramp if step.after_months is not None]
    price = relative[-1].unit_price if relative else charge.unit_price
    kept = tuple(step for step in charge.ramp if step.after_months is None)
    return replace(charge, unit_price=price, ramp=kept, trial=None)


def _uplifted(charge: ChargeTerms, factor: Decimal) -> ChargeTerms:
    return replace(
        charge,
        unit_price=_times(charge.unit_price, factor),
        tiers=tuple(_tier(tier, factor) for tier in charge.tiers),
        ramp=tuple(replace(s, unit_price=_times(s.unit_price, factor)) for s in charge.ramp),
        call=_rates(charge.call, factor) if charge.call else None,
    )


def _tier(tier: Tier, factor: Decimal) -> Tier:
    return replace(
        tier,
        unit_price=_times(tier.unit_price, factor),
        flat_fee=_times(tier.flat_fee, factor),
    )


def _rates(call: CallRates, factor: Decimal) -> CallRates:
    return CallRates(
        tuple(
            replace(
                window,
                connect_fee=_times(window.connect_fee, factor),
                slots=tuple(replace(s, rate=_times(s.rate, factor)) for s in window.slots),
            )
            for window in call.windows
        )
    )


def _times(price: Decimal, factor: Decimal) -> Decimal:
    return EXACT.multiply(price, factor).quantize(PLACES, rounding=ROUND_HALF_UP)
