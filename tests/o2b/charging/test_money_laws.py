"""Laws of money that hold for every model, rhythm and convention that a charge can have."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from o2b.charging import (
    AdjustmentOrder,
    Alignment,
    Allowance,
    Billed,
    ChargeFacts,
    ChargeTerms,
    Conventions,
    DayCount,
    DraftLine,
    EventRates,
    Kind,
    Model,
    Proration,
    RampStep,
    Segment,
    Started,
    Tier,
    Timing,
    Trial,
    draft,
    price,
)
from o2b.charging.usage import Event, Used
from o2b.money import Rounding, minor_unit, quantise
from o2b.periods import FOREVER, Interval, Period, Unit
from tests.o2b.charging.build import bill, charge
from tests.o2b.charging.shapes import call_rates

START = date(2023, 11, 1)

amounts = st.decimals(0, 300, places=3)
quantities = st.decimals(0, 40, places=1)
OF_USAGE = (Model.PERCENTAGE, Model.GRADUATED_PERCENTAGE, Model.RATED)
RAMPED = (Model.FLAT, Model.PER_UNIT, Model.PACKAGE, Model.PERCENTAGE)

conventions = st.builds(
    Conventions,
    day_count=st.sampled_from(DayCount),
    fraction_places=st.sampled_from([None, None, 4, 6, 9]),
    rounding=st.sampled_from(Rounding),
    last_day_billed=st.booleans(),
    started=st.sampled_from(Started),
    order=st.sampled_from(AdjustmentOrder),
)
intervals = st.one_of(
    st.builds(Interval, st.sampled_from([Unit.DAY, Unit.WEEK]), st.integers(1, 40)),
    st.builds(Interval, st.just(Unit.MONTH), st.sampled_from([1, 1, 2, 3, 6, 12])),
    st.builds(Interval, st.just(Unit.YEAR), st.just(1)),
)
trials = st.builds(
    Trial,
    st.builds(Interval, st.sampled_from([Unit.DAY, Unit.MONTH]), st.integers(1, 20)),
    st.booleans(),
)


@st.composite
def tiers(draw, model: Model) -> tuple[Tier, ...]:
    """Up to four tiers, the last one without end; a step has only a flat fee."""
    found = []
    for end in [*sorted(draw(st.sets(st.integers(1, 60), max_size=3))), None]:
        up_to = None if end is None else Decimal(end)
        if model is Model.STAIRSTEP:
            found.append(Tier(up_to, Decimal(0), draw(amounts)))
            continue
        fee = draw(st.sampled_from([Decimal(0), Decimal("2.5")]))
        block = draw(st.sampled_from([None, None, Decimal(3)]))
        found.append(Tier(up_to, draw(amounts), fee, block))
    return tuple(found)


@st.composite
def terms_of(draw) -> ChargeTerms:
    model = draw(st.sampled_from(Model))
    kinds = [Kind.USAGE] if model in OF_USAGE else [Kind.RECURRING, Kind.RECURRING, Kind.USAGE]
    kind = draw(st.sampled_from(kinds))
    least = draw(st.none() | amounts)
    most = draw(st.none() | amounts)
    parts: dict[str, object] = {
        "kind": kind,
        "model": model,
        "currency": draw(st.sampled_from(["EUR", "JPY", "KWD"])),
        "interval": draw(intervals),
        "timing": Timing.ARREARS if kind is Kind.USAGE else draw(st.sampled_from(Timing)),
        "alignment": draw(st.sampled_from(Alignment)),
        "proration": draw(st.sampled_from(Proration)),
        "discounts": draw(st.lists(st.sampled_from(["10%", "33.3%", "2.5", "-1.25"]), max_size=2)),
        "minimum": least,
        "maximum": most if most is None or least is None else least + most,
        "trial": draw(st.none() | trials),
        "conventions": draw(conventions),
        "tiers": draw(tiers(model)) if model.has_tiers else (),
    }
    if model is Model.PACKAGE:
        parts["package_size"] = draw(st.sampled_from([Decimal(1), Decimal(7)]))
    if model is Model.RATED:
        parts["call"] = call_rates("0@0.2/60+60", "60@0.1/60+1", connect="0.05")
    if model is Model.PERCENTAGE and draw(st.booleans()):
        parts["event"] = EventRates(Decimal("0.25"), free_events=draw(st.integers(0, 3)))
    if model in RAMPED and draw(st.booleans()):
        parts["ramp"] = (RampStep(draw(amounts), 2), RampStep(draw(amounts), 5))
    if model not in (Model.FLAT, Model.RATED) and draw(st.booleans()):
        parts["allowance"] = draw(allowances(kind is Kind.USAGE))
    return charge(str(draw(amounts)), **parts)


@st.composite
def allowances(draw, carries: bool) -> Allowance:
    window = draw(st.sampled_from([1, 1, 3])) if carries else 1
    rollover = draw(st.sampled_from([None, Decimal(0), Decimal(15)]))
    return Allowance(
        draw(quantities),
        rollover=rollover if carries and window == 1 else None,
        window=window,
        prorated=carries and draw(st.booleans()),
        per_unit=carries and draw(st.booleans()),
    )


@st.composite
def charged(draw) -> ChargeFacts:
    """A charge with up to three segments, gaps between some, and usage if it asks for it."""
    terms = draw(terms_of())
    started_on = START + timedelta(days=draw(st.integers(0, 400)))
    segments, day = [], started_on
    for gap, length in draw(
        st.lists(st.tuples(st.sampled_from([0, 0, 9]), st.integers(1, 90)), max_size=3)
    ):
        first = day + timedelta(days=gap if segments else 0)
        day = first + timedelta(days=length)
        segments.append(Segment(Period(first, day), draw(quantities)))
    if not segments or draw(st.booleans()):
        segments.append(Segment(Period(day, FOREVER), draw(quantities)))
    return ChargeFacts(
        ref=1,
        terms=terms,
        started_on=started_on,
        anchor_day=draw(st.integers(1, 31)),
        segments=tuple(segments),
        billed_through=None,
        usage=draw(usage(started_on)) if terms.kind is Kind.USAGE else (),
    )


@st.composite
def usage(draw, start: date) -> tuple[Used, ...]:
    found = []
    for offset, quantity in draw(st.lists(st.tuples(st.integers(0, 200), quantities), max_size=8)):
        events = (Event(quantity),) if draw(st.booleans()) else ()
        found.append(Used(start + timedelta(days=offset), quantity, events))
    return tuple(found)


def by_period(lines: Iterable[DraftLine]) -> dict[date, Decimal]:
    sums: dict[date, Decimal] = defaultdict(Decimal)
    for line in lines:
        sums[line.full_period.start] += line.amount
    return {start: amount for start, amount in sums.items() if amount}


def cut(segments: tuple[Segment, ...], offsets: Iterable[int]) -> tuple[Segment, ...]:
    """The same service, each segment in several pieces of one quantity."""
    found = []
    for segment in segments:
        start = segment.period.start
        for offset in offsets:
            end = segment.period.start + timedelta(days=offset)
            if start < end < segment.period.end:
                found.append(Segment(Period(start, end), segment.quantity))
                start = end
        found.append(Segment(Period(start, segment.period.end), segment.quantity))
    return tuple(found)


offsets = st.sets(st.integers(1, 120), min_size=1, max_size=5).map(sorted)


@settings(deadline=None)
@given(charged(), st.integers(0, 400))
def test_no_line_has_more_decimals_than_its_currency(facts, days):
    exponent = minor_unit(facts.terms.currency).as_tuple().exponent
    for line in draft([facts], until=facts.started_on + timedelta(days=days)):
        assert line.amount.as_tuple().exponent == exponent
        assert line.target.as_tuple().exponent == exponent


@settings(deadline=None)
@given(charged(), offsets, st.integers(0, 400))
def test_segments_of_a_period_add_up_to_the_whole(facts, parts, days):
    """However service is cut into pieces of one quantity, a period costs the same, to the cent."""
    until = facts.started_on + timedelta(days=days)
    pieces = facts._replace(segments=cut(facts.segments, parts))
    assert by_period(draft([pieces], until=until)) == by_period(draft([facts], until=until))


@settings(deadline=None)
@given(charged(), offsets)
def test_a_full_period_costs_its_price(facts, parts):
    """Served from the first day to the last, whatever the day count: the price, rounded."""
    terms = facts.terms
    if terms.kind is Kind.USAGE or terms.ramp or terms.trial:
        return
    quantity = facts.segments[0].quantity
    service = (Segment(Period(facts.started_on, FOREVER), quantity),)
    whole = quantise(price(terms, quantity), terms.currency, terms.conventions.rounding)
    until = facts.started_on + timedelta(days=800)
    for segments in (service, cut(service, parts)):
        lines = draft([facts._replace(segments=segments)], until=until)
        found = defaultdict(Decimal)
        for line in lines:
            if line.full_period.start >= facts.started_on:
                found[line.full_period.start] += line.amount
        assert set(found.values()) <= {whole}


@settings(deadline=None)
@given(charged(), st.integers(0, 400), st.integers(0, 200))
def test_a_repeated_draft_with_its_own_lines_as_billed_drafts_nothing(facts, days, earlier):
    until = facts.started_on + timedelta(days=days)
    sums: dict[tuple[date, int], Billed] = {}
    bill(sums, draft([facts], until=until))
    again = facts._replace(billed=tuple(sums.values()))
    assert draft([again], until=until) == []
    assert draft([again], until=until - timedelta(days=earlier)) == []
