"""Terms: what is refused, and one digest for equal promises."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from o2b.charging import (
    Alignment,
    ChargeTerms,
    Discount,
    DiscountKind,
    Kind,
    LineTerms,
    Model,
    Proration,
    StartRule,
    TermsInvalid,
    Timing,
    canonical,
    digest,
    from_canonical,
    validate,
)
from o2b.charging.terms import plain
from o2b.periods import Interval, Unit
from tests.o2b.charging.build import charge


def line(*charges: ChargeTerms, **changes: object) -> LineTerms:
    values = {
        "product": "phone",
        "version": 3,
        "currency": "EUR",
        "start_rule": "on_delivery",
        "charges": charges or (charge(),),
    }
    return LineTerms(**(values | changes))


def test_the_canonical_text_is_this():
    terms = line(charge("20.00", discounts=["2.50"], tax_code="vat"))
    assert canonical(terms) == (
        '{"charges":[{"alignment":"anniversary","currency":"EUR","discounts":[["amount","2.5"]],'
        '"interval":["month",1],"key":"base","kind":"recurring","model":"per_unit",'
        '"proration":"day","revenue_rule":"","tax_code":"vat","timing":"advance",'
        '"unit_price":"20"}],"currency":"EUR","product":"phone","schema":1,'
        '"start_rule":"on_delivery","version":3}'
    )
    # sha256sum of the text above; terms that are frozen already are found by it for ever
    assert digest(terms) == "f37a1be3c791bded8c50155410d16e230245cbab5d169e73911e05ed75971295"


def test_terms_of_before_keep_their_name():
    """Frozen when terms had neither tiers nor conventions; sha256sum of the text of then."""
    frozen = (
        '{"charges":[{"alignment":"anniversary","currency":"EUR","discounts":[["percent","12.5"],'
        '["amount","-3"]],"interval":["month",1],"key":"monthly","kind":"recurring",'
        '"model":"per_unit","proration":"day","revenue_rule":"","tax_code":"","timing":"advance",'
        '"unit_price":"49.9"},{"alignment":"bill_day","currency":"EUR","discounts":[],'
        '"interval":null,"key":"setup","kind":"one_time","model":"flat","proration":"none",'
        '"revenue_rule":"ratable","tax_code":"vat","timing":"arrears","unit_price":"99"}],'
        '"currency":"EUR","product":"fibre","schema":1,"start_rule":"each_part","version":2}'
    )
    terms = from_canonical(frozen)
    assert canonical(terms) == frozen
    assert digest(terms) == "81df98533ce0dd04aff9a56f421a744769a631736ebc557e3b88b3e9cfa2a979"


@pytest.mark.parametrize("price", ["20", "20.0", "20.00", "2E+1", "20.000000000000000000"])
def test_equal_prices_give_one_digest(price):
    assert digest(line(charge(price))) == digest(line(charge("20")))


@pytest.mark.parametrize(
    "other",
    [
        line(charge("20.01")),
        line(charge(discounts=["1"])),
        line(charge(discounts=["1%"])),
        line(charge(interval=Interval("month", 2))),
        line(charge(timing="arrears")),
        line(charge(alignment="bill_day")),
        line(charge(proration="none")),
        line(charge(model="flat")),
        line(charge(tax_code="x")),
        line(charge(revenue_rule="x")),
        line(version=4),
        line(product="fibre"),
        line(start_rule="on_date"),
        line(charge(), charge(key="extra")),
    ],
)
def test_each_field_counts(other):
    assert digest(other) != digest(line())


def test_the_order_of_discounts_and_charges_counts():
    assert digest(line(charge(discounts=["1", "5%"]))) != digest(
        line(charge(discounts=["5%", "1"]))
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0", "0"),
        ("-0.00", "0"),
        ("1E-7", "0.0000001"),
        ("1E+3", "1000"),
        ("100", "100"),
        ("-12.340", "-12.34"),
    ],
)
def test_plain(value, text):
    assert plain(Decimal(value)) == text


@pytest.mark.parametrize(
    ("build", "field"),
    [
        (lambda: charge(key=""), "key"),
        (lambda: charge(kind="rent"), "kind"),
        (lambda: charge(kind="usage", timing="advance"), "timing"),
        (lambda: charge(model="tiered"), "model"),
        (lambda: charge(timing="never"), "timing"),
        (lambda: charge(currency="EURO"), "currency"),
        (lambda: charge(interval=None), "interval"),
        (lambda: charge(interval=Interval("month", 367)), "interval"),
        (lambda: replace(charge(kind="one_time"), interval=Interval("month", 1)), "interval"),
        (lambda: charge("NaN"), "unit_price"),
        (lambda: charge("Infinity"), "unit_price"),
        (lambda: charge("1E+30"), "unit_price"),
        (lambda: charge("0.0000000000001"), "unit_price"),
        (lambda: charge(unit_price=20.0), "unit_price"),
        (lambda: charge(discounts=["1%"] * 9), "discounts"),
        (lambda: charge(discounts=["100.01%"]), "discount.value"),
        (lambda: charge(discounts=["-101%"]), "discount.value"),
        (lambda: charge(discounts=["0.0000001%"]), "discount.value"),
        (lambda: charge(discounts=["NaN"]), "discount.value"),
        (lambda: Discount("gift", Decimal(1)), "discount.kind"),
        (lambda: line(product=""), "product"),
        (lambda: line(version=0), "version"),
        (lambda: line(currency="EURO"), "currency"),
        (lambda: line(start_rule="some day"), "start_rule"),
        (lambda: LineTerms("phone", 1, "EUR", StartRule.ON_DATE, ()), "charges"),
        (lambda: line(charge(currency="USD")), "charges.0.currency"),
        (lambda: line(charge(), charge("5")), "charges.1.key"),
        (lambda: from_canonical(canonical(line()).replace('"schema":1', '"schema":9')), "schema"),
    ],
)
def test_refusals_name_the_field(build, field):
    with pytest.raises(TermsInvalid) as refusal:
        build()
    assert refusal.value.field == field
    assert refusal.value.message


def test_what_is_built_is_valid_and_frozen():
    terms = line(charge(), charge("99", key="set-up", kind="one_time"))
    validate(terms)
    with pytest.raises(AttributeError):
        terms.charges[0].unit_price = Decimal(1)


decimals = st.decimals(-(10**14), 10**14, places=6)
discounts = st.one_of(
    st.builds(Discount, st.just(DiscountKind.AMOUNT), decimals),
    st.builds(Discount, st.just(DiscountKind.PERCENT), st.decimals(-100, 100, places=6)),
)


@st.composite
def charges(draw, key: str, currency: str) -> ChargeTerms:
    kind = draw(st.sampled_from([Kind.ONE_TIME, Kind.RECURRING]))
    interval = st.builds(Interval, st.sampled_from(Unit), st.integers(1, 36))
    return ChargeTerms(
        key=key,
        kind=kind,
        model=draw(st.sampled_from([Model.FLAT, Model.PER_UNIT])),
        unit_price=draw(decimals),
        currency=currency,
        interval=draw(interval) if kind is Kind.RECURRING else None,
        timing=draw(st.sampled_from(Timing)),
        alignment=draw(st.sampled_from(Alignment)),
        proration=draw(st.sampled_from(Proration)),
        discounts=tuple(draw(st.lists(discounts, max_size=8))),
        tax_code=draw(st.text(max_size=8)),
        revenue_rule=draw(st.text(max_size=8)),
    )


@st.composite
def lines(draw) -> LineTerms:
    currency = draw(st.sampled_from(["EUR", "JPY", "KWD"]))
    keys = draw(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=4, unique=True))
    return LineTerms(
        product=draw(st.text(min_size=1, max_size=20)),
        version=draw(st.integers(1, 999)),
        currency=currency,
        start_rule=draw(st.sampled_from(StartRule)),
        charges=tuple(draw(charges(key, currency)) for key in keys),
    )


@settings(deadline=None)
@given(lines())
def test_the_canonical_text_is_read_back_exactly(terms):
    text = canonical(terms)
    assert from_canonical(text) == terms
    assert canonical(from_canonical(text)) == text
    assert digest(terms) == digest(from_canonical(text))
