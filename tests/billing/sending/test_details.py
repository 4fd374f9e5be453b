"""Usage details of an invoice: a file whose numbers add up to what was billed."""

import csv
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest

from billing.models import Invoice, InvoiceDocument
from billing.sending.selectors import details_of_invoice
from tests.billing.pages import client_of
from tests.billing.sending.build import a_seller
from tests.decks import a_deck
from tests.scenarios.world import World
from tests.subscriptions.usage.build import a_meter, a_metered_service, an_event, by_meter, taken

pytestmark = pytest.mark.django_db
TO = {"name": "to", "required": True, "choices": [], "digits": 6}


def rows_of(invoice: Invoice) -> list[dict[str, str]]:
    _number, text = details_of_invoice(invoice_id=invoice.pk)
    assert text is not None
    return list(csv.DictReader(StringIO(text.decode("utf-8-sig"))))


def added(rows: list[dict[str, str]], *kinds: str, column: str = "units") -> Decimal:
    return sum((Decimal(row[column]) for row in rows if row["kind"] in kinds), Decimal(0))


def invoice_with(rows: list[dict[str, str]], invoice: Invoice) -> Invoice:
    """The file agrees with each of its lines, and with the invoice."""
    for line in invoice.lines.all():
        own = [row for row in rows if row["line"] == str(line.position)]
        if any(row["kind"] == "use" for row in own):
            assert added(own, "use", "later") == line.quantity
        assert added(own, "line", column="amount") == line.amount
    assert added(rows, "line", column="amount") == invoice.net
    return invoice


def test_units_of_days_add_up_to_their_line(world: World) -> None:
    a_seller("portal")
    zone = {"name": "zone", "required": False, "choices": ["eu", "us"]}
    a_meter("data", unit="GB", dimensions=[zone])
    item = a_metered_service(world, by_meter("data", "0.10"))
    for day, units, where in (("03", "2.5", "eu"), ("03", "4", "us"), ("09", "1", "eu")):
        taken(
            an_event(
                item, units, f"2026-02-{day}T12:00:00Z", meter="data", properties={"zone": where}
            )
        )
    world.on("2026-03-01").bill("2026-03-01")

    invoice = Invoice.objects.get(lines__charge__terms_charge__kind="usage")
    rows = rows_of(invoice)
    invoice_with(rows, invoice)
    used = [row for row in rows if row["kind"] == "use"]
    assert [(r["day"], r["details"], r["units"], r["unit"], r["list_amount"]) for r in used] == [
        ("2026-02-03", "zone=eu", "2.5", "GB", "0.25"),
        ("2026-02-03", "zone=us", "4", "GB", "0.4"),
        ("2026-02-09", "zone=eu", "1", "GB", "0.1"),
    ]
    assert {row["invoice"] for row in rows} == {invoice.number}
    # What was kept is what is told, whatever comes later.
    kept = InvoiceDocument.objects.get(invoice=invoice).usage_csv
    taken(an_event(item, "9", "2026-02-09T13:00:00Z", meter="data"), now="2026-03-02T12:00:00Z")
    assert details_of_invoice(invoice_id=invoice.pk) == (invoice.number, bytes(kept))


def test_what_came_after_the_bill_is_told_apart(world: World) -> None:
    a_meter("data")
    item = a_metered_service(world, by_meter("data", "0.10"))
    taken(an_event(item, "5", "2026-02-03T12:00:00Z", meter="data"))
    world.on("2026-03-01").bill("2026-03-01")
    world.on("2026-03-20")
    taken(an_event(item, "7", "2026-02-04T12:00:00Z", meter="data"), now="2026-03-20T12:00:00Z")

    invoice = Invoice.objects.get(lines__charge__terms_charge__kind="usage")
    rows = rows_of(invoice)
    invoice_with(rows, invoice)
    assert [row["units"] for row in rows if row["kind"] == "later"] == ["-7"]


def test_calls_by_deck_cost_what_their_line_does(world: World) -> None:
    a_deck(told={"49": "0.02", "49171": "0.18/60/60+0.05"})
    a_meter("calls", aggregation="each", unit="s", dimensions=[TO])
    details = {"call": {"deck": "intl", "number": "to"}}
    item = a_metered_service(world, by_meter("calls", "0") | {"model": "rated", "details": details})
    for to, seconds in (("493090", "600"), ("493090", "600"), ("491711", "61")):
        taken(an_event(item, seconds, "2026-02-09T12:00:00Z", meter="calls", properties={"to": to}))
    world.on("2026-03-01").bill("2026-03-01")

    invoice = Invoice.objects.get(lines__charge__terms_charge__kind="usage")
    rows = rows_of(invoice)
    invoice_with(rows, invoice)
    line = invoice.lines.get(charge__terms_charge__kind="usage")
    amounts = added([r for r in rows if r["kind"] == "use"], "use", column="list_amount")
    assert amounts == line.amount
    assert sum(int(row["events"]) for row in rows if row["kind"] == "use") == 3
    assert any("to=491711" in row["details"] for row in rows)


def test_the_page_links_the_file_and_an_invoice_without_usage_has_none(world: World) -> None:
    a_meter("data")
    item = a_metered_service(world, by_meter("data", "0.10"))
    taken(an_event(item, "5", "2026-02-03T12:00:00Z", meter="data"))
    world.on("2026-03-01").bill("2026-03-01")
    metered = Invoice.objects.get(lines__charge__terms_charge__kind="usage")
    client = client_of("finance")

    url = f"/billing/invoices/{metered.pk}/details/"
    assert url in client.get(metered.get_absolute_url()).content.decode()
    response: Any = client.get(url)
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == f'attachment; filename="{metered.number}-details.csv"'
    assert response.content.decode("utf-8-sig").startswith("invoice,kind,line,service,")
    assert client.get("/billing/invoices/999999/details/").status_code == 404
