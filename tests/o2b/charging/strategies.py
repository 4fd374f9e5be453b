"""Charges, services and usage for Hypothesis: every convention, every way to change."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from o2b.charging import ChargeFacts, ChargeTerms, Segment
from o2b.charging.terms import Allowance, Conventions, DayCount, RampStep, Trial
from o2b.charging.usage import Used
from o2b.money import Rounding
from o2b.periods import FOREVER, Interval, Period, Unit
from tests.o2b.charging.build import charge

START = date(2023, 11, 1)

days_of_start = st.integers(0, 500).map(lambda n: START + timedelta(days=n))
quantities = st.decimals(0, 20, places=1)
intervals = st.builds(
    Interval, st.sampled_from([Unit.WEEK, Unit.MONTH, Unit.YEAR]), st.integers(1, 4)
)

PLAIN = {"conventions": Conventions(), "trial": None, "ramp": (), "minimum": None, "maximum": None}

conventions = st.builds(
    Conventions,
    day_count=st.sampled_from(DayCount),
    fraction_places=st.sampled_from([None, None, 3, 9]),
    rounding=st.sampled_from(Rounding),
    last_day_billed=st.booleans(),
    order=st.sampled_from(["discount_first", "commitment_first"]),
)
trials = st.builds(
    Trial,
    st.builds(Interval, st.sampled_from([Unit.DAY, Unit.MONTH]), st.integers(1, 20)),
    st.booleans(),
)
step_prices = st.decimals(0, 500, places=3)
ramps = st.one_of(
    st.dictionaries(st.integers(1, 20), step_prices, max_size=3).map(
        lambda steps: tuple(RampStep(steps[n], after_months=n) for n in sorted(steps))
    ),
    st.dictionaries(days_of_start, step_prices, max_size=3).map(
        lambda steps: tuple(RampStep(steps[day], on=day) for day in sorted(steps))
    ),
)
allowances = st.builds(
    Allowance,
    st.decimals(0, 30, places=1),
    st.sampled_from([None, None, Decimal(10)]),
    prorated=st.booleans(),
    per_unit=st.booleans(),
) | st.builds(Allowance, st.decimals(0, 30, places=1), window=st.integers(1, 4))


def sometimes(strategy):
    return st.one_of(st.none(), st.none(), strategy)


@st.composite
def terms_of(draw, **fixed) -> ChargeTerms:
    kind = draw(st.sampled_from(["recurring", "recurring", "recurring", "one_time", "usage"]))
    kind = fixed.get("kind", kind)
    values = {
        "currency": draw(st.sampled_from(["EUR", "JPY", "KWD"])),
        "interval": draw(intervals),
        "timing": "arrears" if kind == "usage" else draw(st.sampled_from(["advance", "arrears"])),
        "alignment": draw(st.sampled_from(["anniversary", "bill_day", "calendar"])),
        "proration": draw(st.sampled_from(["day", "day", "none", "full"])),
        "discounts": draw(st.lists(st.sampled_from(["10%", "33.3%", "2.5", "-1.25"]), max_size=2)),
        "kind": kind,
        "conventions": draw(sometimes(conventions)) or Conventions(),
        "minimum": draw(sometimes(st.decimals(0, 100, places=3))),
        "maximum": draw(sometimes(st.decimals(101, 900, places=2))),
    }
    if kind != "one_time":
        values |= {"trial": draw(sometimes(trials)), "ramp": draw(sometimes(ramps)) or ()}
    if kind == "usage":
        values["allowance"] = draw(sometimes(allowances))
    return charge(str(draw(st.decimals(0, 500, places=3))), **(values | fixed))


@st.composite
def service(draw, start: date) -> tuple[Segment, ...]:
    """Up to four segments, some with gaps between them, the last one perhaps open."""
    lengths = draw(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 90)), max_size=4))
    segments, day = [], start
    for gap, length in lengths:
        first = day + timedelta(days=gap if segments else 0)
        day = first + timedelta(days=length)
        segments.append(Segment(Period(first, day), draw(quantities)))
    if draw(st.booleans()) or not segments:
        segments.append(Segment(Period(day, FOREVER), draw(quantities)))
    return tuple(segments)


@st.composite
def charged(draw, terms=None) -> ChargeFacts:
    started_on = draw(days_of_start)
    made = draw(terms if terms is not None else terms_of())
    days = st.integers(0, 600).map(lambda n: started_on + timedelta(days=n))
    # What is not said here is drawn from its type: events of rates that no deck can hold.
    used = st.builds(Used, days, st.decimals(0, 40, places=1), st.just(()), st.just(()))
    usage = st.lists(used, max_size=8)
    return ChargeFacts(
        ref=1,
        terms=made,
        started_on=started_on,
        anchor_day=draw(st.integers(1, 31)),
        segments=draw(service(started_on)),
        billed_through=None,
        usage=tuple(draw(usage)) if made.kind == "usage" else (),
    )


steps = st.lists(st.integers(1, 75), min_size=1, max_size=10)


def days_after(start: date, gaps: list[int]) -> list[date]:
    days = []
    for gap in gaps:
        start += timedelta(days=gap)
        days.append(start)
    return days
