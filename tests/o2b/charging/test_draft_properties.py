"""Laws of drafting that hold whatever the terms, the dates and the changes."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from o2b.charging import Billed, ChargeTerms, draft, draft_and_mark, mark
from o2b.money import minor_unit
from tests.o2b.charging.build import bill, half_up
from tests.o2b.charging.strategies import (
    PLAIN,
    charged,
    days_after,
    service,
    steps,
    terms_of,
)


@settings(deadline=None)
@given(charged(), steps)
def test_run_by_run_is_the_same_as_at_once(facts, gaps):
    found, now = [], facts
    for until in days_after(facts.started_on, gaps):
        lines, after = draft_and_mark(now, until=until)
        assert draft([now], until=until) == lines
        assert mark(now, until=until) == after
        found += lines
        now = now._replace(billed_through=after.billed_through)
        assert draft([now], until=until) == []
    assert found == draft([facts], until=until)
    assert mark(facts, until=until) == after


@settings(deadline=None)
@given(charged(), st.integers(0, 400))
def test_next_due_on_is_the_first_day_that_bills_more(facts, offset):
    until = facts.started_on + timedelta(days=offset)
    _, after = draft_and_mark(facts, until=until)
    now = facts._replace(billed_through=after.billed_through)
    if after.next_due_on is None:
        assert draft([now], until=until + timedelta(days=2000)) == []
    else:
        assert after.next_due_on > until
        assert draft([now], until=after.next_due_on - timedelta(days=1)) == []
        lines, moved = draft_and_mark(now, until=after.next_due_on)
        # A period without usage has no line, but is over all the same.
        assert lines != [] if facts.terms.kind != "usage" else moved != after


@settings(deadline=None)
@given(charged(), st.lists(st.integers(1, 60), min_size=1, max_size=6), st.data())
def test_whatever_happened_the_sum_billed_is_what_the_last_state_costs(facts, gaps, data):
    """Other starts and segments, runs late and early, quiet runs between: the same sum."""
    sums: dict[tuple[date, int], Billed] = {}
    through, until, now = None, facts.started_on, facts
    for gap in gaps:
        started_on = facts.started_on + timedelta(days=data.draw(st.sampled_from([0, 0, 3, 31])))
        now = facts._replace(started_on=started_on, segments=data.draw(service(started_on)))
        changed = now._replace(billed_through=through, billed=tuple(sums.values()))
        run_on = until + timedelta(days=data.draw(st.sampled_from([gap, gap, -gap])))
        lines, (through, _) = draft_and_mark(changed, until=run_on)
        bill(sums, lines)
        until += timedelta(days=2 * gap)
        # A run for an earlier day takes the mark of usage back: of what was ever changed billing
        # always tells what was billed (`UsageOf.again`).
        known = tuple(sums.values()) if facts.terms.kind == "usage" else None
        quiet = now._replace(billed_through=through, billed=known)
        lines, (through, _) = draft_and_mark(quiet, until=until)
        bill(sums, lines)
    billed = {key: each.amount for key, each in sums.items() if each.amount}
    last = draft([now], until=until)
    expected = {(line.full_period.start, line.segment): line.amount for line in last if line.amount}
    # An end that was taken back, or a run for an earlier day, leaves what was billed before it was
    # due: periods after the expected ones, at the price that the whole draft would give them.
    later = draft([now], until=until + timedelta(days=2000))
    whole = {(line.full_period.start, line.segment): line.amount for line in later}
    assert expected.items() <= billed.items() <= whole.items()


@settings(deadline=None)
@given(charged(), st.integers(1, 200), st.data())
def test_changing_and_changing_back_bills_net_nothing(facts, offset, data):
    until = facts.started_on + timedelta(days=offset)
    sums: dict[tuple[date, int], Billed] = {}
    bill(sums, draft([facts], until=until))
    before = {key: each.amount for key, each in sums.items() if each.amount}
    other = facts._replace(segments=data.draw(service(facts.started_on)))
    first = draft([other._replace(billed=tuple(sums.values()))], until=until)
    bill(sums, first)
    second = draft([facts._replace(billed=tuple(sums.values()))], until=until)
    bill(sums, second)
    if facts.terms.timing == "advance" or facts.terms.kind == "one_time":
        assert sum(line.amount for line in first + second) == 0
        assert {key: each.amount for key, each in sums.items() if each.amount} == before
    assert draft([facts._replace(billed=tuple(sums.values()))], until=until) == []


@settings(deadline=None)
@given(charged(terms_of(kind="recurring", proration="day", **PLAIN)), st.integers(0, 300))
def test_a_period_costs_the_sum_of_its_days(facts, offset):
    """Day by day in fractions: each served day costs its price over the days of the period."""
    lines = draft([facts], until=facts.started_on + timedelta(days=offset))
    currency = facts.terms.currency
    for full in {line.full_period for line in lines}:
        total = Fraction(0)
        for n in range(full.days):
            day = full.start + timedelta(days=n)
            for segment in facts.segments:
                if segment.period.contains(day):
                    total += price_by_hand(facts.terms, segment.quantity) / full.days
        billed = sum(line.amount for line in lines if line.full_period == full)
        assert billed == half_up(total, currency)


@settings(deadline=None)
@given(charged(terms_of(kind="usage", ramp=())), st.integers(0, 400))
def test_what_was_used_in_service_is_counted_once(facts, offset):
    lines, after = draft_and_mark(facts, until=facts.started_on + timedelta(days=offset))
    last = facts.terms.conventions.last_day_billed
    trial = facts.terms.trial
    paid_from = trial.length.advance(facts.started_on, 1) if trial else facts.started_on
    served = {
        span.period.start + timedelta(days=n)
        for span in facts.segments
        for n in range(min(span.period.days, 3000) + last)
    }
    expected = sum(
        each.quantity
        for each in facts.usage
        if each.day in served and paid_from <= each.day < (after.billed_through or paid_from)
    )
    assert sum(line.quantity for line in lines) == expected
    assert [line.segment for line in lines] == [1] * len(lines)


def price_by_hand(terms: ChargeTerms, quantity: Decimal) -> Fraction:
    left = Fraction(terms.unit_price) * Fraction(quantity)
    for discount in terms.discounts:
        value = Fraction(discount.value)
        left = left * (100 - value) / 100 if discount.kind == "percent" else left - value
    return max(left, Fraction(0))


@settings(deadline=None)
@given(charged(), st.integers(0, 400))
def test_lines_are_at_the_minor_unit_and_within_service(facts, offset):
    unit = minor_unit(facts.terms.currency)
    lines = draft([facts], until=facts.started_on + timedelta(days=offset))
    for line in lines:
        assert line.amount.as_tuple().exponent == unit.as_tuple().exponent
        assert line.amount == line.target
        assert line.full_period.overlap(line.period) == line.period
    keys = [(line.full_period.start, line.segment, line.revision) for line in lines]
    assert keys == sorted(set(keys))


@settings(deadline=None)
@given(charged(terms_of(model="per_unit")), st.integers(0, 400), st.integers(0, 5))
def test_more_units_never_bill_less(facts, offset, more):
    # Units that include so much usage each leave less of it to pay.
    assume(facts.terms.allowance is None or not facts.terms.allowance.per_unit)
    until = facts.started_on + timedelta(days=offset)
    larger = facts._replace(
        segments=tuple(each._replace(quantity=each.quantity + more) for each in facts.segments)
    )
    few, many = (
        sum(line.amount for line in draft([each], until=until)) for each in (facts, larger)
    )
    assert few <= many
