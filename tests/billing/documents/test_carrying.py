"""Bills below their minimum wait, are counted, and are billed once large or late enough."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.documents.selectors.carried import carried_for
from billing.models import CarriedBill, Invoice, Variance
from billing.runs.selectors import counts_of
from billing.runs.services import RunIncomplete, approve_run, ask_retry, cancel_run, set_aside
from o2b import events
from o2b.customers.models import Account, LegalEntity
from subscriptions.models import Item
from tests.billing.adjustments.build import a_coupon, has
from tests.billing.documents.build import carried, papers, sold, split_by
from tests.billing.worlds import AT, FEBRUARY, JANUARY, MARCH, bills, drafted, finalised
from tests.factories import a_product, a_tax_rate, a_user, an_account, an_entity, monthly, setup_fee

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("re_executed")]
D = Decimal
APRIL, MAY = date(2026, 4, 30), date(2026, 5, 31)


def small(minimum: str = "10.00", price: str = "4.00", **given: Any) -> Account:
    account = an_account(minimum_invoice=D(minimum), **given)
    sold(account, price)
    return account


def test_it_waits_until_it_is_large_enough() -> None:
    account, other = small(), an_account()
    sold(other, "4.00")
    run = finalised(JANUARY)
    counts = counts_of(run_id=run.pk)
    assert (counts.looked_at, counts.drafted, counts.carried, counts.holds) == (2, 1, 1, True)
    assert (papers(account), papers(other)) == ([], [("", "4.00")])
    finalised(FEBRUARY)
    assert papers(account) == []
    finalised(MARCH)
    assert bills(account) == [
        ("2026-01-01", "2026-02-01", "4.00"),
        ("2026-02-01", "2026-03-01", "4.00"),
        ("2026-03-01", "2026-04-01", "4.00"),
    ]
    assert papers(account) == [("", "12.00")]
    assert carried(account) == [("4.00", "2026-01-01"), ("8.00", "2026-01-01")]
    assert [each.number for each in Invoice.objects.order_by("serial")] == [
        f"INV-0000000{n}" for n in range(1, 5)
    ]


def test_it_waits_three_months_and_no_longer() -> None:
    account = small("100.00")
    for day in (JANUARY, FEBRUARY, MARCH):
        finalised(day)
    assert papers(account) == []
    finalised(APRIL)
    assert papers(account) == [("", "16.00")]
    finalised(MAY)
    assert papers(account) == [("", "16.00")]  # and waits anew


def test_the_seller_says_how_small_and_how_long_and_an_account_otherwise() -> None:
    said = {"minimum_invoice": "5.00", "carry_months": 1}
    LegalEntity.objects.filter(pk=an_entity().pk).update(conventions=said)
    usual, none = an_account(), an_account(minimum_invoice=D(0))
    foreign = an_account(currency="USD")
    for account in (usual, none):
        sold(account, "4.00")
    sold(foreign, a_product(charges=[monthly("4.00")], currency="USD"))
    finalised(JANUARY)
    assert (papers(usual), papers(none), papers(foreign)) == (
        [],
        [("", "4.00")],
        [("", "4.00")],
    )
    finalised(FEBRUARY)
    assert papers(usual) == [("", "8.00")]


def test_the_total_with_tax_counts() -> None:
    a_tax_rate("19")
    account = small("11.90", "10.00")
    finalised(JANUARY)
    assert papers(account) == [("", "10.00")]


def test_what_is_owed_to_the_customer_does_not_wait() -> None:
    account = an_account(minimum_invoice=D(10))
    sold(account, a_product(charges=[setup_fee("-3.00"), monthly("1.00")]))
    finalised(JANUARY)
    assert papers(account) == [("", "-2.00")]


def test_nothing_waits_where_no_later_bill_is_to_come() -> None:
    account = an_account(minimum_invoice=D(10))
    sold(account, a_product(charges=[setup_fee("3.00")]))
    closed = small()
    Account.objects.filter(pk=closed.pk).update(state="closed")
    finalised(JANUARY)
    assert papers(account) == [("", "3.00")]
    assert papers(closed) == [("", "4.00")]


def test_a_bill_on_demand_bills_it_at_once() -> None:
    account = small()
    finalised(JANUARY)
    finalised(JANUARY, account_ids=[account.pk])
    assert papers(account) == [("", "4.00")]


def test_the_documents_of_a_split_bill_wait_together() -> None:
    account = split_by("purchase_order", minimum_invoice=D(10))
    sold(account, "6.00", po_number="A")
    sold(account, "3.00", po_number="B")
    finalised(JANUARY)
    assert papers(account) == []
    finalised(FEBRUARY)
    assert papers(account) == [("A", "12.00"), ("B", "6.00")]


def test_a_discount_waits_with_its_bill() -> None:
    account = small("5.00", "8.00")
    has(account, a_coupon("50", periods=1))
    finalised(JANUARY)
    assert (papers(account), carried(account)) == ([], [("4.00", "2026-01-01")])
    finalised(FEBRUARY)
    assert papers(account) == [("", "12.00")]


def test_a_run_that_is_cancelled_carries_nothing() -> None:
    account = small()
    run = drafted(JANUARY)
    assert CarriedBill.objects.get().account == account
    assert not Variance.objects.exists()
    cancel_run(run_id=run.pk, at=AT)
    assert carried_for(account_id=account.pk) is None


def test_a_retry_may_carry_what_was_set_aside() -> None:
    account = small(price="11.00")
    other = an_account()
    sold(other, "20.00")
    run = drafted(JANUARY)
    set_aside(run_id=run.pk, reason="look", by=a_user().pk, at=AT, account_ids=[account.pk])
    Account.objects.filter(pk=account.pk).update(minimum_invoice=D(50))
    ask_retry(run_id=run.pk, at=AT, account_ids=[account.pk])
    events.drain()
    counts = counts_of(run_id=run.pk)
    assert (counts.carried, counts.set_aside, counts.drafted, counts.holds) == (1, 0, 1, True)
    approve_run(run_id=run.pk, user_id=a_user().pk, at=AT)
    events.drain()
    assert (papers(account), papers(other)) == ([], [("", "20.00")])


def test_approval_counts_the_rows_of_what_waits() -> None:
    small()
    run = drafted(JANUARY)
    CarriedBill.objects.all().delete()
    with pytest.raises(RunIncomplete):
        approve_run(run_id=run.pk, user_id=a_user().pk, at=AT)


def test_a_shard_drafted_again_carries_anew() -> None:
    account = small()
    run = drafted(JANUARY)
    sold(an_account(), "20.00")
    Item.objects.filter(account=account).update(revision=2)
    Account.objects.filter(pk=account.pk).update(minimum_invoice=D(11))
    finalised_run = run
    approve_run(run_id=finalised_run.pk, user_id=a_user().pk, at=AT)
    events.drain()
    assert counts_of(run_id=run.pk).carried == CarriedBill.objects.count()


def test_pages_say_what_waits(client: Client) -> None:
    account = small()
    run = finalised(JANUARY)
    client.force_login(a_user("finance"))
    page = client.get(run.get_absolute_url()).content.decode()
    assert "1 carried over" in page
    assert "1 bill is below its minimum and waits for the next run: €4.00" in page
    panel = client.get(reverse("billing:of-account", args=[account.pk])).content.decode()
    assert "€4.00 waits since 1 Jan 2026" in panel
    finalised(JANUARY, account_ids=[account.pk])
    panel = client.get(reverse("billing:of-account", args=[account.pk])).content.decode()
    assert "waits since" not in panel


def test_plain_accounts_pay_no_query() -> None:
    sold(an_account(), "4.00")
    with CaptureQueriesContext(connection) as found:
        run = drafted(JANUARY)
    assert not [
        each for each in found if "FROM customers_account AS account\n    LEFT" in each["sql"]
    ]
    assert counts_of(run_id=run.pk).carried == 0
