"""Which price wins and why, under contracts, segments and dates; in a fixed number of queries."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from o2b.catalog.models import Contract, ContractPrice, Price, ProductVersion
from o2b.catalog.resolution import NoPrice, Resolution, Wanted, resolve
from o2b.catalog.services import publish_price_book_version, sign_contract
from o2b.charging import Discount, DiscountKind, StartRule, price
from o2b.customers.models import Account
from tests.factories import (
    LONG_AGO,
    a_book_version,
    a_contract,
    a_product,
    an_account,
    monthly,
    setup_fee,
)

pytestmark = pytest.mark.django_db

TODAY = date(2026, 1, 31)
D = Decimal


def priced(version: ProductVersion, price_: str, *, book: str, **given: Any) -> None:
    """A published book version with one monthly price."""
    charge = {k: given.pop(k) for k in ("from_version", "to_version") if k in given}
    shelf = a_book_version(code=book, name=book, is_default=False, **given)
    Price.objects.create(version=shelf, product=version.product, **monthly(price_), **charge)
    publish_price_book_version(version_id=shelf.pk, at=LONG_AGO)


def resolved(account: Account, *versions: ProductVersion, **given: Any) -> list[Resolution]:
    wanted = [Wanted(version, D(1)) for version in versions]
    return resolve(account=account, wanted=wanted, **{"on": TODAY} | given)


def monthly_of(resolution: Resolution) -> str:
    charge = next(c for c in resolution.terms.charges if c.key == "monthly")
    return str(price(charge, resolution.quantity).quantize(D("0.01")))


def negotiated(account: Account, version: ProductVersion, price_: str, **given: Any) -> Contract:
    fields = {"code": "C", "valid_from": date(2025, 1, 1)} | given
    contract = Contract.objects.create(account=account, **fields)
    ContractPrice.objects.create(contract=contract, product=version.product, **monthly(price_))
    return sign_contract(contract_id=contract.pk, at=LONG_AGO)


def test_the_default_book_answers_for_everybody() -> None:
    (found,) = resolved(an_account(), a_product())
    assert monthly_of(found) == "49.90"
    assert found.contract_id is None
    assert [(c["won"], c["reason"]) for c in found.why] == [(True, "the default book")]
    assert (found.terms.start_rule, found.terms.currency) == (StartRule.ON_DELIVERY, "EUR")


def test_the_segments_book_ranks_above_it() -> None:
    version = a_product()
    priced(version, "45.00", book="health", segment="health")
    (theirs,) = resolved(an_account(segment="health"), version)
    (others,) = resolved(an_account(segment="trade"), version)
    (nobodys,) = resolved(an_account(), version)
    assert [monthly_of(r) for r in (theirs, others, nobodys)] == ["45.00", "49.90", "49.90"]
    assert [(c["won"], c["reason"]) for c in theirs.why] == [
        (True, "the segment's book"),
        (False, "ranks lower"),
    ]


def test_a_contracts_price_wins_over_every_book() -> None:
    version, other = a_product(), a_product()
    priced(version, "45.00", book="health", segment="health")
    account = an_account(segment="health")
    contract = negotiated(account, version, "40.00")
    found, listed = resolved(account, version, other)
    assert (monthly_of(found), found.contract_id, found.book_version_id) == (
        "40.00",
        contract.pk,
        None,
    )
    assert [c["won"] for c in found.why] == [True, False, False]
    assert (monthly_of(listed), listed.contract_id) == ("49.90", None)


@pytest.mark.parametrize(
    ("given", "on", "expected"),
    [
        ({}, TODAY, "40.00"),
        ({"valid_from": TODAY}, TODAY, "40.00"),
        ({"valid_from": date(2026, 2, 1)}, TODAY, "49.90"),
        ({"valid_to": TODAY}, TODAY, "49.90"),
        ({"valid_to": date(2026, 2, 1)}, TODAY, "40.00"),
    ],
)
def test_a_contract_counts_on_its_days_only(given: dict[str, Any], on: date, expected: str) -> None:
    version, account = a_product(), an_account()
    negotiated(account, version, "40.00", **given)
    (found,) = resolved(account, version, on=on)
    assert monthly_of(found) == expected


def test_a_draft_contract_counts_for_nothing_and_the_newest_signed_one_wins() -> None:
    version, account = a_product(), an_account()
    draft = Contract.objects.create(account=account, code="D", valid_from=date(2025, 6, 1))
    ContractPrice.objects.create(contract=draft, product=version.product, **monthly("1.00"))
    assert monthly_of(resolved(account, version)[0]) == "49.90"
    negotiated(account, version, "40.00")
    negotiated(account, version, "39.00", number=2, valid_from=date(2025, 7, 1))
    negotiated(account, version, "38.00", number=3, valid_from=date(2026, 7, 1))
    assert monthly_of(resolved(account, version)[0]) == "39.00"


def test_a_book_counts_from_its_day_and_for_its_versions_of_a_product() -> None:
    version = a_product(charges=[])
    later = {"valid_from": date(2026, 2, 1)}
    priced(version, "20.00", book="now", segment="s", from_version=1, to_version=1)
    priced(version, "30.00", book="later", segment="s", **later)
    account = an_account(segment="s")
    assert monthly_of(resolved(account, version)[0]) == "20.00"
    second = ProductVersion.objects.create(product=version.product, number=2)
    with pytest.raises(NoPrice) as caught:
        resolved(account, a_product(), second)
    assert caught.value.field == "lines[1].product"
    assert monthly_of(resolved(account, second, on=date(2026, 2, 1))[0]) == "30.00"


def test_no_price_in_the_accounts_currency() -> None:
    with pytest.raises(NoPrice) as caught:
        resolved(an_account(currency="USD"), a_product(currency="EUR"))
    assert (caught.value.code, caught.value.field) == ("no_price", "lines[0].product")


def test_discounts_apply_in_order_and_the_contracts_to_what_recurs() -> None:
    account = an_account()
    version = a_product(charges=[monthly("100.00"), setup_fee("100.00")])
    contract = a_contract(account, discounts=[("percent", "10"), ("amount", "5.00")])
    own = (Discount(DiscountKind.PERCENT, D(20)),)
    (found,) = resolve(account=account, wanted=[Wanted(version, D(1), own)], on=TODAY)
    kinds = {
        c.key: [(d.kind.value, str(d.value.normalize())) for d in c.discounts]
        for c in found.terms.charges
    }
    assert kinds == {
        "monthly": [("percent", "2E+1"), ("percent", "1E+1"), ("amount", "5")],
        "setup": [("percent", "2E+1")],
    }
    assert monthly_of(found) == "67.00"
    assert found.contract_id == contract.pk


@pytest.mark.parametrize(
    ("value", "prices", "shares"),
    [
        ("5.00", ["20.00", "20.00"], ["17.50", "17.50"]),
        ("0.01", ["20.00", "20.00"], ["19.99", "20.00"]),
        ("-3.00", ["20.00", "10.00"], ["22.00", "11.00"]),
        ("10.00", ["30.00", "30.00", "30.00"], ["26.66", "26.67", "26.67"]),
    ],
)
def test_a_fixed_discount_is_shared_by_list_price(
    value: str, prices: list[str], shares: list[str]
) -> None:
    account = an_account()
    a_contract(account, discounts=[("amount", value)])
    versions = [a_product(charges=[monthly(each)]) for each in prices]
    assert [monthly_of(r) for r in resolved(account, *versions)] == shares
    taken = resolved(account, *versions, fixed_discount_taken=True)
    assert [monthly_of(r) for r in taken] == prices


def test_a_fixed_discount_waits_for_something_monthly() -> None:
    account = an_account()
    a_contract(account, discounts=[("amount", "5.00")])
    once = a_product(charges=[setup_fee()])
    (found,) = resolved(account, once)
    assert found.terms.charges[0].discounts == ()


def test_as_many_queries_for_many_lines() -> None:
    account, version = an_account(), a_product()
    negotiated(account, version, "40.00")
    counts = []
    for lines in (1, 25):
        with CaptureQueriesContext(connection) as asked:
            resolved(account, *[version] * lines)
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 7
