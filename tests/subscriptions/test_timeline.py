"""Facts become spans by their days, whatever order they came in."""

from datetime import date
from decimal import Decimal
from itertools import permutations

import pytest

from o2b.errors import Refused
from o2b.periods import FOREVER
from subscriptions.rules.checks import check_facts
from subscriptions.rules.facts import Act, Billing, Fact
from subscriptions.rules.timeline import span_on, spans_of

D = Decimal


def day(month, on=1):
    return date(2026, month, on)


START = Fact(1, Act.START, day(1), 7, 70, D(2), account=5, line=11)


def told(*facts):
    """(month, account, version, Terms, quantity, in use, billed, opens) of each span."""
    return [
        (
            *(s.period.start.month, s.account, s.product_version, s.terms, int(s.quantity)),
            *(s.in_use, s.billed, s.opens),
        )
        for s in spans_of([START, *facts])
    ]


def test_a_start_alone_goes_on_for_ever():
    (span,) = spans_of([START])
    assert (span.period.start, span.period.end, span.opens) == (day(1), FOREVER, True)


def test_each_act_changes_its_own_part():
    facts = [
        Fact(2, Act.QUANTITY, day(2), quantity=D(5)),
        Fact(3, Act.TERMS, day(3), 8, 80),
        Fact(4, Act.REPLACE, day(4), 9),
        Fact(5, Act.SUSPEND, day(5), billing=Billing.NONE),
        Fact(6, Act.RESUME, day(6)),
        Fact(7, Act.TRANSFER, day(7), account=6),
        Fact(8, Act.SUSPEND, day(8), billing=Billing.FEE, terms=99),
        Fact(9, Act.RESUME, day(9)),
        Fact(10, Act.END, day(10)),
    ]
    wanted = [
        (1, 5, 7, 70, 2, True, True, True),
        (2, 5, 7, 70, 5, True, True, False),
        (3, 5, 8, 80, 5, True, True, True),
        (4, 5, 9, 80, 5, True, True, False),
        (5, 5, 9, 80, 5, False, False, False),
        (6, 5, 9, 80, 5, True, True, False),
        (7, 6, 9, 80, 5, True, True, False),
        (8, 6, 9, 99, 5, False, True, True),
        (9, 6, 9, 80, 5, True, True, False),
    ]
    assert told(*facts) == wanted
    assert told(*reversed(facts)) == wanted
    assert spans_of([START, *facts])[-1].period.end == day(10)


def test_any_order_of_arrival_gives_the_same_spans():
    facts = [
        Fact(2, Act.QUANTITY, day(2), quantity=D(5)),
        Fact(3, Act.TERMS, day(3), 8, 80, D(6)),
        Fact(4, Act.TRANSFER, day(3, 15), account=6),
        Fact(5, Act.QUANTITY, day(4), quantity=D(1)),
        Fact(6, Act.END, day(6)),
    ]
    wanted = told(*facts)
    for several in permutations(facts):
        keyed = [Fact(n, *_rest(fact)) for n, fact in enumerate(several, start=2)]
        assert told(*keyed) == wanted


def _rest(fact):
    return [getattr(fact, name) for name in list(Fact.__dataclass_fields__)[1:]]


def test_what_was_taken_back_was_never_told():
    more = Fact(2, Act.QUANTITY, day(2), quantity=D(5))
    gone = Fact(3, Act.WITHDRAW, day(2), withdraws=2)
    assert told(more, gone) == told()


def test_a_change_to_what_it_is_already_makes_no_span():
    assert told(Fact(2, Act.QUANTITY, day(2), quantity=D(2))) == told()


def test_a_service_that_ends_on_its_first_day_never_was():
    assert told(Fact(2, Act.END, day(1))) == []


def test_span_on_a_day():
    spans = spans_of([START, Fact(2, Act.END, day(3))])
    assert span_on(spans, day(2)) == spans[0]
    assert (span_on(spans, day(3)), span_on(spans, date(2025, 12, 31))) == (None, None)


PAUSED = Fact(2, Act.SUSPEND, day(3), billing=Billing.NONE)
BACK = Fact(3, Act.RESUME, day(5))
ENDED = Fact(2, Act.END, day(6))


@pytest.mark.parametrize(
    ("facts", "code", "field"),
    [
        ([Fact(2, Act.QUANTITY, date(2025, 12, 31), quantity=D(1))], "before_start", "on"),
        ([ENDED, Fact(3, Act.QUANTITY, day(6), quantity=D(1))], "after_end", "on"),
        (
            [Fact(2, Act.QUANTITY, day(7), quantity=D(1)), Fact(3, Act.END, day(6))],
            "after_end",
            "on",
        ),
        ([ENDED, Fact(3, Act.END, day(8))], "ended_already", "on"),
        ([PAUSED, Fact(3, Act.SUSPEND, day(4), billing=Billing.FULL)], "suspended_already", "on"),
        ([Fact(2, Act.RESUME, day(4))], "not_suspended", "on"),
        ([PAUSED, BACK, Fact(4, Act.RESUME, day(7))], "not_suspended", "on"),
        ([Fact(2, Act.QUANTITY, day(4), quantity=D(0))], "quantity_invalid", "quantity"),
        ([Fact(2, Act.TRANSFER, day(4), account=5)], "same_account", "to_account"),
        (
            [Fact(2, Act.TRANSFER, day(4), account=6), Fact(3, Act.TRANSFER, day(5), account=5)],
            "transfer_cycle",
            "to_account",
        ),
        (
            [Fact(2, Act.TERMS, day(4), 8, 80), Fact(3, Act.REPLACE, day(4), 9)],
            "two_changes_a_day",
            "on",
        ),
        (
            [Fact(2, Act.TERMS, day(4), 8, 80, D(3)), Fact(3, Act.QUANTITY, day(4), quantity=D(4))],
            "two_changes_a_day",
            "on",
        ),
        ([PAUSED, Fact(3, Act.RESUME, day(3))], "two_changes_a_day", "on"),
    ],
)
def test_what_contradicts_is_refused(facts, code, field):
    with pytest.raises(Refused) as no:
        check_facts([START, *facts])
    assert (no.value.code, no.value.field) == (code, field)


def test_what_agrees_is_not():
    check_facts([START, PAUSED, BACK, Fact(4, Act.QUANTITY, day(3), quantity=D(9))])
    check_facts([START, PAUSED, Fact(3, Act.WITHDRAW, day(3), withdraws=2)])
