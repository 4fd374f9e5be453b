"""The promise check: faults planted behind the triggers' back, told apart and parked."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from hashlib import sha256

import pytest

from billing.models import Breach, Charge, Invoice, ParkedAccount
from billing.runs.selectors import counts_of
from billing.runs.services import cancel_run
from o2b.catalog.models import Contract, ContractPrice, ProductVersion
from o2b.catalog.services import publish_product_version
from o2b.customers.models import Account
from orders.models import OrderLine
from tests.billing.worlds import AT, FEBRUARY, by_hand, drafted, finalised, in_service, parked
from tests.factories import LONG_AGO, a_product, an_account, monthly

pytestmark = pytest.mark.django_db

Plant = Callable[[OrderLine], None]


def the_line(account: Account) -> OrderLine:
    return OrderLine.objects.select_related("product_version").get(account=account)


def the_charge(line: OrderLine) -> Charge:
    return Charge.objects.get(item__order_line=line)


def an_own_price(price: str, quantity: str = "2") -> Account:
    """An account with a product, and so Terms, of its own."""
    return in_service([a_product(charges=[monthly(price)])], quantity=quantity)


def another_version(line: OrderLine) -> ProductVersion:
    version = ProductVersion.objects.create(product=line.product_version.product, number=2)
    return publish_product_version(version_id=version.pk, at=LONG_AGO)


def a_delivered_version(line: OrderLine) -> None:
    values = [another_version(line).pk, line.pk]
    by_hand("UPDATE orders_evidence SET product_version_id = %s WHERE line_id = %s", values)


def an_installed_version(line: OrderLine) -> None:
    values = [another_version(line).pk, line.pk]
    by_hand(
        "UPDATE subscriptions_item SET product_version_id = %s WHERE order_line_id = %s", values
    )


def a_delivered_quantity(line: OrderLine) -> None:
    by_hand("UPDATE orders_evidence SET quantity = 3 WHERE line_id = %s", [line.pk])


def an_ordered_quantity(line: OrderLine) -> None:
    by_hand("UPDATE orders_orderline SET quantity = 3 WHERE id = %s", [line.pk])


def a_quoted_quantity(line: OrderLine) -> None:
    by_hand("UPDATE quotes_quoteline SET quantity = 3 WHERE id = %s", [line.quote_line_id])


def a_quantity_in_service(line: OrderLine) -> None:
    by_hand(
        """UPDATE subscriptions_itemversion SET quantity = 3
           WHERE item_id = (SELECT id FROM subscriptions_item WHERE order_line_id = %s)""",
        [line.pk],
    )


def a_price(line: OrderLine) -> None:
    by_hand("UPDATE catalog_termscharge SET unit_price = 1 WHERE terms_id = %s", [line.terms_id])


def details(line: OrderLine) -> None:
    said = '{"maximum": "1"}'
    values = [said, line.terms_id]
    by_hand("UPDATE catalog_termscharge SET details = %s WHERE terms_id = %s", values)


def the_text_of_terms(line: OrderLine) -> None:
    by_hand(
        "UPDATE catalog_terms SET body = replace(body, '\"49.9\"', '\"4.99\"') WHERE id = %s",
        [line.terms_id],
    )


def other_terms(line: OrderLine) -> None:
    other = the_line(an_own_price("12.00")).terms_id
    by_hand("UPDATE orders_orderline SET terms_id = %s WHERE id = %s", [other, line.pk])


def a_missing_charge(line: OrderLine) -> None:
    charge_id = the_charge(line).pk
    by_hand("DELETE FROM billing_chargestate WHERE charge_id = %s", [charge_id])
    by_hand("DELETE FROM billing_charge WHERE id = %s", [charge_id])


def a_charge_without_a_standing(line: OrderLine) -> None:
    by_hand("DELETE FROM billing_chargestate WHERE charge_id = %s", [the_charge(line).pk])


def a_charge_never_due(line: OrderLine) -> None:
    by_hand(
        "UPDATE billing_chargestate SET next_due_on = '2099-01-01' WHERE charge_id = %s",
        [the_charge(line).pk],
    )


def a_start_of_billing(line: OrderLine) -> None:
    by_hand(
        "UPDATE billing_charge SET started_on = '2026-01-11' WHERE id = %s",
        [the_charge(line).pk],
    )


def a_missing_promise(line: OrderLine) -> None:
    by_hand(
        """DELETE FROM billing_promisefact WHERE promise_id =
           (SELECT id FROM billing_promise WHERE order_line_id = %s)""",
        [line.pk],
        rows=3,
    )
    by_hand("DELETE FROM billing_promise WHERE order_line_id = %s", [line.pk])


@pytest.mark.parametrize(
    ("plant", "code"),
    [
        (a_delivered_version, "version"),
        (an_installed_version, "version"),
        (a_delivered_quantity, "quantity"),
        (an_ordered_quantity, "quantity"),
        (a_quoted_quantity, "quantity"),
        (a_quantity_in_service, "quantity"),
        (a_price, "terms"),
        (details, "terms"),
        (the_text_of_terms, "terms"),
        (other_terms, "terms"),
        (a_missing_charge, "missing"),
        (a_charge_without_a_standing, "missing"),
        (a_charge_never_due, "missing"),
        (a_missing_promise, "unexpected"),
    ],
)
def test_each_fault_has_its_reason(plant: Plant, code: str) -> None:
    bystander, victim = an_own_price("10.00"), an_own_price("49.90")
    plant(the_line(victim))
    run = drafted()
    assert parked(run) == {victim.pk: code}
    assert counts_of(run_id=run.pk).holds
    assert bystander.pk not in parked(run)


def test_the_four_faults_at_once() -> None:
    accounts = [an_own_price(f"{10 + n}.00") for n in range(6)]
    planted = dict(
        zip(
            [account.pk for account in accounts[1:5]],
            [a_delivered_version, an_ordered_quantity, a_price, a_missing_charge],
            strict=True,
        )
    )
    for account_id, plant in planted.items():
        plant(the_line(Account.objects.get(pk=account_id)))
    run = finalised()
    assert parked(run) == dict(
        zip(planted, ["version", "quantity", "terms", "missing"], strict=True)
    )
    invoices = Invoice.objects.order_by("serial")
    assert list(invoices.values_list("account_id", "number")) == [
        (accounts[0].pk, "INV-00000001"),
        (accounts[5].pk, "INV-00000002"),
    ]
    counts = counts_of(run_id=run.pk)
    assert (counts.looked_at, counts.drafted, counts.nothing_due, counts.parked) == (6, 2, 0, 4)
    assert (counts.promises, counts.promises_kept) == (6, 2)
    reasons = ParkedAccount.objects.order_by("account_id").values_list("reason", flat=True)
    assert list(reasons) == [
        "version: promised 1, delivered 2",
        "quantity: promised 2, ordered 3; "
        "amount: promised 36.0000 for monthly from 2026-01-01, drafted 24.0000",
        "terms: promised what was frozen, found monthly: unit_price 1 instead of 13",
        "missing: promised a charge, found none",
    ]


def test_a_breach_has_an_owner_and_the_account_is_met_again_by_the_next_run() -> None:
    victim = an_own_price("49.90")
    line = the_line(victim)
    an_ordered_quantity(line)
    first = drafted()
    breach = Breach.objects.get(run=first, field="quantity")
    assert (breach.owner_id, breach.stage) == (victim.advocate_id, Breach.Stage.RUN)
    by_hand("UPDATE orders_orderline SET quantity = 2 WHERE id = %s", [line.pk])
    cancel_run(run_id=first.pk, at=AT)
    second = finalised(FEBRUARY)
    assert parked(second) == {}
    assert Invoice.objects.get().net == Decimal("199.60")


TEN = [{"up_to": "10", "unit_price": "5"}]


def beyond(*, everywhere: bool) -> Account:
    """Fifty of what has a price for ten, as ordered only or as it stands in service too."""
    account = an_account()
    product = a_product(charges=[monthly("9.00")])
    contract = Contract.objects.create(account=account, code="C", valid_from=date(2025, 1, 1))
    charge = monthly("0", model="graduated", tiers=TEN)
    ContractPrice.objects.create(contract=contract, product=product.product, **charge)
    by_hand("UPDATE catalog_contract SET state = 'published' WHERE id = %s", [contract.pk])
    in_service([product], account=account, quantity="5")
    line = the_line(account)
    by_hand("UPDATE orders_orderline SET quantity = 50 WHERE id = %s", [line.pk])
    if everywhere:
        by_hand(
            """UPDATE subscriptions_itemversion SET quantity = 50 WHERE item_id =
               (SELECT id FROM subscriptions_item WHERE order_line_id = %s)""",
            [line.pk],
        )
    return account


def a_text_that_is_no_terms() -> Account:
    account = an_own_price("20.00")
    terms = the_line(account).terms_id
    body = '{"schema": 99}'
    values = [body, sha256(body.encode()).hexdigest(), terms]
    by_hand("UPDATE catalog_terms SET body = %s, digest = %s WHERE id = %s", values)
    return account


def a_row_that_is_no_charge() -> Account:
    account = an_own_price("21.00")
    values = [the_line(account).terms_id]
    by_hand("UPDATE catalog_termscharge SET interval_unit = 'moon' WHERE terms_id = %s", values)
    return account


@pytest.mark.parametrize(
    ("plant", "code"),
    [
        (lambda: beyond(everywhere=True), "error"),
        (lambda: beyond(everywhere=False), "quantity"),
        (a_text_that_is_no_terms, "terms"),
        (a_row_that_is_no_charge, "error"),
    ],
)
def test_what_cannot_be_rebuilt_parks_its_account_and_no_other(
    plant: Callable[[], Account], code: str
) -> None:
    good = in_service([a_product(charges=[monthly("10.00")])])
    bad = plant()
    run = finalised()
    assert parked(run) == {bad.pk: code}
    assert list(Invoice.objects.values_list("account_id", flat=True)) == [good.pk]
    assert counts_of(run_id=run.pk).holds


def test_a_tier_that_was_changed_behind_the_text_is_found() -> None:
    dear = [{"up_to": "10", "unit_price": "5"}, {"unit_price": "4"}]
    product = a_product(charges=[monthly("0", model="graduated", tiers=dear)])
    victim = in_service([product], quantity="12")
    cheap = '[{"up_to": "10", "unit_price": "1"}, {"unit_price": "1"}]'
    values = [cheap, the_line(victim).terms_id]
    by_hand("UPDATE catalog_termscharge SET tiers = %s WHERE terms_id = %s", values)
    assert parked(drafted()) == {victim.pk: "terms"}
    assert "tiers" in ParkedAccount.objects.get().reason
