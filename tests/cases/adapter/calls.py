"""charge.rating: calls by their seconds, minutes at a rate, volumes in intervals."""

from collections.abc import Sequence
from datetime import time
from decimal import Decimal

from o2b.charging import (
    CallRates,
    Conventions,
    Kind,
    Model,
    Slot,
    Tier,
    Timing,
    Window,
    billed_seconds,
    price,
)
from o2b.charging.models import seconds_between
from o2b.charging.usage import Event
from tests.cases.adapter import words
from tests.cases.adapter.selling import NOTHING, ONE, net, terms, used_in_month
from tests.cases.asking import Asked, Drafts
from tests.cases.reading import CaseInput, Keys, MaybeMoment, Unknown

# Increments as a rule tells them: (the first, the others), in seconds.
INCREMENTS = {"first minute whole, then per second": (60, 1)}
KIND = {"day": True, "eve": True, "intl": True}  # the case tells its rate, too
MIDNIGHT = time(0)


def rating(case: CaseInput) -> Asked:
    """What calls cost, or how many of their seconds are billed."""
    given = case.given
    case.conventions.word("connect_fee", words.CONNECT_FEE, True)
    case.conventions.word("increment", words.STARTED_INCREMENT, True)
    if given.has("rule"):
        first, then = given.word("rule", INCREMENTS)
        return _billed_seconds(first, then, given.decimals("seconds"))
    if given.has("minutes"):
        return _minutes(case)
    if given.has("volume"):
        return _intervals(given)
    if given.has("rates"):
        begins, ends = given.moment("from_"), given.moment("to")
        windows = tuple(_window(each) for each in given.each("rates"))
        return _call(CallRates(windows), seconds_between(begins, ends), begins)
    return _call(CallRates((_whole_day(given),)), given.decimal("seconds"))


def _billed_seconds(first: int, then: int, calls: Sequence[Decimal]) -> Asked:
    """A service for each call, a second at 1: what it costs is how many seconds are billed."""
    slots = (Slot(0, ONE, 1, first), Slot(first, ONE, 1, then))
    rates = CallRates((Window.from_time(MIDNIGHT, slots, NOTHING),))
    promised = terms(kind=Kind.USAGE, timing=Timing.ARREARS, model=Model.RATED, call=rates)
    asked = [used_in_month(promised, each, events=(Event(each),)) for each in calls]
    *_, last = asked
    return Drafts(
        [charge for each in asked for charge in each.charges],
        last.until,
        lambda found: {"billed_seconds": [net(lines) for lines in found]},
        exact=lambda: {"billed_seconds": [billed_seconds(each, first, then) for each in calls]},
    )


def _minutes(case: CaseInput) -> Asked:
    """Minutes at a rate each, the kind of call having chosen the rate; rounded once."""
    given = case.given
    given.word("kind", KIND, True)
    rounding = words.conventions(case).rounding
    promised = terms(
        kind=Kind.USAGE,
        timing=Timing.ARREARS,
        unit_price=given.decimal("rate_per_minute"),
        conventions=Conventions(rounding=rounding),
    )
    minutes = given.decimal("minutes")
    if not case.conventions.has("rounding"):
        return used_in_month(promised, minutes, exact=lambda: {"amount": price(promised, minutes)})
    return used_in_month(promised, minutes)


def _intervals(given: Keys) -> Asked:
    """A price for each interval of a volume within the range of its rate; beyond it, nothing."""
    begins, ends = given.decimals("rate_range")
    if begins:
        raise Unknown("given.rate_range", "a range that does not begin at 0")
    promised = terms(
        kind=Kind.USAGE,
        timing=Timing.ARREARS,
        model=Model.GRADUATED,
        tiers=(
            Tier(ends, given.decimal("price"), block=given.decimal("interval")),
            Tier(None, NOTHING),
        ),
        conventions=Conventions(started=given.word("round", words.ROUND)),
    )
    volume = given.decimal("volume")
    return used_in_month(promised, volume, exact=lambda: {"amount": price(promised, volume)})


def _call(rates: CallRates, seconds: Decimal, at: MaybeMoment = None) -> Asked:
    """One call, rated by its seconds."""
    promised = terms(kind=Kind.USAGE, timing=Timing.ARREARS, model=Model.RATED, call=rates)
    events = (Event(seconds, at),)
    return used_in_month(
        promised,
        seconds,
        events=events,
        exact=lambda: {"amount": price(promised, seconds, events)},
    )


def _whole_day(given: Keys) -> Window:
    """Rates that are the same all day: a tariff of slots, or one rate with its increments."""
    if given.has("tariff"):
        tariff = given.inside("tariff")
        slots = tuple(
            Slot(
                each.integer("from_second"),
                each.decimal("rate"),
                each.integer("per_seconds"),
                each.integer("increment_seconds"),
            )
            for each in tariff.each("slots")
        )
        return Window.from_time(MIDNIGHT, slots, tariff.maybe_decimal("connect_fee") or NOTHING)
    rate = given.decimal("per_second")
    fee = given.maybe_decimal("connect_fee") or NOTHING
    if not given.has("first_increment_seconds"):
        return Window.from_time(MIDNIGHT, (Slot(0, rate, 1, 1),), fee)
    first = given.integer("first_increment_seconds")
    then = given.integer("then_increment_seconds")
    return Window.from_time(MIDNIGHT, (Slot(0, rate, 1, first), Slot(first, rate, 1, then)), fee)


def _window(told: Keys) -> Window:
    """Until a time of the day from midnight on, or after it."""
    begins = MIDNIGHT
    if told.has("after"):
        begins = time.fromisoformat(told.raw("after"))
    else:
        time.fromisoformat(told.raw("until"))
    slots = (Slot(0, told.decimal("per_second"), 1, 1),)
    return Window.from_time(begins, slots, told.maybe_decimal("connect_fee") or NOTHING)
