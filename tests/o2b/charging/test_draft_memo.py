"""The memo of drafting: charges that resemble each other share answers, and only those."""

from datetime import timedelta
from decimal import Decimal
from importlib import import_module
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from o2b.charging import ChargeFacts, Segment, compile_charge, draft, draft_and_mark
from o2b.periods import FOREVER, Period
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
    module = import_module("o2b.charging.draft")
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
            module._outcomes.clear()
            module._walks.clear()
            alone.append(draft_and_mark(each, until=until))
        assert shared == alone


def test_the_memo_is_bounded(monkeypatch):
    module = import_module("o2b.charging.draft")
    monkeypatch.setattr(module, "MEMO_SIZE", 10)
    module._outcomes.clear()
    module._walks.clear()
    compiled = compile_charge(charge())
    for n in range(35):
        begins = START + timedelta(days=n)
        segments = (Segment(Period(begins, FOREVER), Decimal(1)),)
        facts = ChargeFacts(n, compiled, begins, 1, segments, None)
        assert len(draft([facts], until=begins)) == 1
    assert 0 < len(module._outcomes) <= 10
    assert 0 < len(module._walks) <= 10
