"""The rules of documents: where a charge stands, that nothing is lost, and which bills wait."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.documents.rules.carrying import Waiting, is_small, minimum_of, together, waits
from billing.documents.rules.places import Place, Whereabouts, place_of
from billing.documents.rules.splitting import split_draft
from billing.rules.adjustments import Adjustment
from billing.rules.drafting import AccountDraft
from billing.rules.rendering import Rendered
from o2b.customers.carrying import Carrying, CarryingInvalid, carrying_of

D = Decimal
DAY = date(2026, 1, 1)

cents = st.integers(-5000, 5000).map(lambda n: D(n).scaleb(-2))
ROWS = st.lists(st.tuples(cents, cents, st.integers(0, 3), st.integers(0, 2)), max_size=12)
GIVEN = st.lists(st.tuples(cents, cents, st.none() | st.integers(0, 11)), max_size=6)


def rendered(net: Decimal, tax: Decimal, lines: int) -> Rendered:
    if not lines:
        return Rendered(("t\n",), D(0), D(0), (), 0, "EUR", None, None)
    return Rendered(("x\n",) * lines, net, tax, (), lines, "EUR", DAY, DAY)


def adjustment(amount: Decimal, tax: Decimal, charge: int | None) -> Adjustment:
    kind = "minimum" if charge is None else "coupon"
    return Adjustment(kind, 1, charge, DAY, DAY, 1, amount, "", D(19), tax, "", {})


@given(ROWS, GIVEN)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_documents_are_the_draft_to_the_cent(rows: Any, told: Any) -> None:
    charges = tuple(
        (n, 1, rendered(net, tax, lines)) for n, (net, tax, lines, _) in enumerate(rows)
    )
    given_ = tuple(adjustment(*each) for each in told if each[2] is None or each[2] < len(rows))
    draft = AccountDraft(
        charges,
        sum((row.net for _, _, row in charges), D(0)) + sum((x.amount for x in given_), D(0)),
        sum((row.tax for _, _, row in charges), D(0)) + sum((x.tax for x in given_), D(0)),
        sum(row.lines for _, _, row in charges),
        given_,
    )
    places = {n: Place("abc"[key], "ABC"[key]) for n, (_, _, _, key) in enumerate(rows)}
    found = split_draft(draft, places, "site").documents
    assert sum((each.net for each in found), D(0)) == draft.net
    assert sum((each.tax for each in found), D(0)) == draft.tax
    assert sum(each.lines for each in found) == draft.lines
    assert sorted(row[0] for each in found for row in each.charges) == [*range(len(rows))]
    assert sum(len(each.adjustments) for each in found) == len(given_)
    assert len({each.about for each in found}) == len(found)
    homes = {each.about for each in found for x in each.adjustments if x.charge is None}
    assert len(homes) <= 1
    for each in found:
        assert all(places[row[0]].about == each.about for row in each.charges)


@pytest.mark.parametrize(
    ("split", "place"),
    [
        ("purchase_order", Place("po 1", "PO 1")),
        ("site", Place("", "")),
        ("item", Place("00000000000000000007", "Line · S-3.7")),
    ],
)
def test_where_a_charge_stands(split: str, place: Place) -> None:
    facts = Whereabouts(1, 2, "  PO   1 ", "", 7, "Line · S-3.7")
    assert place_of(facts, split) == place


@pytest.mark.parametrize(
    ("total", "small"), [("9.99", True), ("10.00", False), ("0.00", True), ("-0.01", False)]
)
def test_small_is_below_and_never_a_credit(total: str, small: bool) -> None:
    assert is_small(D(total), D("10.00")) is small


@pytest.mark.parametrize(
    ("since", "goes_on", "is_open", "on", "answer"),
    [
        (date(2026, 1, 31), True, True, date(2026, 1, 31), True),
        (date(2026, 1, 31), True, True, date(2026, 4, 29), True),
        (date(2026, 1, 31), True, True, date(2026, 4, 30), False),
        (None, True, True, date(2026, 4, 30), True),
        (date(2026, 1, 31), False, True, date(2026, 1, 31), False),
        (date(2026, 1, 31), True, False, date(2026, 1, 31), False),
    ],
)
def test_how_long_it_waits(
    since: date | None, goes_on: bool, is_open: bool, on: date, answer: bool
) -> None:
    assert waits(Waiting(since, goes_on, is_open), on=on, months=3) is answer


def test_a_family_waits_from_its_oldest_part_and_goes_on_with_any_of_it() -> None:
    payer = Waiting(None, goes_on=False, is_open=True)
    old = Waiting(date(2026, 1, 31), goes_on=False, is_open=False)
    new = Waiting(date(2026, 2, 28), goes_on=True, is_open=True)
    assert together(payer, [payer, new, old]) == Waiting(date(2026, 1, 31), True, True)
    assert together(payer, [payer, old]) == Waiting(date(2026, 1, 31), False, True)
    assert together(old, [old, payer, new]) == Waiting(date(2026, 1, 31), True, False)
    assert together(payer, [payer]) == payer


@pytest.mark.parametrize(
    ("own", "currency", "seller", "found"),
    [
        (None, "EUR", ("EUR", D(5)), D(5)),
        (None, "USD", ("EUR", D(5)), None),
        (None, "EUR", ("EUR", None), None),
        (D(0), "EUR", ("EUR", D(5)), None),
        (D(9), "USD", ("EUR", D(5)), D(9)),
    ],
)
def test_whose_minimum_holds(
    own: Decimal | None, currency: str, seller: tuple[str, Decimal | None], found: Decimal | None
) -> None:
    assert minimum_of(own, currency, seller) == found


def test_settings_of_a_seller() -> None:
    assert carrying_of({}) == Carrying(None, 3)
    assert carrying_of({"minimum_invoice": "5.00", "carry_months": 6}) == Carrying(D("5.00"), 6)
    for wrong in (
        {"minimum_invoice": "much"},
        {"minimum_invoice": -1},
        {"minimum_invoice": "NaN"},
        {"carry_months": 0},
        {"carry_months": 7},
        {"carry_months": True},
    ):
        with pytest.raises(CarryingInvalid):
            carrying_of(wrong)
