"""The memo of drafting: charges that resemble each other share answers, and only those."""

import sys
from datetime import date, timedelta
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from o2b.charging import (
    Billed,
    ChargeFacts,
    Segment,
    Trial,
    Used,
    compile_charge,
    draft,
    draft_and_mark,
    memory,
)
from o2b.charging.rating import rate_usage
from o2b.charging.terms import Conventions
from o2b.periods import FOREVER, Interval, Period
from tests.o2b.charging.build import charge
from tests.o2b.charging.strategies import (
    START,
    days_after,
    days_of_start,
    quantities,
    steps,
    terms_of,
)


@settings(deadline=None)
@given(
    st.lists(st.tuples(terms_of(), days_of_start, st.integers(1, 31)), min_size=1, max_size=4),
    quantities,
    steps,
)
def test_the_memo_answers_as_the_computation_does(kinds, quantity, gaps):
    """Charges that resemble each other share answers; each is the one it would get alone."""
    many = []
    for terms, first_day, anchor_day in kinds:
        for later, delay, offset in product((0, 1, 31), (0, 9), (None, 0, 11, 31)):
            started_on = first_day + timedelta(days=later)
            begins = started_on + timedelta(days=delay)
            segments = (Segment(Period(begins, FOREVER), quantity),)
            through = None if offset is None else first_day + timedelta(days=offset)
            many.append(
                ChargeFacts(1, compile_charge(terms), started_on, anchor_day, segments, through)
            )
    for until in days_after(START, gaps):
        shared = [draft_and_mark(each, until=until) for each in many]
        alone = []
        for each in many:
            memory.forget()
            alone.append(draft_and_mark(each, until=until))
        assert shared == alone


def test_the_memo_is_bounded(monkeypatch):
    monkeypatch.setattr(memory, "SIZE", 10)
    memory.forget()
    compiled = compile_charge(charge())
    for n in range(35):
        begins = START + timedelta(days=n)
        segments = (Segment(Period(begins, FOREVER), Decimal(1)),)
        facts = ChargeFacts(n, compiled, begins, 1, segments, None)
        assert len(draft([facts], until=begins)) == 1
    assert 0 < len(memory.outcomes) <= 10
    assert 0 < len(memory.walks) <= 10


TRIAL = Trial(Interval("day", 14), moves_anchor=True)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # Free from the 16th to the 30th: full periods begin on the 30th, or on the 16th as billed.
        ({"alignment": "anniversary"}, {"alignment": "bill_day"}),
        # Calendar weeks begin on Monday, seven days wherever they began.
        (
            {"alignment": "calendar", "interval": Interval("week")},
            {"alignment": "calendar", "interval": Interval("day", 7)},
        ),
    ],
)
def test_charges_of_different_grids_share_nothing(one, other):
    begins = date(2026, 1, 16)
    segments = (Segment(Period(begins, FOREVER), Decimal(1)),)
    found = []
    for shared in (True, False):
        memory.walks.clear()
        for each in (one, other):
            compiled = compile_charge(charge("30", trial=TRIAL, **each))
            facts = ChargeFacts(1, compiled, begins, begins.day, segments, None)
            memory.outcomes.clear()
            if not shared:
                memory.walks.clear()
            lines = draft([facts], until=date(2026, 2, 20))
            found.append([(line.period, line.amount) for line in lines])
    assert found[:2] == found[2:]
    assert found[0] != found[1]


def test_a_trial_moves_the_day_of_an_anniversary_and_no_bill_day():
    """Free from the 16th to the 30th: full periods begin on the 30th, or on the 16th as billed."""
    begins = date(2026, 1, 16)
    found = {}
    memory.walks.clear()
    for alignment in ("anniversary", "bill_day"):
        compiled = compile_charge(charge("30", alignment=alignment, trial=TRIAL))
        segments = (Segment(Period(begins, FOREVER), Decimal(1)),)
        facts = ChargeFacts(1, compiled, begins, begins.day, segments, None)
        found[alignment] = [
            (str(line.period.start), str(line.period.end), str(line.amount))
            for line in draft([facts], until=date(2026, 2, 20))
        ]
    assert found == {
        "anniversary": [("2026-01-30", "2026-02-28", "30.00")],
        # 17 of 31 days
        "bill_day": [("2026-01-30", "2026-02-16", "16.45"), ("2026-02-16", "2026-03-16", "30.00")],
    }


@pytest.mark.parametrize("last_day", [True, False])
def test_changed_charges_share_answers_only_where_all_that_is_told_is_equal(last_day):
    """Days, quantities, whether service ends, what was billed and how far: each makes its own."""
    terms = compile_charge(charge("31", conventions=Conventions(last_day_billed=last_day)))
    first, month = date(2026, 1, 1), date(2026, 2, 1)
    spans = [Period(first, date(2026, 1, n)) for n in (11, 21)]
    befores = [None, ()]
    befores += [(Billed(first, 1, 1, Decimal(amount), month),) for amount in ("31", "30")]
    many = [
        ChargeFacts(0, terms, first, 1, (Segment(span, Decimal(n), ends),), through, billed)
        for span, n, ends, through, billed in product(
            spans, (1, 2), (True, False), (None, month), befores
        )
    ]
    memory.forget()
    shared = [draft_and_mark(each, until=date(2026, 1, 31)) for each in [*many, *many]]
    alone = []
    for each in many:
        memory.forget()
        alone.append(draft_and_mark(each, until=date(2026, 1, 31)))
    assert shared == [*alone, *alone]
    assert len({str(each) for each in alone}) > 10


def _metered(usage: tuple[Used, ...]) -> ChargeFacts:
    compiled = compile_charge(charge("2", kind="usage", timing="arrears"))
    segments = (Segment(Period(START, FOREVER), Decimal(1)),)
    return ChargeFacts(1, compiled, START, 1, segments, None, usage=usage)


@pytest.fixture
def kept():
    with memory.keeping_usage():
        yield


def test_what_was_used_is_rated_once_for_the_next_who_asks(monkeypatch, kept):
    """The check asks of the very usage that was drafted; who asks of another is not answered."""
    memory.forget()
    rated = []

    def counting(*told):
        rated.append(told)
        return rate_usage(*told)

    monkeypatch.setattr(sys.modules["o2b.charging.draft"], "rate_usage", counting)
    until = START + timedelta(days=62)
    facts = _metered(tuple(Used(START + timedelta(days=n), Decimal(n)) for n in range(3)))
    first, again, third = (draft([facts], until=until) for _ in range(3))
    assert first == again == third
    assert str(first[0].amount) == "6.00"
    assert len(rated) == 2  # the second was told what the first had found, the third was not
    same = facts._replace(usage=(*facts.usage[:2], facts.usage[2]))
    other = facts._replace(terms=compile_charge(charge("3", kind="usage", timing="arrears")))
    billed = facts._replace(billed=())
    for each, day in ((same, until), (other, until), (billed, until), (facts, START)):
        memory.forget()
        draft([facts], until=until)
        before = len(rated)
        draft([each], until=day)
        assert len(rated) == before + 1


def test_of_usage_nothing_is_kept_but_while_somebody_holds_it():
    facts = _metered((Used(START, Decimal(2)),))
    until = START + timedelta(days=62)
    first = draft([facts], until=until)
    assert not memory.rated
    with memory.keeping_usage():
        assert draft([facts], until=until) == first
        assert len(memory.rated[0]) == 1
        assert draft([facts], until=until) == first
        assert not memory.rated[0]
        draft([facts], until=until)
    assert not memory.rated
