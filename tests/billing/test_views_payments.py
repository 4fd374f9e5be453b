"""The form that records a payment: filled in for an account or an invoice, or refused."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from billing.models import Allocation, Payment
from o2b import clock
from tests.billing.build import an_invoice
from tests.billing.pages import client_of, queries, text_of
from tests.factories import an_account

pytestmark = pytest.mark.django_db

NEW, PAYMENTS = "/billing/payments/new/", "/billing/payments/"
TODAY = clock.today()


def said(account: Any, /, **given: Any) -> dict[str, Any]:
    return {
        "account": account.reference,
        "amount": "10.00",
        "on": TODAY.isoformat(),
        "method": "bank transfer",
        "reference": "",
    } | given


def test_the_form_knows_what_is_owed() -> None:
    account = an_account()
    invoice = an_invoice("30.50", account=account, number="INV-9")
    an_invoice("12", account=account)
    client = client_of("finance")

    for url, amount, reference in (
        (f"{NEW}?invoice={invoice.pk}", "30.50", "INV-9"),
        (f"{NEW}?account={account.pk}", "42.50", None),
        (NEW, None, None),
    ):
        initial = client.get(url).context["form"].initial
        assert (initial.get("amount"), initial.get("reference")) == (amount, reference), url
        assert initial["on"] == TODAY


def test_a_payment_for_an_invoice_goes_there_first() -> None:
    account = an_account()
    an_invoice("20", account=account, number="OLD", due_on=TODAY - timedelta(days=40))
    wanted = an_invoice("30", account=account, number="WANTED")
    client = client_of("finance")

    response = client.post(f"{NEW}?invoice={wanted.pk}", said(account, amount="30"))

    assert response.headers["Location"] == wanted.get_absolute_url()
    assert list(Allocation.objects.values_list("invoice__number", "amount")) == [
        ("WANTED", Decimal(30))
    ]
    assert "is recorded." in text_of(client.get(wanted.get_absolute_url()))


def test_a_payment_for_an_account_settles_the_oldest() -> None:
    account = an_account()
    an_invoice("20", account=account, number="OLD", due_on=TODAY - timedelta(days=40))
    an_invoice("30", account=account, number="NEW", due_on=TODAY)
    client = client_of("finance")

    response = client.post(NEW, said(account, amount="25"))

    assert response.headers["Location"] == PAYMENTS
    assert list(Allocation.objects.order_by("pk").values_list("invoice__number", "amount")) == [
        ("OLD", Decimal(20)),
        ("NEW", Decimal(5)),
    ]
    text = text_of(client.get(PAYMENTS))
    for part in (account.name, "€25.00", "bank transfer"):
        assert part in text, part


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"amount": ""}, "amount"),
        ({"amount": "0"}, "amount"),
        ({"amount": "-5"}, "amount"),
        ({"amount": "1.005"}, "amount"),
        ({"amount": "1e30"}, "amount"),
        ({"amount": "NaN"}, "amount"),
        ({"amount": "ten"}, "amount"),
        ({"on": (TODAY + timedelta(days=2)).isoformat()}, "on"),
        ({"on": "1.2.2026"}, "on"),
        ({"on": ""}, "on"),
        ({"method": "barter"}, "method"),
        ({"reference": "x" * 141}, "reference"),
        ({"reference": "a\0b"}, "reference"),
        ({"account": "nobody"}, "account"),
        ({"account": ""}, "account"),
        ({"account": "a\0b"}, "account"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(given: dict[str, str], field: str) -> None:
    response = client_of("finance").post(NEW, said(an_account(), **given))

    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert not Payment.objects.exists()


def test_a_double_click_records_one_payment() -> None:
    account = an_account()
    client = client_of("finance")
    asked = said(account, reference="RF 18")
    assert client.post(NEW, asked).status_code == 302

    again = client.post(NEW, asked)

    assert list(again.context["form"].errors) == ["reference"]
    assert Payment.objects.count() == 1


def test_credit_is_used_by_a_button() -> None:
    account = an_account()
    client = client_of("finance")
    client.post(NEW, said(account, amount="50"))
    an_invoice("20", account=account)
    assert "Use the credit" in text_of(client.get(f"/billing/of-account/{account.pk}/"))

    client.post(f"/billing/of-account/{account.pk}/use-credit/")

    assert Allocation.objects.get().amount == Decimal(20)
    assert "Use the credit" not in text_of(client.get(f"/billing/of-account/{account.pk}/"))


def test_doors() -> None:
    account = an_account()
    for url in (PAYMENTS, NEW):
        assert Client().get(url).headers["Location"].startswith("/login/")
        assert client_of("sales").get(url).status_code == 403
        assert client_of("finance").get(url).status_code == 200
    assert client_of("sales").post(NEW, said(account)).status_code == 403
    assert (
        client_of("sales").post(f"/billing/of-account/{account.pk}/use-credit/").status_code == 403
    )
    assert not Payment.objects.exists()


def test_unknown_ids_are_not_there() -> None:
    client = client_of("finance")
    for url in (f"{NEW}?invoice={10**15}", f"{NEW}?account={10**15}"):
        assert client.get(url).status_code == 404
    assert client.get(f"{NEW}?invoice=x").status_code == 200


def test_the_list_costs_the_same_whatever_it_shows() -> None:
    client = client_of("finance")
    client.post(NEW, said(an_account()))
    few = queries(client, PAYMENTS)
    for _ in range(5):
        client.post(NEW, said(an_account()))
    assert queries(client, PAYMENTS) == few
