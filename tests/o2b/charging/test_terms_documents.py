"""The optional parts of a charge as canonical text: only what says something, read back exactly."""

import json
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from o2b.charging import (
    AdjustmentOrder,
    Allowance,
    CallRates,
    ChargeTerms,
    Conventions,
    DayCount,
    EventRates,
    LineTerms,
    Model,
    RampStep,
    Slot,
    Started,
    Tier,
    Trial,
    Window,
    canonical,
    digest,
    from_canonical,
)
from o2b.charging.terms import (
    DEFAULT_CONVENTIONS,
    TermsInvalid,
    details_document,
    details_of,
    tiers_document,
    tiers_of,
)
from o2b.money import Rounding
from o2b.periods import Interval, Unit
from tests.o2b.charging.build import charge
from tests.o2b.charging.shapes import fitting, usage, windows

TWO = Decimal(2)


def step(price: str = "1", **given: object) -> RampStep:
    return RampStep(Decimal(price), **given)


FULL = {
    "allowance": {"units": "100", "rollover": "50", "prorated": True, "per_unit": True},
    "conventions": {"day_count": "thirty_360", "rounding": "up", "order": "commitment_first"},
    "maximum": "500",
    "minimum": "20",
    "ramp": [["2027-01-01", "0.5"]],
    "trial": ["day", 14, True],
}


def test_parts_are_written_so():
    terms = usage(
        "1.50",
        allowance=Allowance(Decimal(100), Decimal("50.0"), prorated=True, per_unit=True),
        conventions=Conventions(
            DayCount.THIRTY_360, rounding=Rounding.UP, order="commitment_first"
        ),
        minimum=Decimal("20.00"),
        maximum=Decimal(500),
        ramp=(step("0.50", on=date(2027, 1, 1)),),
        trial=Trial(Interval(Unit.DAY, 14), moves_anchor=True),
    )
    assert json.loads(json.dumps(details_document(terms))) == FULL
    assert details_of(FULL) == {name: getattr(terms, name) for name in FULL}


@pytest.mark.parametrize(
    ("terms", "document"),
    [
        (charge(), {}),
        (charge("1", model="package", package_size=Decimal("10.0")), {"package_size": "10"}),
        (usage(model="percentage", event=EventRates()), {"event": {}}),
        (
            usage(model="percentage", event=EventRates(TWO, TWO, TWO, 3, TWO)),
            {
                "event": {
                    "fee": "2",
                    "minimum": "2",
                    "maximum": "2",
                    "free_events": 3,
                    "free_amount": "2",
                }
            },
        ),
        (
            usage(model="rated", call=windows({"00:00": ("0@0.50/60+30", "1")})),
            {"call": [{"from_minute": 0, "connect_fee": "1", "slots": [[0, "0.5", 60, 30]]}]},
        ),
        (charge(ramp=(step(after_months=3),)), {"ramp": [[3, "1"]]}),
        (usage(allowance=Allowance(TWO, window=3)), {"allowance": {"units": "2", "window": 3}}),
        (
            charge(conventions=Conventions(last_day_billed=True)),
            {"conventions": {"last_day_billed": True}},
        ),
        (
            charge(conventions=Conventions(started=Started.SHARE)),
            {"conventions": {"started": "share"}},
        ),
        (charge(conventions=DEFAULT_CONVENTIONS), {}),
    ],
)
def test_only_what_says_something_is_written(terms, document):
    assert details_document(terms) == document
    read = {name: getattr(terms, name) for name in document}
    assert details_of(document) == read


def test_tiers_are_written_so():
    shape = (Tier(Decimal("10.0"), Decimal("1.50"), TWO), Tier(None, TWO, block=Decimal(5)))
    document = [
        {"up_to": "10", "unit_price": "1.5", "flat_fee": "2"},
        {"unit_price": "2", "block": "5"},
    ]
    assert tiers_document(shape) == document
    assert tiers_of(document) == shape


@pytest.mark.parametrize(
    ("details", "field"),
    [
        ([1], "details"),
        ("call", "details"),
        ({"event": [1]}, "event.1"),
        ({"event": [[1], "b"]}, "event"),
        ({"call": [{"from_minute": 0, "slots": [[0, "1", 60, 1]], "conect_fee": "1"}]}, "call"),
        ({"minimum": "1E-999999999"}, "minimum"),
    ],
)
def test_what_is_no_part_is_refused_and_nothing_of_it_passed_over(details, field):
    with pytest.raises(TermsInvalid) as caught:
        charge(**details_of(details))
    assert caught.value.field.startswith(field)


def test_a_zero_of_very_many_decimals_is_zero():
    terms = charge(**details_of({"minimum": "0E-999999999"}))
    assert details_document(terms) == {"minimum": "0"}


positive = st.decimals("0.000001", 10**6, places=6)
amounts = st.decimals(0, 10**6, places=6)
intervals = st.builds(Interval, st.sampled_from([Unit.DAY, Unit.MONTH]), st.integers(1, 100))
conventions = st.builds(
    Conventions,
    st.sampled_from(DayCount),
    st.none() | st.integers(2, 18),
    st.sampled_from(Rounding),
    st.booleans(),
    st.sampled_from(Started),
    st.sampled_from(AdjustmentOrder),
)
bounded = st.tuples(amounts, amounts).map(sorted)


@st.composite
def shapes(draw) -> tuple[Tier, ...]:
    ends = sorted(draw(st.sets(positive, max_size=4)))
    more = st.none() | positive
    return tuple(
        Tier(end, draw(amounts), draw(amounts), draw(more)) for end in [*ends, draw(st.none())]
    )


@st.composite
def ramps(draw) -> tuple[RampStep, ...]:
    if draw(st.booleans()):
        months = sorted(draw(st.sets(st.integers(1, 1200), max_size=3)))
        return tuple(RampStep(draw(amounts), after_months=n) for n in months)
    days = sorted(draw(st.sets(st.dates(), max_size=3)))
    return tuple(RampStep(draw(amounts), on=each) for each in days)


@st.composite
def calls(draw) -> CallRates:
    def the_slots() -> tuple[Slot, ...]:
        starts = sorted(draw(st.sets(st.integers(1, 600), max_size=2)))
        seconds = st.integers(1, 600)
        return tuple(Slot(n, draw(amounts), draw(seconds), draw(seconds)) for n in [0, *starts])

    minutes = sorted(draw(st.sets(st.integers(1, 1439), max_size=2)))
    return CallRates(tuple(Window(n, the_slots(), draw(amounts)) for n in [0, *minutes]))


@st.composite
def every_part(draw) -> ChargeTerms:
    model = draw(st.sampled_from(Model))
    low, high = draw(bounded)
    given: dict[str, object] = {
        "model": model,
        "minimum": draw(st.sampled_from([None, low])),
        "maximum": draw(st.sampled_from([None, high])),
        "trial": draw(st.none() | st.builds(Trial, intervals, st.booleans())),
        "conventions": draw(conventions),
    }
    if model.has_tiers:
        given["tiers"] = fitting(model, draw(shapes()))
    if model in (Model.FLAT, Model.PER_UNIT, Model.PACKAGE, Model.PERCENTAGE):
        given["ramp"] = draw(ramps())
    if model is Model.PACKAGE:
        given["package_size"] = draw(positive)
    if model is Model.RATED:
        given["call"] = draw(calls())
    if model is Model.PERCENTAGE:
        least, most = draw(bounded)
        rates = st.builds(
            EventRates,
            amounts,
            st.sampled_from([None, least]),
            st.sampled_from([None, most]),
            st.integers(0, 100),
            amounts,
        )
        given["event"] = draw(st.none() | rates)
    if model not in (Model.FLAT, Model.RATED):
        rolls = st.builds(Allowance, amounts, amounts, st.just(1), st.booleans(), st.booleans())
        pools = st.builds(Allowance, amounts, st.none(), st.integers(1, 120))
        given["allowance"] = draw(st.none() | rolls | pools)
    return usage(str(draw(amounts)), **given)


@settings(deadline=None)
@given(every_part())
def test_every_part_is_read_back_exactly(part):
    terms = LineTerms("phone", 1, "EUR", "on_delivery", (part,))
    text = canonical(terms)
    assert from_canonical(text) == terms
    assert canonical(from_canonical(text)) == text
    assert digest(from_canonical(text)) == digest(terms)
