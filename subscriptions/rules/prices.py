"""What a service that runs pays from a day on: an uplift, or another price, and nothing once again.

Set-up fees were paid when it began, and trials and first steps of a price are for who begins: a
renewal and a new version of a book bring none of them back.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from o2b.charging import (
    BeyondTiers,
    CallRates,
    ChargeTerms,
    DeckRates,
    EventRates,
    Kind,
    LineTerms,
    Tier,
    price,
)
from o2b.charging.ramps import step_day, step_days, terms_on
from o2b.charging.terms import SHARE_DECIMALS
from o2b.money import EXACT

HUNDRED = Decimal(100)
PLACES = Decimal("1e-8")
SHARE_PLACES = Decimal(1).scaleb(-SHARE_DECIMALS)
MONTHS, DAYS = 12, 365  # of a year


def uplifted(terms: LineTerms, percent: Decimal) -> LineTerms:
    """Every price of what recurs or is metered times (1 + percent/100), to 8 places.

    So are the least and the most that a period or an event costs, and rates: 2 percent of a value
    and 10 percent more are 2.2 percent of it. Discounts in percent go on; discounts as an amount
    stay the amount that they are, and so does what is free.
    """
    factor = EXACT.divide(EXACT.add(HUNDRED, percent), HUNDRED)
    return replace(terms, charges=tuple(_uplifted(each, factor) for each in lasting(terms.charges)))


def moved(terms: LineTerms) -> LineTerms:
    """A price as somebody pays who has the service already."""
    return replace(terms, charges=tuple(_settled(each) for each in lasting(terms.charges)))


def same_price(new: LineTerms, now: LineTerms, *, on: date, began_on: date) -> bool:
    """Whether the new Terms cost from a day on what those in force cost then.

    What steps after months still steps while they last; a step on a day is the same in both.
    """
    counted = (s for c in now.charges for s in c.ramp if s.after_months is not None)
    if any(step_day(step, began_on) > on for step in counted):
        return False
    costs, cost = ([_stepped(c, on) for c in moved(terms).charges] for terms in (new, now))
    return costs == cost


def dearer(new: LineTerms, now: LineTerms, *, quantity: Decimal, on: date, began_on: date) -> bool:
    """Whether so many cost more on a day than under the Terms in force, or what is metered does.

    What cannot be compared counts as dearer: a price of the old Terms that does not reach so far,
    what is metered in another way, and a grant that is another one, unless it only grew.
    """
    had = {charge.key: charge for charge in now.charges}
    metered = [_in_force(c, on, began_on) for c in new.charges if c.kind is Kind.USAGE]
    for charge in metered:
        before = had.get(charge.key)
        if before is None or _metered_more(charge, _in_force(before, on, began_on)):
            return True
    has = {charge.key: charge for charge in new.charges}
    if any(_grants_less(c, has.get(c.key)) for c in now.charges if c.kind is Kind.RECURRING):
        return True
    try:
        asked, paid = (_yearly(each, quantity, on, began_on) for each in (new, now))
    except BeyondTiers:
        return True
    return asked > paid


def rise_days(terms: LineTerms, *, on: date, until: date, began_on: date) -> list[date]:
    """The days on which a price that holds from a day on may rise: that one, and those of steps.

    Only those before `until`, in order.
    """
    steps = {day for charge in terms.charges for day in step_days(charge, began_on)}
    return sorted(day for day in {on, *steps} if on <= day < until)


def in_force_on(
    charges: Iterable[ChargeTerms], day: date, *, began_on: date
) -> tuple[ChargeTerms, ...]:
    """The charges at the prices to which they have stepped by a day."""
    return tuple(_in_force(charge, day, began_on) for charge in charges)


def _in_force(charge: ChargeTerms, day: date, began_on: date) -> ChargeTerms:
    return terms_on(charge, day, started_on=began_on)


def _metered_more(new: ChargeTerms, now: ChargeTerms) -> bool:
    alike = replace(now, unit_price=new.unit_price, trial=new.trial, ramp=new.ramp)
    return alike != new or new.unit_price > now.unit_price


def _grants_less(now: ChargeTerms, new: ChargeTerms | None) -> bool:
    if now.grant is None:
        return False
    if new is None or new.grant is None or new.kind is not now.kind or new.interval != now.interval:
        return True
    alike = replace(now.grant, units=new.grant.units)
    return alike != new.grant or new.grant.units < now.grant.units


def _yearly(terms: LineTerms, quantity: Decimal, on: date, began_on: date) -> Fraction:
    """What recurs, at the price of a day, for as many full periods as a year has."""
    total = Fraction(0)
    for charge in terms.charges:
        if charge.kind is Kind.RECURRING and charge.interval is not None:
            full = price(terms_on(charge, on, started_on=began_on), quantity)
            interval = charge.interval
            months = interval.months or Fraction(interval.days * MONTHS, DAYS)
            total += Fraction(full) * MONTHS / months
    return total


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


def _stepped(charge: ChargeTerms, on: date) -> ChargeTerms:
    """What a charge costs from a day on: the steps of days that are past are its price."""
    past = [step for step in charge.ramp if step.on is not None and step.on <= on]
    price = past[-1].unit_price if past else charge.unit_price
    return replace(charge, unit_price=price, ramp=charge.ramp[len(past) :])


def _uplifted(charge: ChargeTerms, factor: Decimal) -> ChargeTerms:
    return replace(
        charge,
        unit_price=_times(charge.unit_price, factor),
        tiers=tuple(_tier(tier, factor) for tier in charge.tiers),
        ramp=tuple(replace(s, unit_price=_times(s.unit_price, factor)) for s in charge.ramp),
        call=_rates(charge.call, factor) if charge.call else None,
        event=_by_event(charge.event, factor) if charge.event else None,
        minimum=_bound(charge.minimum, factor),
        maximum=_bound(charge.maximum, factor),
    )


def _by_event(event: EventRates, factor: Decimal) -> EventRates:
    return replace(
        event,
        fee=_times(event.fee, factor),
        minimum=_bound(event.minimum, factor),
        maximum=_bound(event.maximum, factor),
    )


def _bound(amount: Decimal | None, factor: Decimal) -> Decimal | None:
    return None if amount is None else _times(amount, factor)


def _tier(tier: Tier, factor: Decimal) -> Tier:
    return replace(
        tier,
        unit_price=_times(tier.unit_price, factor),
        flat_fee=_times(tier.flat_fee, factor),
    )


def _rates(call: CallRates | DeckRates, factor: Decimal) -> CallRates | DeckRates:
    """Rates times a factor; of a deck the share of its rates, which change by themselves too."""
    if isinstance(call, DeckRates):
        return replace(
            call,
            windows=tuple(
                replace(each, percent=_times(each.percent, factor, SHARE_PLACES))
                for each in call.windows
            ),
        )
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


def _times(price: Decimal, factor: Decimal, places: Decimal = PLACES) -> Decimal:
    return EXACT.multiply(price, factor).quantize(places, rounding=ROUND_HALF_UP)
