"""The doors of split bills, minimums and purchase orders: pages and REST, and what they refuse."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.models import Invoice
from o2b.customers.models import Account
from o2b.models import Event
from orders.models import Order
from quotes import links
from tests.api.conftest import As, as_  # noqa: F401
from tests.api.problem import assert_problem
from tests.billing.documents.build import sold, split_by
from tests.billing.worlds import JANUARY, finalised
from tests.factories import a_product, a_sent_quote, a_user, an_account, an_entity

pytestmark = pytest.mark.django_db
ACCOUNTS, ORDERS = "/api/v1/accounts", "/api/v1/orders"


def form(account: Account, **given: str) -> dict[str, str]:
    return {
        "name": account.name,
        "customer_name": account.customer.name,
        "advocate": str(account.advocate_id),
        "bill_day": "1",
        "time_zone": "UTC",
        "payment_days": "14",
    } | given


def logged_in(client: Client, *groups: str) -> Client:
    client.force_login(a_user(*groups))
    return client


def test_an_account_is_told_on_its_page(client: Client) -> None:
    account = an_account()
    url = reverse("customers:edit", args=[account.pk])
    admin = logged_in(client, "administrator")
    sent = form(account, invoice_split="site", minimum_invoice="12.50")
    assert admin.post(url, sent).status_code == 302
    account.refresh_from_db()
    assert (account.invoice_split, str(account.minimum_invoice)) == ("site", "12.5000")
    page = admin.get(account.get_absolute_url()).text
    assert "by site" in page
    assert "€12.50" in page
    assert 'value="12.5000"' in admin.get(url).text
    admin.post(url, form(account, invoice_split="", minimum_invoice=""))
    account.refresh_from_db()
    assert (account.invoice_split, account.minimum_invoice) == ("", None)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"invoice_split": "colour"}, "invoice_split"),
        ({"minimum_invoice": "-1"}, "minimum_invoice"),
        ({"minimum_invoice": "much"}, "minimum_invoice"),
        ({"minimum_invoice": "1" * 30}, "minimum_invoice"),
        ({"minimum_invoice": "NaN"}, "minimum_invoice"),
    ],
)
def test_bad_settings_stand_beside_their_field(
    client: Client, given: dict[str, str], field: str
) -> None:
    account = an_account()
    answer = logged_in(client, "administrator").post(
        reverse("customers:edit", args=[account.pk]), form(account, **given)
    )
    assert answer.status_code == 422
    assert f'id="id_{field}_error"' in answer.text
    account.refresh_from_db()
    assert (account.invoice_split, account.minimum_invoice) == ("", None)


def test_an_account_by_rest(as_: As) -> None:  # noqa: F811
    an_entity()
    admin = as_("administrator")
    wish = {"reference": "A-1", "name": "Acme", "legal_entity": "nordlicht"}
    said = {"invoice_split": "purchase_order", "minimum_invoice": "5.00"}
    account = admin.post(ACCOUNTS, wish | said).json()
    assert (account["invoice_split"], account["minimum_invoice"]) == ("purchase_order", "5")
    url = account["url"]
    assert admin.patch(url, {"name": "B"}).json()["minimum_invoice"] == "5"
    changed = admin.patch(url, {"minimum_invoice": None, "invoice_split": ""}).json()
    assert (changed["invoice_split"], changed["minimum_invoice"]) == ("", None)
    bad: Any = {"invoice_split": "colour"}
    assert_problem(admin.patch(url, bad), 400, "malformed", "invoice_split")
    for much in ("-1", "1" * 25, "0.12345"):
        answer = admin.patch(url, {"minimum_invoice": much})
        assert_problem(answer, 422, "account_invalid", "minimum_invoice")
    assert_problem(
        admin.patch(url, {"minimum_invoice": "NaN"}), 400, "malformed", "minimum_invoice"
    )


def test_documents_and_runs_by_rest(as_: As) -> None:  # noqa: F811
    account, small = split_by("purchase_order"), an_account(minimum_invoice=50)
    sold(account, "10.00", po_number="A")
    sold(account, "20.00", po_number="B")
    sold(small, "3.00")
    run = finalised(JANUARY)
    finance = as_("finance")
    finance.get("/api/v1/invoices")
    with CaptureQueriesContext(connection) as found:
        rows = finance.get("/api/v1/invoices").json()["results"]
    assert sorted((row["split"], row["about"]) for row in rows) == [
        ("purchase_order", "A"),
        ("purchase_order", "B"),
    ]
    only = finance.get("/api/v1/invoices?about=B").json()["results"]
    assert [row["about"] for row in only] == ["B"]
    for n in range(3):
        sold(account, "1.00", po_number=f"C{n}")
    finalised(JANUARY)
    with CaptureQueriesContext(connection) as more:
        assert len(finance.get("/api/v1/invoices").json()["results"]) == 5
    assert len(more) == len(found)
    progress = finance.get(f"/api/v1/bill-runs/{run.pk}").json()["progress"]
    assert (progress["carried"], progress["drafted"], progress["looked_at"]) == (1, 1, 2)


def test_a_purchase_order_by_rest(as_: As) -> None:  # noqa: F811
    account = an_account()
    a_product(code="fibre")
    team = as_("order team")
    wish = {"account": account.reference, "lines": [{"product": "fibre", "quantity": 1}]}
    order = team.post(ORDERS, wish | {"po_number": " PO  7 "}).json()
    assert order["po_number"] == "PO 7"
    url = f"{order['url']}/po-number"
    assert team.post(url, {"po_number": "PO-8"}).json()["po_number"] == "PO-8"
    event = Event.objects.get(name="order.po_numbered")
    assert (event.facts["before"], event.facts["after"]) == ("PO 7", "PO-8")
    found = team.get(f"{ORDERS}?po_number=PO-8").json()["results"]
    assert [each["id"] for each in found] == [order["id"]]
    assert_problem(team.post(url, {}), 400, "malformed", "po_number")
    assert_problem(team.post(url, {"po_number": "x" * 61}), 400, "malformed", "po_number")
    bad = team.post(ORDERS, wish | {"po_number": "a\u200b"})
    assert_problem(bad, 422, "po_number_invalid", "po_number")
    assert Order.objects.count() == 1
    assert as_("finance").post(url, {"po_number": "X"}).status_code == 403


def test_a_purchase_order_on_the_page_and_in_the_search(client: Client) -> None:
    order = sold(an_account(), "10.00", po_number="PO-1")
    team = logged_in(client, "order team")
    assert "purchase order PO-1" in team.get(order.get_absolute_url()).text
    url = reverse("orders:po-number", args=[order.pk])
    assert team.post(url, {"po_number": "4711-A"}).status_code == 302
    order.refresh_from_db()
    assert order.po_number == "4711-A"
    assert order.number in team.get("/orders/?q=4711-A").text
    refused = team.post(url, {"po_number": "x" * 61}, headers={"HX-Request": "true"})
    assert refused.status_code == 422
    order.refresh_from_db()
    assert order.po_number == "4711-A"


def test_the_customer_names_it_on_the_link(client: Client) -> None:
    quote = a_sent_quote()
    url = reverse("orders:offer", args=[links.sign(quote.pk)])
    sent = {"name": "Ann Hall", "consent": "on", "answer": "accept", "po_number": "4500-17"}
    client.post(url, sent)
    assert Order.objects.get().po_number == "4500-17"


def test_the_invoice_page_and_list_say_what_it_is_for(client: Client) -> None:
    sold(split_by("site"), "10.00", site="Berlin")
    finalised(JANUARY)
    finance = logged_in(client, "finance")
    assert "Site Berlin" in finance.get(Invoice.objects.get().get_absolute_url()).text
    url = reverse("billing:invoice-list")
    assert "Site Berlin" in finance.get(url).text
    csv = b"".join(finance.get(f"{url}?format=csv").streaming_content).decode()  # type: ignore[attr-defined]
    head, row = (line.split(",") for line in csv.splitlines())
    assert head[:3] == ["Number", "Account", "Account number"]
    assert "Site Berlin" in row
