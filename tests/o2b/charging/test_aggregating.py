"""The quantity of a period by each aggregation: tables of peers, and laws for any rows."""

from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from o2b.charging import Aggregation, EventsNeeded, draft
from o2b.charging.aggregating import UsageOfDays
from o2b.charging.terms import EventRates, Tier
from o2b.charging.usage import Event, Used
from o2b.money import rounded
from o2b.periods import Period
from tests.o2b.charging.build import charge, day, facts

JANUARY = "2026-01-01..2026-02-01"


def span(text: str) -> Period:
    start, _, end = text.partition("..")
    return Period(day(start), day(end))


def row(text: str) -> Used:
    """`2026-01-05 40`, at a time `2026-01-05T06:00 40`, different values `2026-01-05 a,b`."""
    when, _, value = text.partition(" ")
    if value[0].isalpha():
        return Used(day(when), Decimal(0), values=tuple(value.split(",")))
    if "T" in when:
        at = datetime.fromisoformat(when)
        return Used(at.date(), Decimal(value), (Event(Decimal(value), at),))
    return Used(day(when), Decimal(value))


def quantity(aggregation: str, rows: list[str], served: str = JANUARY) -> str:
    of_days = UsageOfDays([row(each) for each in rows], Aggregation(aggregation))
    return str(of_days.quantity([span(each) for each in served.split()]))


@pytest.mark.parametrize(
    ("aggregation", "rows", "expected"),
    [
        # OpenMeter, SUM and COUNT; Stigg, sum and count; outside the period nothing counts
        ("sum", ["2026-01-01 5", "2026-01-31 10", "2026-02-01 7", "2025-12-31 9"], "15"),
        ("count", ["2026-01-01 2", "2026-01-31 3"], "5"),
        ("each", ["2026-01-01T10:00 2.5", "2026-01-01T11:00 3"], "5.5"),
        # Lago, max: the highest value of the period; OpenMeter, MAX
        ("max", ["2026-01-03 4", "2026-01-20 11", "2026-01-21 6", "2026-02-02 90"], "11"),
        ("max", ["2026-01-03 -4", "2026-01-20 -11"], "-4"),
        ("max", [], "0"),
        # Lago, latest: the last event of the period, and 0 where no event fell in it
        ("last", ["2026-01-03 4", "2026-01-20T09:00 6", "2026-01-20T17:30 5"], "5"),
        ("last", ["2026-01-20T17:30 5", "2026-01-20 90"], "5"),  # without a time: at 0:00
        ("last", ["2025-12-31 4", "2026-02-01 9"], "0"),
        # Lago, unique count: over the period, not the sum of its days; OpenMeter, UNIQUE_COUNT
        ("unique", ["2026-01-03 ann,bob", "2026-01-04 ann,cid", "2026-02-01 dan"], "3"),
        ("unique", [], "0"),
        # Lago, weighted sum: 31 days, from the first second 10, on the 22nd 20
        ("average", ["2026-01-01 10", "2026-01-22 20"], "13.225806451613"),
        # half of a day of 31 at 31
        ("average", ["2026-01-01T12:00 31", "2026-01-02 0"], "0.500000000000"),
        # the level before the period holds until its first event
        ("average", ["2025-11-03 8", "2025-12-31T23:59 6"], "6.000000000000"),
        ("average", ["2025-12-31 31", "2026-01-02 0"], "1.000000000000"),
        ("average", ["2026-02-01 100"], "0E-12"),
    ],
)
def test_quantity_of_a_period(aggregation, rows, expected):
    assert quantity(aggregation, rows) == expected


TWO_SPANS = "2026-01-01..2026-01-06 2026-01-26..2026-01-31"


@pytest.mark.parametrize(
    ("aggregation", "rows", "expected"),
    [
        ("sum", ["2026-01-05 1", "2026-01-06 2", "2026-01-26 4"], "5"),
        ("max", ["2026-01-05 1", "2026-01-06 9", "2026-01-26 4"], "4"),
        ("last", ["2026-01-05 1", "2026-01-06 9"], "1"),
        ("unique", ["2026-01-05 a", "2026-01-10 b", "2026-01-30 a"], "1"),
        # five days at 2; what changed on days not served is the level when service goes on
        ("average", ["2026-01-01 2", "2026-01-10 6"], "4.000000000000"),
    ],
)
def test_only_days_served_count(aggregation, rows, expected):
    assert quantity(aggregation, rows, TWO_SPANS) == expected


def test_the_hour_that_comes_twice_is_one_of_the_local_clock():
    """On 25 October 2026 2:30 comes twice in Berlin; a day is 24 hours all the same."""
    at = datetime.fromisoformat("2026-10-25T02:30")
    told = [Event(Decimal(1), at), Event(Decimal(48), at.replace(fold=1))]
    of_days = UsageOfDays([Used(at.date(), Decimal(0), tuple(told[::-1]))], Aggregation.AVERAGE)
    assert of_days.quantity([span("2026-10-25..2026-10-26")]) == Decimal(43)  # 21.5 hours of 48


def test_how_many_values_does_not_tell_which():
    of_days = UsageOfDays([Used(day("2026-01-03"), Decimal(4))], Aggregation.UNIQUE)
    with pytest.raises(EventsNeeded):
        of_days.quantity([span(JANUARY)])


def usage(price: str = "1", **changes):
    return charge(price, **({"kind": "usage", "timing": "arrears"} | changes))


def billed(terms, rows, aggregation, until="2026-03-01", **more):
    charged = facts(terms, "2026-01-01..")._replace(
        usage=tuple(row(each) for each in rows), aggregation=Aggregation(aggregation), **more
    )
    return [
        (str(line.period.start), str(line.quantity), str(line.amount))
        for line in draft([charged], until=day(until))
    ]


TIERS = (Tier(Decimal(2), Decimal(10)), Tier(None, Decimal(5)))


@pytest.mark.parametrize(
    ("terms", "rows", "aggregation", "expected"),
    [
        # seats by their highest number in tiers: 2 × 10 + 3 × 5
        (
            usage("0", model="graduated", tiers=TIERS),
            ["2026-01-04 3", "2026-01-09 5", "2026-02-04 2"],
            "max",
            [("2026-01-01", "5", "35.00"), ("2026-02-01", "2", "20.00")],
        ),
        # gigabytes stored, averaged; without an event in February the level goes on
        (
            usage("31"),
            ["2026-01-31 10"],
            "average",
            [
                ("2026-01-01", "0.322580645161", "10.00"),
                ("2026-02-01", "10.000000000000", "310.00"),
            ],
        ),
        # latest: within the period only
        (usage("3"), ["2026-01-31 10"], "last", [("2026-01-01", "10", "30.00")]),
        # active users
        (usage("2"), ["2026-01-30 a,b", "2026-01-31 a"], "unique", [("2026-01-01", "2", "4.00")]),
        # each event by itself: 10 % and 1 each
        (
            usage("10", model="percentage", event=EventRates(fee=Decimal(1))),
            ["2026-01-03T09:00 10", "2026-01-03T10:00 20"],
            "each",
            [("2026-01-01", "30", "5.00")],
        ),
        # where the quantity is no sum, it is one event
        (
            usage("10", model="percentage", event=EventRates(fee=Decimal(1))),
            ["2026-01-03T09:00 10", "2026-01-03T10:00 20"],
            "max",
            [("2026-01-01", "20", "3.00")],
        ),
    ],
)
def test_what_it_costs(terms, rows, aggregation, expected):
    assert billed(terms, rows, aggregation) == expected


DAY = day("2026-01-10")
values = st.decimals(-50, 50, places=2)
times = st.integers(0, 86_399).map(
    lambda n: datetime.fromisoformat("2026-01-10") + timedelta(seconds=n)
)


@st.composite
def rows_of_days(draw) -> list[Used]:
    found = []
    for offset in draw(st.lists(st.integers(-15, 40), max_size=8)):
        at = draw(st.none() | times)
        moment = None if at is None else at + timedelta(days=offset)
        value = draw(values)
        names = tuple(draw(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=3)))
        events = () if moment is None else (Event(value, moment),)
        found.append(Used(DAY + timedelta(days=offset), value, events, names))
    return found


SERVED = [span("2026-01-01..2026-01-20"), span("2026-01-24..2026-02-01")]


@settings(deadline=None)
@given(rows_of_days(), st.randoms(use_true_random=False), st.sampled_from(Aggregation))
def test_the_order_of_rows_changes_nothing(rows, random, aggregation):
    shuffled = list(rows)
    random.shuffle(shuffled)
    one, other = UsageOfDays(rows, aggregation), UsageOfDays(shuffled, aggregation)
    assert one.quantity(SERVED) == other.quantity(SERVED)


@settings(deadline=None)
@given(st.lists(st.tuples(times, values), min_size=1, max_size=6), st.sampled_from(Aggregation))
def test_a_day_in_several_rows_is_the_day_in_one(told, aggregation):
    events = [Event(value, at) for at, value in told]
    names = [str(value) for _, value in told]
    every = {
        Aggregation.SUM: sum(value for _, value in told),
        Aggregation.EACH: sum(value for _, value in told),
        Aggregation.COUNT: Decimal(len(told)),
        Aggregation.MAX: max(value for _, value in told),
    }
    one = Used(DAY, every.get(aggregation, Decimal(1)), tuple(events), tuple(names))
    count = aggregation is Aggregation.COUNT
    many = [
        Used(DAY, Decimal(1) if count else event.value, (event,), (name,))
        for event, name in zip(events, names, strict=True)
    ]
    together, apart = UsageOfDays([one], aggregation), UsageOfDays(many, aggregation)
    assert together.quantity(SERVED) == apart.quantity(SERVED)
    assert sorted(together.events(SERVED)) == sorted(apart.events(SERVED))


@settings(deadline=None)
@given(rows_of_days())
def test_an_average_is_the_sum_over_all_seconds(rows):
    """By counting: the level of each stretch between two events, told second by second."""
    points = sorted(
        (used.day, event.at.time() if event.at else datetime.min.time(), event.value)
        for used in rows
        for event in used.events or (Event(used.quantity),)
    )
    total = Fraction(0)
    for period in SERVED:
        cuts = [datetime.combine(d, t) for d, t, _ in points if period.start <= d < period.end]
        edges = [datetime.combine(period.start, datetime.min.time()), *cuts]
        edges.append(datetime.combine(period.end, datetime.min.time()))
        for since, until in zip(edges, edges[1:], strict=False):
            before = [v for d, t, v in points if datetime.combine(d, t) <= since]
            total += Fraction(before[-1] if before else 0) * int((until - since).total_seconds())
    expected = rounded(total / (86_400 * sum(period.days for period in SERVED)), 12)
    assert UsageOfDays(rows, Aggregation.AVERAGE).quantity(SERVED) == expected
