"""The pages of invoices: found, read, explained back to the quote, printed."""

from datetime import timedelta
from io import BytesIO

import pytest
from django.test import Client
from pypdf import PdfReader

from billing.invoices.pdf import file_name
from billing.models import Invoice
from billing.payments.services import record_payment
from o2b import asks, clock
from tests.billing.build import AT, an_invoice, charges_of, items_of
from tests.billing.pages import HTMX, client_of, queries, text_of
from tests.billing.worlds import finalised, in_service
from tests.factories import a_product, a_user, an_account, monthly

pytestmark = pytest.mark.django_db

INVOICES = "/billing/invoices/"
TODAY = clock.today()
SOON, PAST = TODAY + timedelta(days=9), TODAY - timedelta(days=9)


def numbers(page: object) -> list[str]:
    return [row.source.number for row in page.context["rows"]]  # type: ignore[attr-defined]


def test_chips_follow_the_derived_status() -> None:
    account = an_account()
    paid = an_invoice("10", account=account, number="PAID", due_on=PAST)
    an_invoice("10", account=account, number="LATE", due_on=PAST)
    an_invoice("10", account=account, number="OPEN", due_on=SOON)
    an_invoice("-5", account=account, number="NOTE", due_on=PAST)
    record_payment(
        account_id=account.pk,
        amount="10",
        on=TODAY,
        method="card",
        reference="",
        at=clock.now(),
        actor_id=None,
        allocations={paid.pk: 10},  # type: ignore[dict-item]
    )
    client = client_of("finance")
    for state, expected in (
        ("", ["NOTE", "OPEN", "LATE", "PAID"]),
        ("open", ["OPEN"]),
        ("overdue", ["LATE"]),
        ("paid", ["PAID"]),
        ("credit", ["NOTE"]),
        ("nonsense", ["NOTE", "OPEN", "LATE", "PAID"]),
    ):
        assert numbers(client.get(INVOICES, {"state": state})) == expected, state
    for sort, expected in (
        ("number", ["PAID", "LATE", "OPEN", "NOTE"]),
        ("-total", ["OPEN", "LATE", "PAID", "NOTE"]),
    ):
        assert numbers(client.get(INVOICES, {"sort": sort})) == expected, sort


def test_the_list_finds_by_number_and_customer_and_exports() -> None:
    atlas = an_account(name="Atlas Freight", reference="A-77")
    an_invoice("10", account=atlas, number="INV-77")
    an_invoice("20", account=an_account(name="Borealis", reference="B-88"), number="INV-88")
    client = client_of("sales")

    for words in ("77", "atlas", "INV-77 freight"):
        assert numbers(client.get(INVOICES, {"q": words}, **HTMX)) == ["INV-77"]
    csv = b"".join(client.get(f"{INVOICES}?format=csv&q=77").streaming_content).decode()
    assert csv.splitlines()[0].startswith("Number,Account,Account number,Date,Due,State,Total,")
    assert csv.splitlines()[1].startswith("INV-77,Atlas Freight,A-77,2026-03-01,2026-04-01,")


def test_the_page_leads_from_the_amount_back_to_the_quote() -> None:
    account = in_service([a_product(name="Fibre 1 G", charges=[monthly("49.90")])], quantity="2")
    finalised()
    invoice = Invoice.objects.get()
    line = invoice.lines.get()
    order_line = line.charge.item.order_line
    client = client_of("finance")

    page = client.get(invoice.get_absolute_url())
    text, html = text_of(page), page.content.decode()

    for part in (
        f"Invoice {invoice.number}",
        account.name,
        "Fibre 1 G",
        "1 Jan 2026",
        "€99.80",
        "Why this amount",
        "per unit 49.9 × 2 €99.80",
        f"Charge {line.charge}",
        f"Terms {line.charge.terms}",
        str(order_line),
        str(order_line.quote_line.quote),
        "Nothing was paid on it yet.",
    ):
        assert part in text, part
    for url in (
        order_line.order.get_absolute_url(),
        order_line.quote_line.quote.get_absolute_url(),
        line.charge.item.subscription.get_absolute_url(),
        f"{INVOICES}{invoice.pk}/pdf/",
        f"/billing/payments/new/?invoice={invoice.pk}",
        invoice.run.get_absolute_url(),
    ):
        assert f'href="{url}"' in html, url


def test_a_part_of_a_period_and_a_correction_say_so() -> None:
    invoice = an_invoice("20", served_from=AT.date().replace(day=11), revision=3)

    text = text_of(client_of("finance").get(invoice.get_absolute_url()))

    assert "In service 21 of 31 days." in text
    assert "Bill number 3 for this period" in text


def test_payments_stand_on_the_invoice() -> None:
    invoice = an_invoice("20", due_on=SOON)
    record_payment(
        account_id=invoice.account_id,
        amount="12.50",
        on=TODAY,
        method="card",
        reference="RF 18",
        at=clock.now(),
        actor_id=None,
    )

    text = text_of(client_of("finance").get(invoice.get_absolute_url()))

    for part in ("Paid €12.50", "Open €7.50", "€12.50 from P-", "RF 18"):
        assert part in text, part


def test_sales_sees_the_invoice_but_records_no_payment() -> None:
    page = client_of("sales").get(an_invoice("20").get_absolute_url())

    assert page.status_code == 200
    assert "/billing/payments/new/" not in page.content.decode()


def test_the_pdf_is_shown_under_its_number_and_kept_by_the_browser() -> None:
    invoice = an_invoice("1234.50", number="INV-000042")
    client = client_of("sales")
    url = f"{INVOICES}{invoice.pk}/pdf/"

    response = client.get(url)

    assert response.headers["Content-Type"] == "application/pdf"
    assert response.headers["Content-Disposition"] == 'inline; filename="INV-000042.pdf"'
    assert "€1,234.50" in PdfReader(BytesIO(response.content)).pages[0].extract_text()
    again = client.get(url, HTTP_IF_NONE_MATCH=response.headers["ETag"])
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("number", "name"),
    [
        ("INV-1", "INV-1.pdf"),
        ('A/"b"\r\nX: y', "A-b-X-y.pdf"),
        ("№", "invoice.pdf"),
    ],
)
def test_a_file_name_is_harmless(number: str, name: str) -> None:
    assert file_name(number) == name


@pytest.mark.parametrize("path", ["", "{pk}/", "{pk}/pdf/"])
def test_doors(path: str) -> None:
    url = f"{INVOICES}{path.format(pk=an_invoice('10').pk)}"

    assert Client().get(url).headers["Location"].startswith("/login/")
    assert client_of("order team").get(url).status_code == 403
    assert client_of("sales").get(url).status_code == 200


@pytest.mark.parametrize("path", ["{n}/", "{n}/pdf/"])
def test_an_unknown_invoice_is_not_there(path: str) -> None:
    for n in (10**15, 10**30):
        assert client_of("sales").get(f"{INVOICES}{path.format(n=n)}").status_code == 404


def test_pages_cost_the_same_whatever_they_show() -> None:
    client = client_of("finance")
    one = in_service([a_product()])
    finalised(account_ids=[one.pk])
    few = Invoice.objects.get()
    before = queries(client, INVOICES), queries(client, few.get_absolute_url())
    many = in_service([a_product() for _ in range(5)])
    finalised(account_ids=[many.pk])
    invoice = Invoice.objects.get(account=many)
    assert (queries(client, INVOICES), queries(client, invoice.get_absolute_url())) == before


def test_panels_of_an_account_and_a_subscription() -> None:
    account = an_account()
    item = items_of(account, [a_product()])[0]
    invoice = an_invoice("30", charge=charges_of([item])[0], due_on=PAST)
    an_invoice("99")
    client = client_of("finance")

    for url, parts in (
        (f"/billing/of-account/{account.pk}/", ("Balance €30.00", "Overdue €30.00", "Ledger")),
        (f"/billing/of-subscription/{item.subscription_id}/", ("Bills", "overdue")),
    ):
        part = client.get(url, **HTMX)
        assert part.content.decode().lstrip().startswith('<section class="card"')
        for text in (*parts, invoice.number, "€30.00"):
            assert text in text_of(part), text
        assert "<html" in client.get(url).content.decode()
        assert client_of("order team").get(url).status_code == 403
    for name in ("of-account", "of-subscription"):
        assert client.get(f"/billing/{name}/{10**15}/").status_code == 404


def test_what_billing_answers_when_asked() -> None:
    invoice = an_invoice("30", number="INV-4711", due_on=PAST, issued_on=TODAY)
    user = a_user("finance")

    assert [(f.kind, f.title, f.url) for f in asks.ask("search", user, "4711")] == [
        ("Invoice", "INV-4711", invoice.get_absolute_url())
    ]
    cards = {card.title: card.value for card in asks.ask("home_cards", user)}
    assert (cards["Overdue"], cards["Billed this month, net"]) == ("€30.00", "€30.00")
    urls = [panel.url for panel in asks.ask("account_panels", user, invoice.account_id)]
    assert f"/billing/of-account/{invoice.account_id}/" in urls
    assert not [f for f in asks.ask("search", a_user(), "4711") if f.kind == "Invoice"]
