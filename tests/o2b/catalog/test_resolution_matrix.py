"""Prices by characteristics: cells, limits of discounts, commitments, conventions, days."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from o2b.catalog.models import (
    Contract,
    ContractCommitment,
    ContractPrice,
    Price,
    PriceBookVersion,
    ProductVersion,
    Terms,
)
from o2b.catalog.resolution import (
    DiscountUnderFloor,
    NoPrice,
    PriceBroken,
    Resolution,
    Wanted,
    charge_terms,
    resolve,
)
from o2b.catalog.services import (
    freeze_terms,
    publish_price_book_version,
    retire_price_book_version,
    sign_contract,
)
from o2b.charging import Discount, DiscountKind, canonical, digest, price
from o2b.charging.terms import DayCount, Model
from o2b.customers.models import Account
from o2b.money import Rounding
from tests.factories import (
    LONG_AGO,
    NOON,
    a_book_version,
    a_product,
    an_account,
    an_entity,
    monthly,
    setup_fee,
)

pytestmark = pytest.mark.django_db

TODAY = date(2026, 1, 31)
D = Decimal
SPEED_AND_TERM = [
    {"name": "speed", "type": "integer", "required": True},
    {"name": "term", "type": "integer"},
]


def a_circuit(*cells: tuple[dict[str, str], str], **given: Any) -> ProductVersion:
    """A product priced by speed and term: cells as (match, price)."""
    charges = [monthly(price_, match=match) for match, price_ in cells]
    return a_product(charges=charges, characteristics=SPEED_AND_TERM, **given)


def resolved(account: Account, version: ProductVersion, **given: Any) -> Resolution:
    on = given.pop("on", TODAY)
    (found,) = resolve(account=account, wanted=[Wanted(version, D(1), **given)], on=on)
    return found


def costs(resolution: Resolution, key: str = "monthly") -> str:
    charge = next(c for c in resolution.terms.charges if c.key == key)
    return str(price(charge, resolution.quantity).quantize(D("0.01")))


@pytest.mark.parametrize(
    ("characteristics", "expected"),
    [
        ({"speed": 150, "term": 1}, "90.00"),
        ({"speed": 150, "term": 3}, "80.00"),
        ({"speed": "150.0", "term": 3}, "80.00"),
        ({"speed": 150, "term": 2}, "100.00"),
        ({"speed": 150}, "100.00"),
        ({"speed": 300, "term": 3}, "120.00"),
        ({}, "120.00"),
    ],
)
def test_the_cell_that_says_most_wins(characteristics: dict[str, Any], expected: str) -> None:
    version = a_circuit(
        ({}, "120.00"),
        ({"speed": "150"}, "100.00"),
        ({"speed": "150", "term": "1"}, "90.00"),
        ({"speed": "150", "term": "3"}, "80.00"),
    )
    assert costs(resolved(an_account(), version, characteristics=characteristics)) == expected


def test_each_charge_finds_its_own_cell() -> None:
    charges = [
        monthly("100.00", match={"speed": "150"}),
        monthly("150.00", match={"speed": "300"}),
        setup_fee("50.00"),
        setup_fee("0.00", match={"term": "3"}),
    ]
    version = a_product(charges=charges, characteristics=SPEED_AND_TERM)
    found = resolved(an_account(), version, characteristics={"speed": 300, "term": 3})
    assert (costs(found), costs(found, "setup")) == ("150.00", "0.00")


def test_no_cell_is_no_price_and_says_for_what() -> None:
    version = a_circuit(({"speed": "150"}, "100.00"))
    with pytest.raises(NoPrice) as caught:
        resolved(an_account(), version, characteristics={"speed": 300, "term": 1})
    assert caught.value.field == "lines[0].product"
    assert "speed 300, term 1" in caught.value.message
    assert not Terms.objects.exists()


def test_one_charge_without_a_cell_is_no_price_at_all() -> None:
    charges = [monthly("9.00", match={"speed": "150"}), setup_fee()]
    version = a_product(charges=charges, characteristics=SPEED_AND_TERM)
    with pytest.raises(NoPrice):
        resolved(an_account(), version, characteristics={"speed": 300})


def test_a_contract_may_price_one_cell_and_the_book_the_others() -> None:
    version, account = a_circuit(({}, "120.00")), an_account()
    contract = Contract.objects.create(account=account, code="C", valid_from=date(2025, 1, 1))
    cell = monthly("70.00", match={"speed": "150"})
    ContractPrice.objects.create(contract=contract, product=version.product, **cell)
    sign_contract(contract_id=contract.pk, at=LONG_AGO)
    theirs = resolved(account, version, characteristics={"speed": 150})
    others = resolved(account, version, characteristics={"speed": 300})
    assert (costs(theirs), theirs.contract_id) == ("70.00", contract.pk)
    assert (costs(others), others.contract_id) == ("120.00", None)
    assert others.why[0]["reason"] == "no cell for speed 300"


TIERS = [
    {"up_to": "10", "unit_price": "5"},
    {"up_to": None, "unit_price": "4.5", "flat_fee": "1"},
]


def test_tiers_and_details_come_into_the_terms_and_back() -> None:
    details = {"minimum": "20", "conventions": {"day_count": "thirty_360"}}
    tiered = monthly("0", model="graduated", tiers=TIERS, details=details)
    version = a_product(charges=[tiered])
    (found,) = resolve(account=an_account(), wanted=[Wanted(version, D(12))], on=TODAY)
    (charge,) = found.terms.charges
    assert charge.model is Model.GRADUATED
    assert [tier.unit_price for tier in charge.tiers] == [D(5), D("4.5")]
    assert (charge.minimum, charge.conventions.day_count) == (D(20), DayCount.THIRTY_360)
    (frozen,) = freeze_terms([found])
    (stored,) = frozen.charges.all()
    assert charge_terms(stored, "EUR") == charge
    assert frozen.digest == digest(found.terms)


def test_terms_of_yesterday_keep_their_digest() -> None:
    found = resolved(an_account(), a_product(code="seat", charges=[monthly("49.90")]))
    assert canonical(found.terms) == (
        '{"charges":[{"alignment":"bill_day","currency":"EUR","discounts":[],"interval":'
        '["month",1],"key":"monthly","kind":"recurring","model":"per_unit","proration":"day",'
        '"revenue_rule":"","tax_code":"","timing":"advance","unit_price":"49.9"}],'
        '"currency":"EUR","product":"seat","schema":1,"start_rule":"on_delivery","version":1}'
    )


@pytest.mark.parametrize(
    ("entity", "own", "expected"),
    [
        ({}, {}, (DayCount.ACTUAL, Rounding.HALF_UP)),
        ({"day_count": "thirty_360"}, {}, (DayCount.THIRTY_360, Rounding.HALF_UP)),
        (
            {"day_count": "thirty_360", "rounding": "down"},
            {"day_count": "actual"},
            (DayCount.ACTUAL, Rounding.DOWN),
        ),
        (
            {"period_end": "inclusive", "cash_rounding": "0.05"},
            {},
            (DayCount.ACTUAL, Rounding.HALF_UP),
        ),
    ],
)
def test_conventions_of_the_price_before_those_of_the_legal_entity(
    entity: dict[str, Any], own: dict[str, Any], expected: tuple[DayCount, Rounding]
) -> None:
    seller = an_entity(code="other", conventions=entity)
    details = {"conventions": own} if own else {}
    version = a_product(charges=[monthly(details=details)])
    (charge,) = resolved(an_account(legal_entity=seller), version).terms.charges
    assert (charge.conventions.day_count, charge.conventions.rounding) == expected


def test_conventions_that_nobody_can_count_by() -> None:
    seller = an_entity(code="other", conventions={"day_count": "moons"})
    with pytest.raises(PriceBroken) as caught:
        resolved(an_account(legal_entity=seller), a_product())
    assert caught.value.field == "lines[0].product"


@pytest.mark.parametrize(
    ("limit", "given", "allowed"),
    [
        ("10", ["10"], True),
        ("10", ["10.0001"], False),
        ("10", [], True),
        ("0", ["1"], False),
        (None, ["100"], True),
        ("19", ["10", "10"], True),
        ("18.9", ["10", "10"], False),
    ],
)
def test_a_reps_discount_has_a_limit(limit: str | None, given: list[str], allowed: bool) -> None:
    charges = [monthly("100.00"), setup_fee(discount_limit=D(limit) if limit else None)]
    version = a_product(charges=charges)
    own = tuple(Discount(DiscountKind.PERCENT, D(value)) for value in given)
    if allowed:
        assert resolved(an_account(), version, discounts=own)
        return
    with pytest.raises(DiscountUnderFloor) as caught:
        resolved(an_account(), version, discounts=own)
    assert caught.value.field == "lines[0].discount_percent"
    assert f"at most {limit} %" in caught.value.message


def committed(account: Account, **given: Any) -> Contract:
    contract = Contract.objects.create(account=account, code="C", valid_from=date(2025, 1, 1))
    fields = {"kind": "minimum", "amount": D(500), "interval_unit": "month"} | given
    ContractCommitment.objects.create(contract=contract, **fields)
    return sign_contract(contract_id=contract.pk, at=LONG_AGO)


def test_a_commitment_bounds_the_charge_of_its_rhythm() -> None:
    version, account = a_product(charges=[monthly("100.00"), setup_fee()]), an_account()
    contract = committed(account, product=version.product)
    found = resolved(account, version)
    assert [charge.minimum for charge in found.terms.charges] == [D(500), None]
    assert found.contract_id == contract.pk
    assert found.why[-1] == {
        "source": "contract C v1",
        "won": True,
        "reason": "at least 500 a period of monthly",
    }


def test_a_commitment_of_the_account_is_recorded_only() -> None:
    version, account = a_product(), an_account()
    committed(account)
    found = resolved(account, version)
    assert [charge.minimum for charge in found.terms.charges] == [None]
    assert "recorded" in str(found.why[-1]["reason"])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"interval_unit": "year"}, (None, None)),
        ({"key": "setup"}, (None, None)),
        ({"key": "monthly"}, (D(500), None)),
        ({"kind": "maximum"}, (None, D(500))),
    ],
)
def test_which_charge_a_commitment_bounds(given: dict[str, Any], expected: Any) -> None:
    version, account = a_product(charges=[monthly(), setup_fee()]), an_account()
    committed(account, product=version.product, **given)
    charge = resolved(account, version).terms.charges[0]
    assert (charge.minimum, charge.maximum) == expected


def a_shelf(
    version: ProductVersion, price_: str, *, days: tuple[date, date | None]
) -> PriceBookVersion:
    """A version of the segment's book."""
    known = PriceBookVersion.objects.filter(book__code="shelf").order_by("-number").first()
    if known is None:
        shelf = a_book_version(code="shelf", is_default=False, segment="s", valid_from=days[0])
    else:
        shelf = PriceBookVersion(book=known.book, number=known.number + 1, valid_from=days[0])
    shelf.valid_to = days[1]
    shelf.save()
    Price.objects.create(version=shelf, product=version.product, **monthly(price_))
    return publish_price_book_version(version_id=shelf.pk, at=LONG_AGO)


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        (date(2025, 12, 31), "49.90"),
        (date(2026, 1, 1), "40.00"),
        (date(2026, 5, 31), "40.00"),
        (date(2026, 6, 1), "30.00"),
        (date(2026, 8, 31), "30.00"),
        (date(2026, 9, 1), "40.00"),
        (date(2026, 12, 31), "49.90"),
    ],
)
def test_a_version_counts_on_its_days_and_the_one_before_after_it(on: date, expected: str) -> None:
    version = a_product()
    a_shelf(version, "40.00", days=(date(2026, 1, 1), date(2026, 12, 31)))
    a_shelf(version, "30.00", days=(date(2026, 6, 1), date(2026, 9, 1)))
    assert costs(resolved(an_account(segment="s"), version, on=on)) == expected


def test_a_retired_version_answers_for_the_days_before() -> None:
    version = a_product()
    shelf = a_shelf(version, "40.00", days=(date(2026, 1, 1), None))
    retire_price_book_version(version_id=shelf.pk, on=date(2026, 2, 1), at=NOON)
    account = an_account(segment="s")
    days = (date(2026, 1, 31), date(2026, 2, 1))
    assert [costs(resolved(account, version, on=on)) for on in days] == ["40.00", "49.90"]


def test_as_many_queries_for_two_hundred_lines() -> None:
    cells = [({"speed": str(10 * n)}, f"{n}.00") for n in range(1, 21)]
    version, account = a_circuit(*cells), an_account(segment="s")
    committed(account, product=version.product)
    counts = []
    for lines in (1, 200):
        wanted = [Wanted(version, D(1), (), {"speed": 10 * (1 + n % 20)}) for n in range(lines)]
        with CaptureQueriesContext(connection) as asked:
            found = resolve(account=account, wanted=wanted, on=TODAY)
        counts.append(len(asked))
        assert len(found) == lines
    assert counts[0] == counts[1] <= 7
