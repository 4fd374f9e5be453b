"""Every candidate for a price, why it won or lost, and the arithmetic."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from o2b.catalog.models import Contract, ContractPrice, Price, PriceBookVersion, ProductVersion
from o2b.catalog.resolution import Candidate, NoPrice, Wanted, explain_prices, resolve
from o2b.catalog.services import (
    publish_price_book_version,
    retire_price_book_version,
    sign_contract,
)
from o2b.charging import price
from o2b.customers.models import Account
from tests.factories import (
    LONG_AGO,
    NOON,
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
SPEED = [{"name": "speed", "type": "integer"}]


def explained(account: Account, version: ProductVersion, **given: Any) -> list[Candidate]:
    return explain_prices(
        account=account, product_version=version, **{"quantity": D(2), "on": TODAY} | given
    )


def codes(candidates: list[Candidate]) -> dict[str, str]:
    return {each.source: each.code for each in candidates}


def a_shelf(
    version: ProductVersion, code: str, *, publish: bool = True, match: Any = None, **given: Any
) -> PriceBookVersion:
    shelf = a_book_version(**{"code": code, "name": code, "is_default": False} | given)
    charge = monthly("45.00", match=match or {})
    Price.objects.create(version=shelf, product=version.product, **charge)
    if publish:
        publish_price_book_version(version_id=shelf.pk, at=LONG_AGO)
    return shelf


def test_every_candidate_and_why() -> None:
    version = a_product(characteristics=SPEED)
    a_shelf(version, "dollars", currency="USD", segment="s")
    a_shelf(version, "trade", segment="trade")
    a_shelf(version, "nobody")
    a_shelf(version, "later", segment="s", valid_from=date(2026, 2, 1))
    a_shelf(version, "draft", segment="s", publish=False)
    a_shelf(version, "cells", segment="s", match={"speed": "150"})
    old = a_shelf(version, "old", segment="s")
    retire_price_book_version(version_id=old.pk, on=date(2025, 6, 1), at=NOON)
    before = a_shelf(version, "shelf", segment="s")
    after = PriceBookVersion.objects.create(
        book=before.book, number=2, valid_from=date(2026, 1, 1), valid_to=date(2026, 3, 1)
    )
    Price.objects.create(version=after, product=version.product, **monthly("44.00"))
    publish_price_book_version(version_id=after.pk, at=LONG_AGO)
    account = an_account(segment="s")
    found = explained(account, version)
    assert codes(found) == {
        "shelf v2": "won",
        "shelf v1": "replaced",
        "Default v1": "ranks_lower",
        "dollars v1": "wrong_currency",
        "trade v1": "wrong_segment",
        "nobody v1": "wrong_segment",
        "later v1": "not_yet_valid",
        "draft v1": "draft",
        "cells v1": "no_cell",
        "old v1": "retired",
    }
    assert found[0].source == "shelf v2"
    assert all(each.reason for each in found)
    later = explained(account, version, on=date(2026, 3, 1))
    assert codes(later)["shelf v2"] == "no_more_valid"
    assert codes(later)["later v1"] == "won"


def test_contracts_are_candidates_too() -> None:
    version, account = a_product(), an_account()
    for number, valid_from in ((1, date(2025, 1, 1)), (2, date(2025, 7, 1))):
        contract = Contract.objects.create(
            account=account, code="C", number=number, valid_from=valid_from
        )
        ContractPrice.objects.create(
            contract=contract, product=version.product, **monthly(f"{40 - number}.00")
        )
        sign_contract(contract_id=contract.pk, at=LONG_AGO)
    Contract.objects.create(account=account, code="D", valid_from=date(2026, 1, 1))
    found = explained(account, version)
    assert codes(found) == {
        "C v2": "won",
        "D v1": "draft",
        "C v1": "retired",
        "Default v1": "ranks_lower",
    }
    assert [c.price for c in found[0].charges] == [D("76.00")]


def test_a_contract_without_a_price_still_takes_its_discount_off() -> None:
    version = a_product(charges=[monthly("100.00"), setup_fee("10.00")])
    account = an_account()
    a_contract(account, discounts=[("percent", "10"), ("amount", "5.00")])
    found = explained(account, version)
    assert found[0].source == "Default v1"
    assert [found[1].kind, found[1].code] == ["contract", "no_price"]
    charge = next(c for c in found[0].charges if c.terms.key == "monthly")
    assert (charge.list_price, charge.price) == (D(200), D(175))
    assert [step.result for step in charge.steps] == [D(200), D(180), D(175)]


def test_the_winner_is_what_is_promised() -> None:
    version = a_product(characteristics=SPEED, charges=[monthly("50.00"), setup_fee()])
    a_shelf(version, "fast", segment="s", match={"speed": "150"})
    account = an_account(segment="s")
    a_contract(account, discounts=[("percent", "12.5"), ("amount", "1.01")])
    for characteristics in ({}, {"speed": 150}, {"speed": 300}):
        won = explained(account, version, characteristics=characteristics)[0]
        wanted = [Wanted(version, D(2), (), characteristics)]
        (found,) = resolve(account=account, wanted=wanted, on=TODAY)
        assert won.won
        assert tuple(c.terms for c in won.charges) == found.terms.charges
        assert [c.price for c in won.charges] == [price(c, D(2)) for c in found.terms.charges]
        assert all(c.steps[-1].result == c.price for c in won.charges)


def test_nobody_won() -> None:
    version = a_product(charges=[])
    account = an_account()
    assert [each.won for each in explained(account, version)] == []
    with pytest.raises(NoPrice):
        resolve(account=account, wanted=[Wanted(version, D(1))], on=TODAY)
