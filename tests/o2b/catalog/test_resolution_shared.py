"""A contract's fixed monthly amount over lines of several charges: every cent of it is given."""

from datetime import date
from decimal import Decimal

import pytest

from o2b.catalog.resolution import PriceBroken, Wanted, resolve
from o2b.charging import Discount, DiscountKind, price
from tests.factories import a_contract, a_product, an_account, monthly, setup_fee

pytestmark = pytest.mark.django_db

TODAY = date(2026, 1, 31)


@pytest.mark.parametrize(
    ("value", "charges", "left"),
    [
        ("50.00", ["10.00", "90.00"], ["5.00", "45.00"]),
        ("0.03", ["20.00", "20.00"], ["19.98", "19.99"]),
        ("-5.00", ["10.00", "40.00"], ["11.00", "44.00"]),
        ("30.00", ["0.00", "40.00"], ["0.00", "10.00"]),
        ("30.00", ["-10.00", "40.00"], ["-10.00", "10.00"]),
        ("500.00", ["10.00", "90.00"], ["0.00", "0.00"]),
    ],
)
def test_it_comes_off_every_monthly_charge_of_a_line(
    value: str, charges: list[str], left: list[str]
) -> None:
    account = an_account()
    a_contract(account, discounts=[("amount", value)])
    rows = [monthly(each, key=f"m{i}") for i, each in enumerate(charges)]
    version = a_product(charges=[*rows, setup_fee("100.00")])
    (found,) = resolve(account=account, wanted=[Wanted(version, Decimal(1))], on=TODAY)
    costs = {c.key: f"{price(c, Decimal(1)):.2f}" for c in found.terms.charges}
    assert costs == {f"m{i}": each for i, each in enumerate(left)} | {"setup": "100.00"}


def test_a_line_that_costs_little_after_its_own_discount_takes_little_of_it() -> None:
    account, off = an_account(), Discount(DiscountKind.PERCENT, Decimal(90))
    a_contract(account, discounts=[("percent", "20"), ("amount", "50.00")])
    version = a_product(charges=[monthly("100.00")])
    wanted = [Wanted(version, Decimal(1), (off,)), Wanted(version, Decimal(1))]
    found = resolve(account=account, wanted=wanted, on=TODAY)
    costs = [price(r.terms.charges[0], Decimal(1)) for r in found]
    assert [f"{each:.2f}" for each in costs] == ["3.45", "34.55"]
    assert sum(costs) == Decimal(8 + 80 - 50)


def test_so_many_discounts_that_its_share_is_one_too_many_is_refused() -> None:
    """Eight fit on a charge: never an error of the server's."""
    account = an_account()
    a_contract(account, discounts=[("percent", "1"), ("amount", "1.00")])
    own = (Discount(DiscountKind.PERCENT, Decimal(1)),) * 8
    for count in (7, 8):
        wanted = [Wanted(a_product(), Decimal(1), own[:count])]
        with pytest.raises(PriceBroken, match="at most 8 discounts") as caught:
            resolve(account=account, wanted=wanted, on=TODAY)
        assert caught.value.field == "lines[0].product"
