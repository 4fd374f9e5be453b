"""Where a price ends, and where a contract binds several lines: refused, nothing is written."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from o2b.catalog.models import Contract, ContractCommitment, ContractPrice, ProductVersion, Terms
from o2b.catalog.resolution import (
    MaximumOverLines,
    PriceBroken,
    QuantityBeyondPrice,
    Wanted,
    explain_prices,
    resolve,
)
from o2b.charging import price
from o2b.customers.models import Account
from orders.entry.services import enter_order
from orders.models import Order
from quotes.inputs import LineInput
from quotes.models import Quote
from quotes.selectors import preview
from quotes.services import send_quote
from tests.billing.worlds import by_hand
from tests.factories import NOON, a_product, a_quote, an_account, monthly

D = Decimal
pytestmark = pytest.mark.django_db

TODAY = date(2026, 1, 31)
UP_TO_TEN = [{"up_to": "10", "unit_price": "5"}]


def negotiated(
    account: Account, version: ProductVersion, charge: dict[str, Any] | None = None, **bounds: str
) -> Contract:
    """A contract in force with a price, and with commitments a month by their kind.

    Nobody checks it: signing refuses a price that ends, but one signed before may have been so.
    """
    contract = Contract.objects.create(
        account=account, code=f"C{account.pk}", valid_from=date(2025, 1, 1)
    )
    if charge:
        ContractPrice.objects.create(contract=contract, product=version.product, **charge)
    for kind, amount in bounds.items():
        ContractCommitment.objects.create(
            contract=contract, product=version.product, kind=kind, amount=D(amount)
        )
    by_hand("UPDATE catalog_contract SET state = 'published' WHERE id = %s", [contract.pk])
    return contract


@pytest.mark.parametrize("model", ["graduated", "volume"])
@pytest.mark.parametrize(
    ("included", "quantity", "most"), [(None, "10.5", "10"), (None, "11", "10"), ("3", "14", "13")]
)
def test_a_quantity_above_the_last_tier_is_refused_with_what_can_be_had(
    model: str, included: str | None, quantity: str, most: str
) -> None:
    account, version = an_account(), a_product(quantity_places=1)
    details = {"allowance": {"units": included}} if included else {}
    negotiated(account, version, monthly("0", model=model, tiers=UP_TO_TEN, details=details))
    lines = [LineInput(version.product.code, "1"), LineInput(version.product.code, quantity)]
    quote = a_quote(account=account, products=[version], quantity=quantity)

    def refused(at: str, ask: Any) -> None:
        with pytest.raises(QuantityBeyondPrice) as fault:
            ask()
        assert (fault.value.field, fault.value.code) == (at, "quantity_beyond_price")
        assert fault.value.extra == {"most": most}
        assert "no more than that" in fault.value.message

    refused("lines[1].quantity", lambda: preview(account, lines, TODAY))
    refused("lines[0].quantity", lambda: send_quote(quote_id=quote.pk, at=NOON))
    refused(
        "lines[1].quantity",
        lambda: enter_order(
            account_id=account.pk, lines=lines, at=NOON, actor_id=None, channel="api"
        ),
    )
    assert Quote.objects.get().state == "draft"
    assert (Order.objects.count(), Terms.objects.count()) == (0, 0)
    top = [LineInput(version.product.code, most)]
    assert preview(account, top, TODAY).totals.monthly == 50


def test_usage_that_could_outgrow_its_price_is_not_sold() -> None:
    account, version = an_account(), a_product()
    ends = monthly("0", kind="usage", timing="arrears", model="graduated", tiers=UP_TO_TEN)
    negotiated(account, version, ends)
    with pytest.raises(PriceBroken) as fault:
        resolve(account=account, wanted=[Wanted(version, D(1))], on=TODAY)
    assert fault.value.field == "lines[0].product"
    assert "10" in fault.value.message


@pytest.mark.parametrize(
    "broken",
    [
        {"details": {"minimum": "a lot"}},
        {"details": {"allowance": {"units": "-1"}}},
        {"details": {"conventions": {"rounding": "sometimes"}}},
        {"details": {"trial": ["moon", 1, False]}},
        {"details": {"unheard": 1}},
        {"interval_unit": "moon"},
        {"interval_count": 0},
        {"model": "haggling"},
        {"model": "volume", "tiers": [{"up_to": None, "unit_price": 1.5}]},
        {"model": "volume", "tiers": "none"},
    ],
)
def test_a_broken_contract_price_is_refused_and_not_a_fault_of_the_server(
    broken: dict[str, Any],
) -> None:
    account, version = an_account(), a_product()
    negotiated(account, version, monthly("10", **broken))
    with pytest.raises(PriceBroken):
        preview(account, [LineInput(version.product.code, "1")], TODAY)
    told = explain_prices(account=account, product_version=version, quantity=D(1), on=TODAY)
    assert "broken" in {each.code for each in told}


def test_a_minimum_of_a_contract_stands_on_one_line() -> None:
    """10 + 10 with at least 100: the first line costs 100, the second what it costs."""
    account, version = an_account(), a_product(charges=[monthly("10")])
    negotiated(account, version, minimum="100")
    lines = [Wanted(version, D(1)), Wanted(version, D(1))]
    first, second = resolve(account=account, wanted=lines, on=TODAY)
    assert [price(r.terms.charges[0], r.quantity) for r in (first, second)] == [100, 10]
    assert any("100 a period of monthly" in str(w["reason"]) for w in first.why)
    assert any("an earlier line carries it" in str(w["reason"]) for w in second.why)


def test_a_maximum_of_a_contract_is_not_multiplied_by_lines() -> None:
    account, version = an_account(), a_product(charges=[monthly("10")])
    negotiated(account, version, maximum="50")
    (alone,) = resolve(account=account, wanted=[Wanted(version, D(7))], on=TODAY)
    assert price(alone.terms.charges[0], D(7)) == 50
    code = version.product.code
    with pytest.raises(MaximumOverLines) as fault:
        preview(account, [LineInput(code, "7"), LineInput(code, "7")], TODAY)
    assert fault.value.field == "lines[1].product"
    assert "one line" in fault.value.message
