"""The arithmetic of terms: uplifts, what leaving costs, what becomes of a service when one ends."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from o2b.charging import (
    Alignment,
    ChargeTerms,
    Discount,
    DiscountKind,
    EventRates,
    Grant,
    Interval,
    Kind,
    LineTerms,
    Model,
    Proration,
    RampStep,
    StartRule,
    Tier,
    Timing,
    Trial,
)
from o2b.periods import FOREVER, Period, Unit
from subscriptions.commitments.rules import What, term_after, verdict
from subscriptions.rules.billing import Grid
from subscriptions.rules.leaving import leaving_fee, remaining
from subscriptions.rules.prices import dearer, moved, same_price, uplifted
from subscriptions.rules.timeline import Span

D = Decimal
MONTHLY = ChargeTerms(
    key="monthly",
    kind=Kind.RECURRING,
    model=Model.PER_UNIT,
    unit_price=D("30"),
    currency="EUR",
    interval=Interval(Unit.MONTH),
    timing=Timing.ADVANCE,
    alignment=Alignment.BILL_DAY,
    proration=Proration.DAY,
)
SETUP = replace(MONTHLY, key="setup", kind=Kind.ONE_TIME, interval=None, unit_price=D("12"))
START = date(2026, 1, 1)
GRID = Grid(START, 1)


def terms(*charges):
    return LineTerms("line", 1, "EUR", StartRule.ON_DELIVERY, charges)


def span(start=START, end=FOREVER, **given):
    told = {
        "leg": 0,
        "account": 1,
        "period": Period(start, end),
        "product_version": 1,
        "terms": 1,
        "quantity": D(1),
        "in_use": True,
        "billed": True,
        "opens": start == START,
        "line": 1,
    }
    return Span(**told | given)


# uplifts


@pytest.mark.parametrize(
    ("percent", "wanted"),
    [("3.5", "31.05000000"), ("0.0001", "30.00003000"), ("100", "60.00000000")],
)
def test_unit_prices_rise(percent, wanted):
    (charge,) = uplifted(terms(MONTHLY, SETUP), D(percent)).charges
    assert (charge.key, charge.unit_price) == ("monthly", D(wanted))


def test_tiers_steps_and_flat_fees_rise_and_discounts_stay():
    tiers = (Tier(D(10), D("2.00"), D("5")), Tier(None, D("1.111111111111")))
    tiered = replace(MONTHLY, model=Model.GRADUATED, tiers=tiers, unit_price=D(0))
    off = (Discount(DiscountKind.PERCENT, D(10)), Discount(DiscountKind.AMOUNT, D(1)))
    ramped = replace(MONTHLY, key="ramp", ramp=(RampStep(D("40"), after_months=6),), discounts=off)
    first, second = uplifted(terms(tiered, ramped), D(10)).charges
    assert [(t.unit_price, t.flat_fee) for t in first.tiers] == [
        (D("2.2"), D("5.5")),
        (D("1.22222222"), D(0)),
    ]
    assert (second.ramp[0].unit_price, second.discounts) == (D("44"), off)


@pytest.mark.parametrize(
    ("charge", "wanted"),
    [
        (
            replace(MONTHLY, unit_price=D("10"), minimum=D("500"), maximum=D("900")),
            {"unit_price": D("11"), "minimum": D("550"), "maximum": D("990")},
        ),
        (replace(MONTHLY, minimum=D("0")), {"minimum": D(0), "maximum": None}),
        (
            # A rate is a price as well; what is free stays free, and no more of it.
            replace(
                MONTHLY,
                kind=Kind.USAGE,
                timing=Timing.ARREARS,
                model=Model.PERCENTAGE,
                unit_price=D("2"),
                event=EventRates(D("0.30"), D("0.50"), D("7"), free_events=3, free_amount=D("50")),
            ),
            {
                "unit_price": D("2.2"),
                "event": EventRates(
                    D("0.33"), D("0.55"), D("7.7"), free_events=3, free_amount=D("50")
                ),
            },
        ),
    ],
)
def test_the_least_and_the_most_rise_and_so_do_events(charge, wanted):
    (found,) = uplifted(terms(charge), D(10)).charges
    assert {name: getattr(found, name) for name in wanted} == wanted


def test_what_is_paid_once_only_is_left_as_it_is():
    assert [c.key for c in uplifted(terms(SETUP), D(10)).charges] == ["setup"]


# another price for who has the service already


def test_no_second_trial_no_second_ramp_no_second_set_up():
    trial = Trial(Interval(Unit.MONTH))
    steps = (RampStep(D("40"), after_months=3), RampStep(D("50"), after_months=6))
    (found,) = moved(terms(replace(MONTHLY, trial=trial, ramp=steps), SETUP)).charges
    assert (found.unit_price, found.trial, found.ramp) == (D("50"), None, ())


def test_the_same_price_is_the_same():
    steps = (RampStep(D("40"), after_months=3),)
    ramped = terms(replace(MONTHLY, ramp=steps), SETUP)
    later = {"on": date(2027, 1, 1), "began_on": START}
    assert same_price(ramped, ramped, **later)
    assert same_price(terms(MONTHLY), terms(MONTHLY, SETUP), **later)
    assert not same_price(terms(replace(MONTHLY, unit_price=D("31"))), terms(MONTHLY), **later)
    # While its steps are still to come it is not what the last of them says.
    assert not same_price(ramped, ramped, on=date(2026, 2, 1), began_on=START)


def test_steps_that_are_past_are_no_other_price():
    later = {"on": date(2027, 1, 1), "began_on": START}
    past = (RampStep(D("40"), on=date(2026, 6, 1)), RampStep(D("50"), on=date(2027, 1, 1)))
    to_come = (RampStep(D("60"), on=date(2027, 2, 1)),)
    stepped = terms(replace(MONTHLY, ramp=past))
    assert same_price(terms(replace(MONTHLY, unit_price=D("50"))), stepped, **later)
    assert not same_price(terms(MONTHLY), stepped, **later)
    both = terms(replace(MONTHLY, ramp=past + to_come))
    assert same_price(both, both, **later)
    assert not same_price(terms(replace(MONTHLY, unit_price=D("50"))), both, **later)


def stepping(charge, price, on):
    return replace(charge, ramp=(RampStep(D(price), on=on),))


USED = replace(MONTHLY, key="use", kind=Kind.USAGE, timing=Timing.ARREARS, unit_price=D(1))


GRANT = Grant(D(100), "data", rollover=D(20))
FILLED = replace(MONTHLY, grant=GRANT)


def filled(**other):
    return replace(MONTHLY, grant=replace(GRANT, **other))


@pytest.mark.parametrize(
    ("new", "now", "wanted"),
    [
        ([FILLED], [FILLED], False),
        ([FILLED], [MONTHLY], False),
        ([MONTHLY], [FILLED], True),
        ([filled(units=D(99))], [FILLED], True),
        ([filled(units=D(101))], [FILLED], False),
        ([filled(units=D(101), rollover=None)], [FILLED], True),
        ([filled(meter="other")], [FILLED], True),
        (
            [replace(SETUP, grant=Grant(D(1), "data"))],
            [replace(SETUP, grant=Grant(D(9), "data"))],
            False,
        ),
        ([MONTHLY], [MONTHLY, SETUP], False),
        ([replace(MONTHLY, unit_price=D("30.01"))], [MONTHLY], True),
        ([replace(MONTHLY, unit_price=D("29"))], [MONTHLY], False),
        ([replace(MONTHLY, ramp=(RampStep(D("40"), after_months=3),))], [MONTHLY], True),
        ([replace(MONTHLY, unit_price=D("360"), interval=Interval(Unit.YEAR))], [MONTHLY], False),
        ([replace(MONTHLY, unit_price=D("361"), interval=Interval(Unit.YEAR))], [MONTHLY], True),
        ([replace(MONTHLY, unit_price=D("1"), interval=Interval(Unit.DAY))], [MONTHLY], True),
        ([MONTHLY, USED], [MONTHLY], True),
        ([MONTHLY], [MONTHLY, USED], False),
        ([replace(USED, unit_price=D("1.01"))], [USED], True),
        ([replace(USED, unit_price=D("0.99"))], [USED], False),
        ([replace(USED, minimum=D("5"))], [USED], True),
        ([stepping(USED, "1.50", date(2026, 7, 1))], [USED], True),
        ([stepping(USED, "1.50", date(2026, 7, 2))], [USED], False),
        ([replace(USED, unit_price=D("1.20"))], [stepping(USED, "1.50", date(2026, 6, 1))], False),
    ],
)
def test_what_is_dearer(new, now, wanted):
    asked = {"quantity": D(2), "on": date(2026, 7, 1), "began_on": START}
    assert dearer(terms(*new), terms(*now), **asked) is wanted


def test_where_the_old_price_does_not_reach_any_other_is_dearer():
    tiered = {"model": Model.GRADUATED, "unit_price": D(0)}
    now = replace(MONTHLY, **tiered, tiers=(Tier(D(1), D("5")),))
    asked = {"quantity": D(2), "on": date(2026, 7, 1), "began_on": START}
    assert dearer(terms(MONTHLY), terms(now), **asked)


# leaving


@pytest.mark.parametrize(
    ("on", "ends_on", "exact"),
    [
        (date(2026, 2, 10), date(2027, 1, 1), Fraction(30 * 19, 28) + 300),
        (date(2026, 12, 31), date(2027, 1, 1), Fraction(30, 31)),
        (date(2027, 1, 1), date(2027, 1, 1), Fraction(0)),
        (date(2027, 3, 1), date(2027, 1, 1), Fraction(0)),
        (date(2026, 3, 1), date(2026, 3, 16), Fraction(30 * 15, 31)),
    ],
)
def test_what_remains_is_what_would_be_billed(on, ends_on, exact):
    found = remaining([span()], grid=GRID, terms={1: terms(MONTHLY, SETUP)}, on=on, ends_on=ends_on)
    assert found == round(D(exact.numerator) / D(exact.denominator), 2)


def test_later_changes_and_days_that_are_not_billed_count():
    spans = [
        span(end=date(2026, 6, 1)),
        span(date(2026, 6, 1), date(2026, 8, 1), billed=False, in_use=False),
        span(date(2026, 8, 1), quantity=D(3)),
    ]
    told = {"grid": GRID, "terms": {1: terms(MONTHLY)}, "ends_on": date(2026, 10, 1)}
    # May, and two months of three.
    assert remaining(spans, on=date(2026, 5, 1), **told) == D("210.00")


@pytest.mark.parametrize(
    ("kind", "value", "left", "currency", "wanted"),
    [
        ("none", "0", "100", "EUR", "0.00"),
        ("remaining", "0", "100.01", "EUR", "100.01"),
        ("percent", "50", "0.01", "EUR", "0.01"),
        ("percent", "12.5", "99.99", "JPY", "12"),
        ("fixed", "99.5", "0", "KWD", "99.500"),
        ("remaining", "0", "-5", "EUR", "0.00"),
    ],
)
def test_the_fee_is_rounded_once(kind, value, left, currency, wanted):
    found = leaving_fee(kind, D(value), remaining=D(left), currency=currency)
    assert str(found) == wanted


# when a term ends


DUE = date(2027, 1, 1)
AWAY = span(date(2026, 12, 20), in_use=False, billed=False)
BACK = date(2027, 1, 10)


@pytest.mark.parametrize(
    ("spans", "today", "ends", "wanted"),
    [
        ([span()], DUE, False, (What.RENEW, DUE)),
        ([span()], date(2027, 5, 1), False, (What.RENEW, DUE)),
        ([], DUE, False, (What.OVER, DUE)),
        ([span(end=DUE)], DUE, False, (What.OVER, DUE)),
        ([span(end=date(2027, 3, 1))], DUE, False, (What.LATER, date(2027, 3, 1))),
        ([span(end=date(2027, 3, 1))], date(2027, 3, 1), False, (What.OVER, date(2027, 3, 1))),
        ([span(end=date(2026, 12, 20)), AWAY], DUE, False, (What.WAIT, DUE)),
        ([span(end=date(2026, 12, 20)), AWAY], DUE, True, (What.RENEW, DUE)),
        (
            [replace(AWAY, period=Period(date(2026, 12, 20), BACK)), span(BACK)],
            date(2027, 1, 9),
            False,
            (What.WAIT, DUE),
        ),
        (
            [replace(AWAY, period=Period(date(2026, 12, 20), BACK)), span(BACK)],
            BACK,
            False,
            (What.RENEW, BACK),
        ),
    ],
)
def test_what_becomes_of_a_service(spans, today, ends, wanted):
    found = verdict(spans, due_on=DUE, today=today, ends=ends)
    assert (found.what, found.on) == wanted


@pytest.mark.parametrize(
    ("start", "months", "anchor", "due", "wanted"),
    [
        (date(2026, 2, 28), 1, 31, date(2026, 2, 28), (date(2026, 3, 31), 31)),
        (date(2028, 1, 31), 1, 31, date(2028, 1, 31), (date(2028, 2, 29), 31)),
        (date(2028, 2, 29), 12, 29, date(2028, 2, 29), (date(2029, 2, 28), 29)),
        (date(2029, 2, 28), 36, 29, date(2029, 2, 28), (date(2032, 2, 29), 29)),
        (date(2027, 1, 10), 12, 1, date(2027, 1, 1), (date(2028, 1, 10), 10)),
    ],
)
def test_terms_end_on_their_day_of_the_month(start, months, anchor, due, wanted):
    assert term_after(start, months=months, anchor_day=anchor, due_on=due) == wanted
