"""Doors of sending: the panel of a run, the list, the card of an invoice, REST; and their cost."""

from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from billing.models import Invoice, InvoiceDocument
from o2b import events
from tests.billing.pages import HTMX, client_of, queries, text_of
from tests.billing.sending.build import State, a_client, a_final_run, a_seller, letters, sending
from tests.billing.worlds import drafted
from tests.factories import a_user

pytestmark = pytest.mark.django_db


def test_the_runs_panel_tells_pdfs_and_mail_apart() -> None:
    a_seller()
    a_client()
    lost = a_client(email="", name="Lost GmbH")
    run = a_final_run()
    client = client_of("finance")

    page = client.get(run.get_absolute_url()).content.decode()
    assert f'hx-get="/billing/runs/{run.pk}/sending/"' in page
    panel = client.get(f"/billing/runs/{run.pk}/sending/", **HTMX)
    text = text_of(panel)
    for part in ("2 of 2 PDFs", "1 of 2 mailed", "Lost GmbH", "Nobody is known", "Try again"):
        assert part in text, part
    assert "every" not in panel.content.decode()  # nothing moves any more

    lost.bill_to = "found@acme.test"
    lost.save()
    answer = client.post(f"/billing/runs/{run.pk}/sending/retry/", **HTMX)
    assert "every 1s" in answer.content.decode()
    events.drain()
    assert "2 of 2 mailed" in text_of(client.get(f"/billing/runs/{run.pk}/sending/", **HTMX))


def test_before_the_run_is_final_the_panel_waits() -> None:
    a_seller()
    a_client()
    run = drafted()
    panel = client_of("finance").get(f"/billing/runs/{run.pk}/sending/", **HTMX).content.decode()
    assert "every 5s" in panel
    assert "when the run is final" in panel


def test_a_seller_on_demand_says_so_and_can_be_asked() -> None:
    a_seller("on_demand")
    a_client()
    run = a_final_run()
    client = client_of("finance")
    url = f"/billing/runs/{run.pk}/sending/"
    assert "makes PDFs when they are asked for" in text_of(client.get(url))
    assert client.post(f"{url}make/").status_code == 302
    events.drain()
    assert "1 of 1 PDFs" in text_of(client.get(url, **HTMX))


def test_the_invoice_says_how_it_was_sent_and_serves_what_was_kept() -> None:
    a_seller()
    account = a_client()
    a_final_run()
    invoice = Invoice.objects.get(account=account)
    client = client_of("finance")
    text = text_of(client.get(invoice.get_absolute_url()))
    for part in ("Sending", "mailed", "ada@acme.test", "Mail again"):
        assert part in text, part
    page = client.get(f"/billing/invoices/{invoice.pk}/pdf/")
    kept = InvoiceDocument.objects.get(invoice=invoice)
    assert page.content == bytes(kept.pdf)
    assert page["ETag"] == f'"{kept.digest}"'

    client.post(f"/billing/invoices/{invoice.pk}/send/", {"to": "cfo@acme.test"})
    events.drain()
    assert letters()[-1].to == ["cfo@acme.test"]


def test_the_document_speaks_the_customers_language_on_the_page_too() -> None:
    a_seller("on_demand")
    account = a_client()
    account.customer.country = "DE"
    account.customer.save()
    a_final_run()
    html = client_of("finance").get(Invoice.objects.get().get_absolute_url()).content.decode()
    assert 'lang="de"' in html
    assert "Zeitraum" in html
    assert "Why this amount" in html
    assert 'data-label="Menge"' in html  # as a phone shows it
    assert 'data-label="Betrag">49,90' in html


@pytest.mark.parametrize(
    ("country", "says"), [("DE", "Language German"), ("FR", "Language English")]
)
def test_the_card_says_the_customers_language_not_the_readers(country: str, says: str) -> None:
    a_seller("on_demand")
    account = a_client()
    account.customer.country = country
    account.customer.save()
    a_final_run()
    client, page = client_of("finance"), Invoice.objects.get().get_absolute_url()
    assert says in text_of(client.get(page))
    german = text_of(client.get(page, HTTP_ACCEPT_LANGUAGE="de"))
    assert ("Sprache Deutsch" if country == "DE" else "Sprache Englisch") in german


def test_people_settle_what_could_not_be_mailed() -> None:
    a_seller()
    account = a_client(email="")
    a_final_run()
    client = client_of("finance")
    listed = client.get("/billing/sending/?state=fallout", **HTMX)
    assert account.name in text_of(listed)
    client.post(f"/billing/invoices/{sending(account).pk}/settle/", {"note": "by post"})
    assert sending(account).state == State.SETTLED
    assert account.name not in text_of(client.get("/billing/sending/?state=fallout", **HTMX))


@pytest.mark.parametrize(
    ("path", "method", "group", "status"),
    [
        ("/billing/runs/{run}/sending/", "get", "order team", 403),
        ("/billing/runs/{run}/sending/retry/", "post", "sales", 403),
        ("/billing/runs/{run}/sending/make/", "post", "sales", 403),
        ("/billing/invoices/{invoice}/send/", "post", "sales", 403),
        ("/billing/invoices/{invoice}/settle/", "post", "sales", 403),
        ("/billing/invoices/{invoice}/details/", "get", "order team", 403),
        ("/billing/sending/", "get", "order team", 403),
        ("/billing/sending/", "get", "sales", 200),
        ("/billing/invoices/{invoice}/send/", "get", "finance", 405),
        ("/billing/runs/999999/sending/", "get", "finance", 404),
        ("/billing/invoices/999999/send/", "post", "finance", 404),
    ],
)
def test_doors(path: str, method: str, group: str, status: int) -> None:
    a_seller()
    a_client()
    run = a_final_run()
    url = path.format(run=run.pk, invoice=Invoice.objects.get().pk)
    assert getattr(client_of(group), method)(url).status_code == status
    assert getattr(Client(), method)(url).headers["Location"].startswith("/login/")


def test_pages_cost_the_same_whatever_they_show() -> None:
    a_seller()
    one = a_client(email="")
    few = a_final_run(account_ids=[one.pk])
    client = client_of("finance")
    urls = ("/billing/runs/{}/sending/", "/billing/sending/")
    before = [queries(client, url.format(few.pk)) for url in urls]
    more = [a_client(email="") for _ in range(4)]
    many = a_final_run(account_ids=[each.pk for each in more])
    assert [queries(client, url.format(many.pk)) for url in urls] == before


def api_of(*groups: str) -> APIClient:
    client = APIClient()
    client.force_login(a_user(*groups))
    return client


def test_rest() -> None:
    a_seller()
    account = a_client(email="")
    a_client()
    run = a_final_run()
    client, lost = api_of("finance"), sending(account)
    at = f"/api/v1/bill-runs/{run.pk}"
    told: Any = client.get(f"{at}/sending").json()
    assert {name: told[name] for name in ("invoices", "made", "mailed", "stuck", "waiting")} == {
        "invoices": 2,
        "made": 2,
        "mailed": 1,
        "stuck": 1,
        "waiting": 0,
    }
    (row,) = client.get(f"{at}/unsent").json()["results"]
    assert (row["invoice"], row["code"]) == (lost.pk, "no_contact")
    refused = client.post(f"{at}/retry-sending")
    assert (refused.status_code, refused.json()["code"]) == (409, "cannot_send")
    url = f"/api/v1/invoices/{lost.pk}"
    assert client.post(f"{url}/send", {"to": "nobody"}, format="json").status_code == 400
    missing = client.post(f"{url}/send", {}, format="json")
    assert (missing.status_code, missing.json()["code"]) == (422, "nobody_to_send_to")
    sent = client.post(f"{url}/send", {"to": "bo@acme.test"}, format="json")
    assert sent.json()["state"] == "to_mail"
    events.drain()
    assert client.get(f"{url}/sending").json()["state"] == "mailed"
    assert client.get(f"{url}/details").status_code == 404
    again = client.post(f"{url}/settle-sending", {"note": "by post"}, format="json")
    assert again.status_code == 409
    kept = InvoiceDocument.objects.get(invoice=lost.pk)
    assert client.get(f"{url}/pdf").content == bytes(kept.pdf)
    assert api_of("sales").post(f"{url}/send", {}, format="json").status_code == 403
