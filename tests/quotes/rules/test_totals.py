"""What an offer comes to, in figures worked out by hand."""

from datetime import date
from decimal import Decimal

import pytest

from o2b.charging import (
    Alignment,
    ChargeTerms,
    Discount,
    DiscountKind,
    Interval,
    Kind,
    LineTerms,
    Model,
    Proration,
    StartRule,
    Timing,
)
from o2b.periods import Unit
from quotes.rules.totals import LARGEST, Priced, a_month, first_bill_on, totals

D = Decimal


def charge(
    price: str, interval: Interval | None, currency: str = "EUR", **given: object
) -> ChargeTerms:
    fields: dict[str, object] = {
        "key": "charge",
        "kind": Kind.RECURRING if interval else Kind.ONE_TIME,
        "model": Model.PER_UNIT,
        "unit_price": D(price),
        "currency": currency,
        "interval": interval,
        "timing": Timing.ADVANCE,
        "alignment": Alignment.BILL_DAY,
        "proration": Proration.DAY,
    }
    return ChargeTerms(**fields | given)  # type: ignore[arg-type]


def line(*charges: ChargeTerms, quantity: str = "1") -> Priced:
    terms = LineTerms("p", 1, charges[0].currency, StartRule.ON_DELIVERY, charges)
    return Priced(terms, D(quantity))


MONTH = Interval(Unit.MONTH)


@pytest.mark.parametrize(
    ("interval", "monthly"),
    [
        (MONTH, "120"),
        (Interval(Unit.MONTH, 3), "40"),
        (Interval(Unit.YEAR), "10"),
        (Interval(Unit.DAY), "3650"),
        (Interval(Unit.WEEK, 2), "260.714286"),
        (None, "0"),
    ],
)
def test_a_price_spread_over_its_months(interval: Interval | None, monthly: str) -> None:
    told = a_month(charge("120", interval), D(1))
    assert told.quantize(D("0.000001")) == D(monthly).quantize(D("0.000001"))


@pytest.mark.parametrize(
    ("starts", "anchor", "bill"),
    [
        ("2026-01-01", 1, "2026-01-01"),
        ("2026-01-02", 1, "2026-02-01"),
        ("2026-01-31", 31, "2026-01-31"),
        ("2026-02-01", 31, "2026-02-28"),
        ("2026-02-28", 31, "2026-02-28"),
        ("2026-12-20", 15, "2027-01-15"),
    ],
)
def test_the_first_bill_comes_on_the_next_bill_day(starts: str, anchor: int, bill: str) -> None:
    told = first_bill_on(starts_on=date.fromisoformat(starts), anchor_day=anchor)
    assert told == date.fromisoformat(bill)


def test_the_first_invoice_holds_the_rest_of_the_month_the_next_one_and_what_is_paid_once() -> None:
    told = totals(
        [
            line(charge("31.00", MONTH), charge("99.00", None, key="setup"), quantity="2"),
            line(charge("10.00", MONTH, timing=Timing.ARREARS)),
        ],
        currency="EUR",
        starts_on=date(2026, 1, 22),
        anchor_day=1,
    )
    assert (told.one_time, told.monthly) == (D("198.00"), D("72.00"))
    first, second = told.lines
    assert [(p.key, p.period.start, p.amount) for p in first.first] == [
        ("charge", date(2026, 1, 22), D("20.00")),
        ("charge", date(2026, 2, 1), D("62.00")),
        ("setup", date(2026, 1, 22), D("198.00")),
    ]
    assert [p.amount for p in second.first] == [D("3.23")]
    assert told.first_invoice == D("283.23")
    assert told.first_invoice_on == date(2026, 2, 1)


def test_each_figure_is_the_sum_of_what_the_lines_show() -> None:
    third = Discount(DiscountKind.PERCENT, D("33.3333"))
    lines = [line(charge("0.99", MONTH, discounts=(third,))) for _ in range(3)]
    told = totals(lines, currency="EUR", starts_on=date(2026, 1, 1), anchor_day=1)
    assert [each.monthly for each in told.lines] == [D("0.66")] * 3
    assert told.monthly == D("1.98")
    assert told.first_invoice == D("1.98")


def test_an_offer_without_lines_is_nothing_in_its_currency() -> None:
    told = totals([], currency="JPY", starts_on=date(2026, 1, 1), anchor_day=1)
    assert (str(told.one_time), str(told.monthly), str(told.first_invoice)) == ("0", "0", "0")
    assert told.too_large is False


def test_what_no_invoice_can_hold_is_told() -> None:
    huge = line(charge("900000000000000", MONTH), quantity="2")
    told = totals([huge], currency="EUR", starts_on=date(2026, 1, 1), anchor_day=1)
    assert told.monthly > LARGEST
    assert told.too_large is True
