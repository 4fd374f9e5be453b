"""The doors of reversals, of the journal and of exchange rates: pages and API."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from billing.models import BillRun, ExchangeRate, Invoice, Posting
from billing.payments.services import record_payment
from o2b import events
from o2b.customers.models import LegalEntity
from tests.billing.pages import client_of, queries, text_of
from tests.billing.test_reversal import asked, end, reversed_
from tests.billing.worlds import AT, JANUARY, finalised, in_service
from tests.factories import a_product, a_user, an_account, an_entity, monthly

pytestmark = pytest.mark.django_db


def billed(price: str = "10.00") -> Invoice:
    account = in_service([a_product(charges=[monthly(price)])])
    finalised(JANUARY)
    return Invoice.objects.get(account=account)


def test_one_asks_on_the_invoice_and_another_approves_on_the_run() -> None:
    invoice = billed()
    asker, approver = client_of("finance"), client_of("finance")
    page = asker.get(invoice.get_absolute_url())
    assert "Take back INV-00000001?" in text_of(page)
    url = f"/billing/invoices/{invoice.pk}/reverse/"
    answer = asker.post(url, {"reason": ""})
    assert (answer.status_code, BillRun.objects.count()) == (422, 1)
    assert "This field is required." in text_of(answer)
    answer = asker.post(url, {"reason": "wrong <address>"}, follow=True)
    run = BillRun.objects.get(reverses_invoice=invoice)
    assert answer.redirect_chain[-1][0] == run.get_absolute_url()
    again = asker.post(url, {"reason": "twice"})
    assert again.status_code == 422
    assert f"{run} is asked to take it back already" in text_of(again)
    events.drain()
    assert "Take back" not in text_of(asker.get(invoice.get_absolute_url()))
    text = text_of(asker.get(run.get_absolute_url()))
    assert "Reversal of INV-00000001" in text
    assert "You opened this run, so somebody else has to approve it." in text
    listed = text_of(approver.get("/billing/reversals/?state=to_approve"))
    assert "INV-00000001" in listed
    assert "wrong &lt;address&gt;" in listed
    approver.post(f"/billing/runs/{run.pk}/approve/")
    events.drain()
    note = Invoice.objects.get(reverses=invoice)
    assert "It was taken back as a whole, by INV-00000002" in text_of(
        asker.get(invoice.get_absolute_url())
    )
    text = text_of(asker.get(note.get_absolute_url()))
    for part in ("Credit note INV-00000002", "It takes back INV-00000001", "taken back −10"):
        assert part in text, part
    for state, number in (("reversed", "INV-00000001"), ("reversal", "INV-00000002")):
        rows = asker.get(f"/billing/invoices/?state={state}").context["rows"]
        assert [row.source.number for row in rows] == [number]


def test_who_may_not_run_bills_may_not_ask() -> None:
    invoice = billed()
    client = client_of("sales")
    assert "Take back" not in text_of(client.get(invoice.get_absolute_url()))
    assert (
        client.post(f"/billing/invoices/{invoice.pk}/reverse/", {"reason": "x"}).status_code == 403
    )
    assert BillRun.objects.count() == 1


def test_a_run_is_taken_back_from_its_page() -> None:
    invoice = billed()
    client = client_of("finance")
    assert "Reverse run" in text_of(client.get(invoice.run.get_absolute_url()))
    client.post(f"/billing/runs/{invoice.run_id}/reverse/", {"reason": "wrong month"})
    events.drain()
    reversal = BillRun.objects.get(reverses_run=invoice.run_id)
    text = text_of(client.get(invoice.run.get_absolute_url()))
    assert "Reverse run" not in text
    assert f"Taken back by {reversal}" in text
    assert "1 looked at = 1 drafted + 0 nothing due + 0 parked" in text_of(
        client.get(reversal.get_absolute_url())
    )
    assert client.get("/billing/invoices/999/reverse/").status_code == 404
    assert client.get("/billing/runs/999/reverse/").status_code == 404


def test_a_corrected_bill_says_by_what() -> None:
    invoice = billed("31.00")
    end("2026-01-11")
    finalised(JANUARY)
    text = text_of(client_of("finance").get(invoice.get_absolute_url()))
    assert "Billed again since" in text
    assert "INV-00000002 credited" in text


def test_lists_cost_the_same_for_one_and_many() -> None:
    reversed_(billed())
    client = client_of("finance")
    before = (
        queries(client, "/billing/reversals/"),
        queries(client, "/billing/journal/?month=2026-01"),
    )
    for _ in range(3):
        asked(billed())
    after = (
        queries(client, "/billing/reversals/"),
        queries(client, "/billing/journal/?month=2026-01"),
    )
    assert before == after


def test_the_journal_of_a_month_its_balance_and_its_csv() -> None:
    invoice = billed("49.90")
    client = client_of("finance")
    text = text_of(client.get("/billing/journal/?month=2026-01"))
    for part in ("receivable", "revenue", "€49.90", invoice.number):
        assert part in text, part
    assert "Nothing was posted" in text_of(client.get("/billing/journal/?month=2025-01"))
    csv = b"".join(
        client.get("/billing/journal/?month=2026-01&format=csv").streaming_content
    ).decode()
    assert csv.splitlines()[1].startswith("2026-01-31,receivable,revenue,EUR,49.9")
    text = text_of(client.get("/billing/journal/balance/?month=2026-01"))
    for part in ("receivable", "€49.90", "balanced"):
        assert part in text, part
    assert "not balanced" not in text
    for month in ("2026-99", "9999-12", "9999-11", "1900-01", "0000-01"):
        for page in ("/billing/journal/", "/billing/journal/balance/"):
            assert client.get(f"{page}?month={month}").status_code == 200, (page, month)
    assert client_of("order team").get("/billing/journal/").status_code == 403


def test_the_journal_tells_sellers_apart() -> None:
    billed("49.90")
    other = an_entity(code="north")
    record_payment(
        account_id=an_account(legal_entity=other).pk,
        amount="10",
        on=date(2026, 1, 1),
        method="bank",
        reference="",
        at=AT,
        actor_id=None,
    )
    client, url = client_of("finance"), "/billing/journal/?month=2026-01"
    own = Posting.objects.exclude(legal_entity_id=other.pk).get().legal_entity_id
    code = LegalEntity.objects.get(pk=own).code
    for named, shown, hidden in (("north", "€10.00", "€49.90"), (code, "€49.90", "€10.00")):
        text = text_of(client.get(f"{url}&seller={named}"))
        assert shown in text
        assert hidden not in text
        rows = client.get(f"/api/v1/postings?legal_entity={named}").json()["results"]
        assert [row["legal_entity"] for row in rows] == [named]
    csv = b"".join(client.get(f"{url}&format=csv").streaming_content).decode().splitlines()
    assert {line.rpartition(",")[2] for line in csv[1:]} == {"north", code}


def test_rates_are_told_one_by_one_or_by_a_file() -> None:
    client = client_of("finance")
    url = "/billing/exchange-rates/new/"
    one = {"on": "2026-01-30", "currency": "usd", "into": "eur", "rate": "0.8412"}
    assert client.post(url, one).status_code == 302
    rate = ExchangeRate.objects.get()
    assert (rate.currency, rate.into, rate.rate) == ("USD", "EUR", Decimal("0.8412"))
    for wrong in (
        {"rate": "0"},
        {"rate": "-1"},
        {"rate": "1e30"},
        {"rate": "x"},
        {"currency": "EUR"},
        {"currency": "ZZZ"},
        {"on": "2999-01-01"},
        {"on": ""},
    ):
        assert client.post(url, one | wrong).status_code == 422, wrong
    text = "day,currency,into,rate\n2026-01-29,USD,EUR,0.84\n2026-01-29,CHF,EUR,1.07\n"
    answer = client.post(url, {"file": SimpleUploadedFile("rates.csv", text.encode())})
    assert answer.status_code == 302
    for broken in (
        b"",
        b"2026-01-29,USD,EUR\n",
        b"2026-13-29,USD,EUR,1\n",
        b"\xff\xfe",
        text.encode() + b"x",
        b"2026-01-29,USD,EUR," + b"1" * 140_000 + b"\n",
    ):
        answer = client.post(url, {"file": SimpleUploadedFile("rates.csv", broken)})
        assert answer.status_code == 422, broken
    assert ExchangeRate.objects.count() == 3
    old_mac = SimpleUploadedFile("rates.csv", b"day,currency,into,rate\r2026-01-28,USD,EUR,0.85\r")
    assert client.post(url, {"file": old_mac}).status_code == 302
    assert ExchangeRate.objects.filter(rate="0.85").count() == 1
    assert "0.8412" in text_of(client.get("/billing/exchange-rates/"))


def test_money_in_another_currency_is_valued_on_its_day() -> None:
    account = an_account(currency="USD")
    LegalEntity.objects.update(conventions={"own_currency_books": True})
    told: dict[str, Any] = {"account_id": account.pk, "method": "bank", "at": AT, "actor_id": None}
    record_payment(**told, amount="10", on=date(2025, 12, 1), reference="1")
    ExchangeRate.objects.create(currency="USD", into="EUR", on=date(2025, 12, 30), rate="0.8")
    record_payment(**told, amount="10", on=date(2025, 12, 31), reference="2")
    rows = list(Posting.objects.order_by("pk").values_list("entity_amount", "rate_on"))
    assert rows == [(None, None), (Decimal("8.00"), date(2025, 12, 30))]
    text = text_of(client_of("finance").get("/billing/journal/balance/?month=2025-12"))
    assert "1 posting without a rate" in text


def api(user: Any) -> APIClient:
    client = APIClient()
    client.force_login(user)
    return client


def test_the_api_asks_for_a_reversal_and_reads_the_journal() -> None:
    invoice = billed()
    client = api(a_user("finance"))
    key = {"HTTP_IDEMPOTENCY_KEY": "one"}
    url = f"/api/v1/invoices/{invoice.pk}/reverse"
    assert client.post(url, {}, format="json").status_code == 400
    answers = [client.post(url, {"reason": "wrong"}, format="json", **key) for _ in range(2)]
    assert [each.status_code for each in answers] == [201, 201]
    run = BillRun.objects.get(reverses_invoice=invoice)
    told = answers[0].json()
    assert (told["id"], told["reverses_invoice"], told["reason"]) == (run.pk, invoice.pk, "wrong")
    refused = client.post(
        f"/api/v1/bill-runs/{invoice.run_id}/reverse", {"reason": "x"}, format="json"
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "not_reversible")
    events.drain()
    assert api(a_user("finance")).post(f"/api/v1/bill-runs/{run.pk}/approve").status_code == 200
    events.drain()
    shown = client.get(f"/api/v1/invoices/{Invoice.objects.get(reverses=invoice).pk}").json()
    assert (shown["reverses"], shown["status"], shown["total"]) == (
        invoice.pk,
        "reversal",
        "-10.00",
    )
    rows = client.get("/api/v1/postings?ledger=revenue").json()["results"]
    assert [(row["debit"], row["amount"]) for row in rows] == [
        ("revenue", "10.00"),
        ("receivable", "10.00"),
    ]
    assert (
        client.post("/api/v1/invoices/99999/reverse", {"reason": "x"}, format="json").status_code
        == 404
    )
