"""Tax: on net and inside gross, per line, rate or invoice, after coupons, on credits."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from o2b.charging.allocation import Coupon
from o2b.charging.tax import (
    TaxLine,
    TaxRounding,
    add_tax,
    invoice_totals,
    share_taxes,
    split_tax,
    take_tax,
    tax_in,
    tax_lines,
    tax_on,
)
from o2b.charging.taxing import Corrects, Taxable, taxes_of
from o2b.money import Rounding
from tests.o2b.charging.build import off
from tests.o2b.charging.test_allocation import LAGO_COUPONS, LAGO_LINES


def lines(*texts: str) -> list[TaxLine]:
    """`45.30@5` is an amount and a rate."""
    return [TaxLine(*map(Decimal, text.split("@"))) for text in texts]


def numbers(*texts: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(text) for text in texts)


@pytest.mark.parametrize(
    ("net", "percent", "currency", "tax"),
    [
        ("100.00", "15", "EUR", "15.00"),  # Meteroid
        ("50.00", "15", "EUR", "7.50"),
        ("100.00", "7.25", "EUR", "7.25"),
        ("9.99", "21", "EUR", "2.10"),
        ("165", "8.25", "USD", "13.61"),  # GadgetKit: 13.6125
        ("45.30", "5", "EUR", "2.27"),  # ties
        ("33.45", "10", "EUR", "3.35"),
        ("-45.30", "5", "EUR", "-2.27"),
        ("0.93", "20", "EUR", "0.19"),  # Lago, a true-up
        ("105", "10", "JPY", "11"),
        ("1.25", "10", "KWD", "0.125"),
        ("10", "0", "EUR", "0.00"),
    ],
)
def test_tax_on(net, percent, currency, tax):
    assert str(tax_on(Decimal(net), Decimal(percent), currency)) == tax


@pytest.mark.parametrize(
    ("gross", "percent", "tax"),
    [("50", "19", "7.98"), ("100", "19", "15.97"), ("81", "10", "7.36"), ("100", "0", "0.00")],
)
def test_tax_in(gross, percent, tax):
    assert str(tax_in(Decimal(gross), Decimal(percent), "EUR")) == tax


@pytest.mark.parametrize(
    ("rounding", "outside", "inside"),
    [
        ("half_up", "2.27", "0.14"),
        ("half_even", "2.26", "0.14"),
        ("up", "2.27", "0.15"),
        ("down", "2.26", "0.14"),
    ],
)
def test_rounding_modes(rounding, outside, inside):
    how = Rounding(rounding)
    assert tax_on(Decimal("45.30"), Decimal(5), "EUR", how) == Decimal(outside)
    assert tax_in(Decimal("3.01"), Decimal(5), "EUR", how) == Decimal(inside)
    assert add_tax(Decimal("45.30"), Decimal(5), "EUR", how).tax == Decimal(outside)
    assert take_tax(Decimal("3.01"), Decimal(5), "EUR", how).tax == Decimal(inside)
    found = tax_lines(lines("45.30@5"), currency="EUR", rounding=how)
    assert found.tax == Decimal(outside)
    totals = invoice_totals(lines("45.30@5"), currency="EUR", rounding=how)
    assert totals.tax == Decimal(outside)


def test_half_up_if_not_told():
    """Ties that half even would take to the other side."""
    tie, rate = Decimal("0.05"), Decimal(10)
    assert tax_on(tie, rate, "EUR") == add_tax(tie, rate, "EUR").tax == Decimal("0.01")
    assert split_tax(tie, rate, tie, "EUR").credit.tax == Decimal("0.01")
    assert invoice_totals(lines("0.05@10"), currency="EUR").tax == Decimal("0.01")
    gross, quarter = Decimal("0.125"), Decimal(25)
    assert tax_in(gross, quarter, "EUR") == take_tax(gross, quarter, "EUR").tax == Decimal("0.03")
    assert take_tax(gross, quarter, "EUR").total == Decimal("0.13")


@pytest.mark.parametrize(
    ("net", "percent", "found"),
    [
        (Decimal(160) * 29 / 30, "25", "154.67 38.67 193.34"),  # Lago, the last 29 of 30 days
        (Fraction(160 * 29, 30), "25", "154.67 38.67 193.34"),
        (Fraction(Decimal("29.99")) * 6 / 7, "23.33", "25.71 6.00 31.71"),
        (Fraction(50 * 27, 28), "20", "48.21 9.64 57.85"),
        (Decimal("82.6446"), "21", "82.64 17.36 100.00"),  # Invoice Ninja
        (Decimal("2.00"), "20", "2.00 0.40 2.40"),
        (1, "20", "1.00 0.20 1.20"),
    ],
)
def test_add_tax_rounds_net_and_tax_apart(net, percent, found):
    assert " ".join(map(str, add_tax(net, Decimal(percent), "EUR"))) == found


def test_take_tax_leaves_the_net():
    assert take_tax(Decimal(81), Decimal(10), "EUR") == numbers("73.64", "7.36", "81")
    assert take_tax(Fraction(100, 3), Decimal(19), "EUR") == numbers("28.01", "5.32", "33.33")


@pytest.mark.parametrize(
    ("per", "line_taxes", "rate_taxes", "tax"),
    [
        ("line", "0.02 0.02 0.01 0.01", {"15": "0.04", "5": "0.02"}, "0.06"),
        ("rate", "0.02 0.02 0.01 0.01", {"15": "0.03", "5": "0.01"}, "0.04"),
        ("invoice", "0.02 0.02 0.01 0.01", {"15": "0.03", "5": "0.01"}, "0.04"),
    ],
)
def test_what_is_added_up_before_it_is_rounded(per, line_taxes, rate_taxes, tax):
    found = tax_lines(
        lines("0.10@15", "0.10@15", "0.10@5", "0.10@5"), currency="EUR", per=TaxRounding(per)
    )
    assert found.line_taxes == numbers(*line_taxes.split())
    assert {str(rate): str(each) for rate, each in found.rate_taxes.items()} == rate_taxes
    assert (found.net, found.tax) == numbers("0.40", tax)
    assert found.total == Decimal("0.40") + Decimal(tax)


def test_per_rate_and_per_invoice_differ():
    given_lines = lines("0.03@50", "0.05@10")  # 0.015 and 0.005
    taxes = {
        per: tax_lines(given_lines, currency="EUR", per=TaxRounding(per)).tax for per in TaxRounding
    }
    assert taxes == {"line": Decimal("0.03"), "rate": Decimal("0.03"), "invoice": Decimal("0.02")}


@pytest.mark.parametrize(
    ("given_lines", "per", "tax", "total"),
    [
        (("45.30@5", "33.45@10"), "line", "5.62", "84.37"),  # Wafeq
        (("10834.79@15", "3018.27@0"), "rate", "1625.22", "15478.28"),
    ],
)
def test_tax_lines_as_published(given_lines, per, tax, total):
    found = tax_lines(lines(*given_lines), currency="EUR", per=TaxRounding(per))
    assert (found.tax, found.total) == numbers(tax, total)


def test_tax_inside_lines():
    found = tax_lines(lines("50@19", "50@19"), currency="EUR", inclusive=True)
    assert found.line_taxes == numbers("7.98", "7.98")
    assert (found.net, found.tax, found.total) == numbers("84.04", "15.96", "100")
    whole = tax_lines(
        lines("50@19", "50@19"), currency="EUR", inclusive=True, per=TaxRounding.INVOICE
    )
    assert (whole.net, whole.tax, whole.total) == numbers("84.03", "15.97", "100")


def test_no_lines():
    assert tax_lines([], currency="EUR") == ((), {}, 0, 0, 0)
    assert invoice_totals([], currency="EUR") == (0, 0, 0, 0, 0, 0, 0, (), (), ())


def test_the_rest_of_a_credit_is_the_difference():
    found = split_tax(Decimal("769.00"), Decimal(20), Decimal("726.86"), "EUR")
    assert found.credit == numbers("726.86", "145.37", "872.23")
    assert found.left == numbers("42.14", "8.43", "50.57")
    down = split_tax(Decimal("0.05"), Decimal(10), Decimal("0.05"), "EUR", Rounding.DOWN)
    assert down.credit.tax == down.left.tax == 0


def test_coupons_before_tax_as_lago_has_them():
    rates = ("10", "20", "10", "10") * 2
    found = invoice_totals(
        [TaxLine(line, Decimal(rate)) for line, rate in zip(LAGO_LINES, rates, strict=True)],
        currency="EUR",
        coupons=LAGO_COUPONS,
    )
    assert (found.subtotal, found.discount, found.net) == numbers("200", "35", "165")
    assert (found.tax, found.total, found.due) == numbers("18.89", "183.89", "183.89")
    assert sum(found.taxes) == Decimal("18.87")
    assert sum(found.shares) == 35


@pytest.mark.parametrize(
    ("given_lines", "coupons", "before", "columns"),
    [
        # subtotal discount net taxable tax total
        (("130@8",), ["10%"], True, "130 13 117 117 9.36 126.36"),  # BoneyardTools
        (("130@8",), ["10%"], False, "130 13 117 130 10.40 127.40"),
        (("100@10",), ["10"], True, "100 10 90 90 9 99"),  # Invoice Ninja
        (("8000@5", "9500@5"), ["14191"], True, "17500 14191 3309 3309 165.45 3474.45"),
        (("200@8.25",), ["35"], True, "200 35 165 165 13.61 178.61"),  # GadgetKit
        (("100@5", "200@5"), ["10%"], True, "300 30 270 270 13.50 283.50"),  # Joist
        (("100@10", "100@0"), ["20"], True, "200 20 180 90 9 189"),
        (("100@10", "100@0"), ["20"], False, "200 20 180 100 10 190"),
        (("100@10",), ["200"], True, "100 100 0 0 0 0"),
        (("100@10", "-30@10"), [], True, "70 0 70 70 7 77"),
    ],
)
def test_invoice_totals(given_lines, coupons, before, columns):
    found = invoice_totals(
        lines(*given_lines),
        currency="EUR",
        coupons=[Coupon(off(each)) for each in coupons],
        coupons_before_tax=before,
    )
    assert found[:6] == numbers(*columns.split())
    assert found.due == found.total


def test_per_line_on_an_invoice():
    found = invoice_totals(lines("0.10@15", "0.10@15"), currency="EUR", per=TaxRounding.LINE)
    assert found.tax == Decimal("0.04")
    assert invoice_totals(lines("0.10@15", "0.10@15"), currency="EUR").tax == Decimal("0.03")


@pytest.mark.parametrize(
    ("credits", "used", "due"),
    [
        ([], [], "110"),
        (["20", "50"], ["20", "50"], "40"),
        (["100", "50"], ["100", "10"], "0"),
        (["200", "50"], ["110", "0"], "0"),
    ],
)
def test_credits_come_off_after_tax_in_the_order_given(credits, used, due):
    found = invoice_totals(lines("100@10"), currency="EUR", credits=numbers(*credits))
    assert found.total == 110
    assert found.credits == numbers(*used)
    assert found.due == Decimal(due)


def test_a_credit_invoice_uses_no_credits():
    found = invoice_totals(lines("-100@10"), currency="EUR", credits=numbers("20"))
    assert (found.total, found.credits, found.due) == (-110, (0,), -110)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.decimals(-500, 500, places=2), st.sampled_from([0, 7, 19, 25])), max_size=6
    ),
    st.sampled_from(TaxRounding),
)
def test_net_and_tax_add_up_and_rounding_stays_within_half_a_cent_a_line(many, per):
    given_lines = [TaxLine(amount, Decimal(rate)) for amount, rate in many]
    found = tax_lines(given_lines, currency="EUR", per=per)
    assert found.total == found.net + found.tax
    if per is not TaxRounding.INVOICE:
        assert sum(found.rate_taxes.values()) == found.tax
    exact = sum(Fraction(amount) * rate / 100 for amount, rate in many)
    assert abs(Fraction(found.tax) - exact) <= Fraction(len(many), 200)
    inside = tax_lines(given_lines, currency="EUR", per=per, inclusive=True)
    assert inside.net + inside.tax == inside.total == sum((line.amount for line in given_lines), 0)


@pytest.mark.parametrize(
    ("given_lines", "per", "taxes"),
    [
        (["0.10@15", "0.10@15", "0.10@5", "0.10@5"], "line", "0.02 0.02 0.01 0.01"),
        (["0.10@15", "0.10@15", "0.10@5", "0.10@5"], "rate", "0.02 0.01 0.01 0.00"),
        (["0.10@15", "0.10@15", "0.10@5", "0.10@5"], "invoice", "0.02 0.01 0.01 0.00"),
        (["0.10@15", "0.10@5"], "rate", "0.02 0.01"),
        (["0.10@15", "0.10@5"], "invoice", "0.02 0.00"),
        (["0.10@15", "-0.10@15"], "invoice", "0.02 -0.02"),
        (["-0.10@15", "-0.10@15", "-0.10@15"], "rate", "-0.01 -0.02 -0.02"),
        (["33.33@19", "0@0"], "rate", "6.33 0.00"),
    ],
)
def test_taxes_that_are_rounded_together_are_shared_by_largest_remainder(given_lines, per, taxes):
    found = share_taxes(lines(*given_lines), currency="EUR", per=TaxRounding(per))
    assert " ".join(map(str, found)) == taxes


@given(
    st.lists(
        st.tuples(
            st.decimals(-1000, 1000, places=2), st.sampled_from(["0", "5", "7", "19", "33.333333"])
        ),
        max_size=12,
    ),
    st.sampled_from(TaxRounding),
)
def test_shared_taxes_add_up_and_none_is_off_by_a_cent(many, per):
    given_lines = [TaxLine(amount, Decimal(rate)) for amount, rate in many]
    found = share_taxes(given_lines, currency="EUR", per=per)
    assert sum(found) == tax_lines(given_lines, currency="EUR", per=per).tax
    for line, tax in zip(given_lines, found, strict=True):
        exact = Fraction(line.amount) * Fraction(line.percent) / 100
        assert abs(Fraction(tax) - exact) < Fraction(1, 100)


@pytest.mark.parametrize(
    ("target", "percent", "taxed", "tax"),
    [
        ("0", "19", "9.48", "-9.48"),  # all of it is taken back, however its tax was rounded
        ("0", "19", "9.49", "-9.49"),
        ("42.14", "20", "153.80", "-145.37"),  # Lago: 726.86 of 769.00 at 20 %
        ("0", "0", "0", "0.00"),
        ("85.71", "19", "0", "16.28"),  # new days of a period that was billed
    ],
)
def test_a_correction_is_taxed_by_difference(target, percent, taxed, tax):
    bill = Corrects(Decimal(percent), Decimal(taxed), Decimal(target))
    line = Taxable(Decimal("-1"), bill.percent, bill)
    plain = Taxable(Decimal("0.10"), Decimal(15))
    for per in TaxRounding:
        found = taxes_of([plain, line], currency="EUR", per=per)
        assert [str(each) for each in found] == ["0.02", tax]
    (back,) = taxes_of([line._replace(corrects=bill.turned())], currency="EUR")
    assert back == -Decimal(tax)
    assert taxes_of([Taxable(Decimal(5), None)], currency="EUR") == (0,)
