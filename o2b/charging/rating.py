"""Usage of a charge, period by period: how much it was, what of it is covered, what it costs."""

from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from o2b.charging.basis import UsageBasis
from o2b.charging.decks import RateMissing
from o2b.charging.facts import ChargeFacts, CompiledCharge
from o2b.charging.measuring import Measured, Measuring, included_of
from o2b.charging.pricing import list_price
from o2b.charging.proration import shared_total
from o2b.charging.ramps import terms_on
from o2b.charging.schedule import Schedule, Walk, schedule_of, walk
from o2b.charging.terms import ChargeTerms, DeckRates
from o2b.money import EXACT, quantise
from o2b.periods import Period

_ZERO = Decimal(0)


class RatedPeriod(NamedTuple):
    """A full period of usage: the days served, what was used in them, and its rounded amount.

    Of an allowance, `available` is what could be used without charge when the period began (its
    own units and those carried on), `free` what was; both None where the Terms have none.
    `prepaid` is what a pool covered of the rest. `measured` and `covered` are what it was priced
    from.
    """

    full: Period
    served: Period
    quantity: Decimal
    amount: Decimal
    available: Decimal | None = None
    free: Decimal | None = None
    prepaid: Decimal = _ZERO
    measured: Measured | None = None
    covered: Decimal | None = None

    @property
    def shares(self) -> tuple[tuple[Decimal, Period], ...]:
        """The days served, each with the quantity that shares the allowance."""
        each = self.measured
        if each is None:
            return ()
        pieces = zip(each.parts, each.days, strict=True)
        return tuple((part.quantity, days) for part, days in pieces)

    @property
    def basis(self) -> UsageBasis:
        """What its line cannot be computed again without."""
        events = self.measured.events if self.measured else ()
        return UsageBasis(
            self.quantity, events, self.covered, self.available, self.free, self.prepaid
        )


def running_period(charge: ChargeFacts, *, on: date) -> Period | None:
    """The full period of a charge that holds a day; None on a day that it does not serve."""
    schedule = schedule_of(charge, terms_of(charge))
    if schedule is None or not schedule.begins_on <= on < schedule.ends_on:
        return None
    return schedule.period_on(on)


def rated_until(charge: ChargeFacts, *, on: date) -> date:
    """The day to draft until so that the period which holds a day is drafted as if it were over.

    Of service that has ended, the end of its last period; before it begins, the day after.
    """
    schedule = schedule_of(charge, terms_of(charge))
    if schedule is None or on < schedule.begins_on:
        return on + timedelta(days=1)
    return schedule.period_on(min(on, schedule.ends_on)).end


def rate_periods(charge: ChargeFacts, *, on: date) -> list[RatedPeriod]:
    """The periods of a usage charge up to the one that holds a day, as a bill run rates them.

    The last one is rated as if nothing more were used in it.
    """
    terms = terms_of(charge)
    schedule = schedule_of(charge, terms)
    if schedule is None or on < schedule.begins_on:
        return []
    walked = walk_to(schedule, on)
    return [each for each in rate_usage(charge, terms, schedule, walked) if each.full.start <= on]


def terms_of(charge: ChargeFacts) -> ChargeTerms:
    """The Terms of a charge, compiled or not."""
    return charge.terms.terms if isinstance(charge.terms, CompiledCharge) else charge.terms


def walk_to(schedule: Schedule, on: date) -> Walk:
    """Every period from the first day to be paid to the one that holds a day."""
    until = schedule.period_on(min(on, schedule.ends_on)).end
    return walk(schedule, since=schedule.begins_on, until=until)


def rate_usage(
    charge: ChargeFacts, terms: ChargeTerms, schedule: Schedule, walked: Walk
) -> list[RatedPeriod]:
    """Every period of a walk, each as one piece.

    Used counts what falls on days served, put together as `charge.aggregation` says (see
    `o2b.charging.aggregating`); one price is in force for a period, that of its first
    such day. A period served in part pays its usage whole and its share, by days, of fixed
    discounts, minimum and maximum, and of the allowance if that is prorated. Units that roll over
    or are pooled are followed from the first day that is charged. What is prepaid costs nothing,
    and no price or tier sees it; of calls it covers whole ones first, in their order.
    """
    usage = Measuring(charge.usage, terms, charge.aggregation, charge.prepaid or ())
    measured = [usage.of(full, pieces) for full, pieces in walked.periods]
    free = included_of(terms, schedule, usage, measured)
    found: list[RatedPeriod] = []
    for each, included in zip(measured, free, strict=True):
        own = min(included.included, each.quantity) if included else _ZERO
        prepaid = usage.covered(each)
        covered = included.included if included else None
        if prepaid and terms.call is None:
            prepaid = max(min(prepaid, EXACT.subtract(each.quantity, own)), _ZERO)
            covered = EXACT.add(own, prepaid)
        in_force = terms_on(terms, each.served.start, started_on=charge.started_on)
        amount = amount_of(in_force, each, covered)
        rated = RatedPeriod(
            each.full,
            each.served,
            each.quantity,
            amount,
            prepaid=prepaid,
            measured=each,
            covered=covered,
        )
        if included:
            rated = rated._replace(available=included.available, free=own)
        found.append(rated)
    return found


def amount_of(terms: ChargeTerms, each: Measured, included: Decimal | None) -> Decimal:
    """The price of what was used, within the bounds of the share served; rounded."""
    if isinstance(terms.call, DeckRates) and each.quantity and not each.events:
        raise RateMissing  # of a total that does not tell its calls
    listed = list_price(terms, each.quantity, each.events, included=included)
    total = shared_total(terms, listed, reached=each.reached, whole=each.whole)
    return quantise(total, terms.currency, terms.conventions.rounding)
