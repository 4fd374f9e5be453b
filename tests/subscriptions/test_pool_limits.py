"""A hard pool decides as if all of it were drawn anew for every event, and looks far less often."""

from datetime import date, time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from o2b.charging import (
    Aggregation,
    Allowance,
    CallRates,
    ChargeFacts,
    ChargeTerms,
    Interval,
    Segment,
    Slot,
    Window,
)
from o2b.charging.pooling import Lot
from o2b.periods import FOREVER, Period
from subscriptions.pools import draining
from subscriptions.pools.limits import Limit, Wanted
from subscriptions.pools.rules import Drawer, Draws, Membership
from subscriptions.usage.rules.metering import Total, used_of
from tests.subscriptions.plain_limit import PlainLimit

D = Decimal
POOL, OTHER = 1, 2
ON = date(2026, 3, 20)
DAYS = [date(2026, 1, 5), date(2026, 1, 20), date(2026, 1, 31), date(2026, 2, 1)]
DAYS += [date(2026, 2, 14), date(2026, 3, 19), ON, date(2026, 3, 21)]
MONTHS = (date(2026, 2, 1), date(2026, 3, 1), date(2026, 4, 1))
WINDOWS = CallRates(
    (
        Window(0, (Slot(0, D("0.1"), 60, 60),)),
        Window(720, (Slot(0, D("0.2"), 60, 10),)),
    )
)
EACH, SUM = Aggregation.EACH, Aggregation.SUM


def a_drawer(
    service: int = 1,
    n: int = 0,
    *,
    how: Aggregation = SUM,
    calls: bool = False,
    allowance: Allowance | None = None,
    draws: Draws | None = None,
    where: str | None = None,
    used: tuple[Total, ...] = (),
) -> Drawer:
    more: dict[str, Any] = {"model": "rated", "call": WINDOWS} if calls else {"model": "per_unit"}
    terms = ChargeTerms(
        key="k",
        kind="usage",  # type: ignore[arg-type]
        unit_price=D(1),
        currency="EUR",
        interval=Interval("month"),  # type: ignore[arg-type]
        timing="arrears",  # type: ignore[arg-type]
        alignment="calendar",  # type: ignore[arg-type]
        proration="day",  # type: ignore[arg-type]
        allowance=allowance,
        **more,
    )
    segment = Segment(Period(date(2026, 1, 3), FOREVER), D(1))
    told = tuple(u for each in used if (u := used_of(each, how, where)) is not None)
    facts = ChargeFacts(1, terms, date(2026, 1, 3), 1, (segment,), None, (), told, how)
    return Drawer((service, n, "k"), facts, draws or Draws(own=POOL), service, where)


def total(day: date, units: int, how: Aggregation, zone: str = "", minute: int = 0) -> Total:
    part = f'{{"zone":"{zone}"}}' if zone else ""
    if how is EACH:
        part += f"={units}@{time(minute // 60, minute % 60).isoformat()}.000000"
    return Total(day, part, D(units), 1, None)


def totals(how: Aggregation, least: int = 0, most: int = 70) -> st.SearchStrategy[Total]:
    return st.builds(
        total,
        st.sampled_from(DAYS),
        st.integers(least, most),
        st.just(how),
        st.sampled_from(["", "a", "b"]),
        st.sampled_from([0, 719, 720, 1439]),
    )


LOTS = st.builds(
    lambda n, units, begins, ends, priority, rollover, lives: Lot(
        f"l{n}",
        D(units),
        date(2026, begins, 1),
        FOREVER if ends is None else date(2026, begins + ends, 1),
        priority,
        None if rollover is None else D(rollover),
        lives and tuple(day for day in MONTHS if ends and day.month > begins + ends),
    ),
    st.integers(0, 99),
    st.integers(1, 120),
    st.integers(1, 3),
    st.sampled_from([None, 1, 1, 2]),
    st.sampled_from([50, 100]),
    st.sampled_from([None, 10, 1000]),
    st.sampled_from([(), (1,)]),
)
ALLOWANCES = st.sampled_from(
    [None, None, Allowance(D(30)), Allowance(D(30), rollover=D(20)), Allowance(D(20), window=2)]
)
DRAWS = st.sampled_from(
    [
        Draws(own=POOL),
        Draws(own=POOL),
        Draws(of_account=(Membership(POOL, date(2026, 1, 20), date(2026, 2, 10)),)),
        Draws(of_service=(Membership(OTHER, date(2026, 1, 20), date(2026, 2, 1)),), own=POOL),
    ]
)


@st.composite
def cases(draw: Any, least: int = 0) -> tuple[list[Lot], list[Drawer], list[Wanted]]:
    how = draw(st.sampled_from([SUM, EACH]))
    calls = how is EACH and draw(st.booleans())
    drawers = []
    for n in range(draw(st.integers(1, 4))):
        used = draw(st.lists(totals(how, least if draw(st.booleans()) else 0), max_size=4))
        drawers.append(
            a_drawer(
                draw(st.integers(1, 3)),
                n,
                how=how,
                calls=calls,
                allowance=None if calls else draw(ALLOWANCES),
                draws=draw(DRAWS),
                where=draw(st.sampled_from([None, None, '{"zone":["a"]}'])),
                used=tuple(used),
            )
        )
    drawers.sort(key=lambda each: (each.service, each.ref))
    lots = draw(st.lists(LOTS, min_size=1, max_size=4, unique_by=lambda lot: lot.ref))
    events = draw(st.lists(st.tuples(st.integers(1, 3), totals(how, least)), max_size=14))
    wanted = [Wanted(n, service, each) for n, (service, each) in enumerate(events)]
    return lots, drawers, wanted


def decided(kind: Any, lots: Any, drawers: Any, wanted: Any) -> tuple[set[int], Any]:
    limit = kind(POOL, tuple(lots), tuple(drawers), ON)
    return limit.beyond(wanted), [each.facts.usage for each in limit.drawers]


@settings(max_examples=600, deadline=None)
@given(cases())
def test_it_decides_as_if_all_were_drawn_for_every_event(case: Any) -> None:
    assert decided(Limit, *case) == decided(PlainLimit, *case)


@settings(max_examples=300, deadline=None)
@given(cases(least=-30))
def test_also_where_values_give_units_back(case: Any) -> None:
    assert decided(Limit, *case) == decided(PlainLimit, *case)


@settings(max_examples=300, deadline=None)
@given(cases())
def test_what_is_accepted_is_what_alone_would_be(case: Any) -> None:
    """One after the other, each asked by itself: no batch decides otherwise."""
    lots, drawers, wanted = case
    limit = Limit(POOL, tuple(lots), tuple(drawers), ON)
    alone = {each.n for each in wanted if limit.beyond([each])}
    assert decided(Limit, *case)[0] == alone


@pytest.fixture
def drawings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each time that the whole pool is drawn."""
    found: list[int] = []
    plain = draining.draw

    def counted(*args: Any, **given: Any) -> Any:
        found.append(1)
        return plain(*args, **given)

    monkeypatch.setattr(draining, "draw", counted)
    return found


def wants(units: range, how: Aggregation, day: date = DAYS[0]) -> list[Wanted]:
    return [Wanted(n, 1, total(day, each, how)) for n, each in enumerate(units)]


@pytest.mark.parametrize("how", [SUM, EACH])
@pytest.mark.parametrize("units", [range(20, 3020), range(3020, 20, -1)])
def test_many_events_beyond_an_exhausted_pool_are_refused_at_once(
    how: Aggregation, units: range, drawings: list[int]
) -> None:
    lots = [Lot("l", D(10), date(2026, 1, 1))]
    refused, _ = decided(Limit, lots, [a_drawer(how=how)], wants(units, how))
    assert refused == set(range(3000))
    assert len(drawings) <= 3


@pytest.mark.parametrize("units", [range(20, 1020), range(1020, 20, -1)])
def test_many_that_take_what_later_days_were_promised(units: range, drawings: list[int]) -> None:
    """Something is left on their day, but whoever drew later would go without."""
    used = (total(DAYS[1], 40, SUM), total(DAYS[5], 60, SUM))
    lots = [Lot("l", D(100), date(2026, 1, 1)), Lot("m", D(90), MONTHS[0], MONTHS[1])]
    refused, _ = decided(Limit, lots, [a_drawer(used=used)], wants(units, SUM))
    assert len(refused) == 1000
    assert len(drawings) < 40


def test_many_of_a_service_with_an_allowance(drawings: list[int]) -> None:
    lots = [Lot("l", D(10), date(2026, 1, 1))]
    drawer = a_drawer(allowance=Allowance(D(100)))
    refused, _ = decided(Limit, lots, [drawer], wants(range(1020, 20, -1), SUM))
    assert refused == set(range(1000)) - {1020 - 110}
    assert len(drawings) < 60


def test_many_services_that_share_an_exhausted_pool(drawings: list[int]) -> None:
    """What waits is asked about every half a minute."""
    drawers = [a_drawer(service, service) for service in range(1, 301)]
    wanted = [Wanted(n, n + 1, total(DAYS[n % 5], 5 + n, SUM)) for n in range(300)]
    refused, _ = decided(Limit, [Lot("l", D(1), date(2026, 1, 1))], drawers, wanted)
    assert len(refused) == 300
    assert len(drawings) <= 3
