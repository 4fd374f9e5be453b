"""Pages of prepaid money: the panel, a wallet with its statement, the form, the second person."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from billing.invoices.document import document_of
from billing.invoices.pdf import render
from billing.invoices.selectors import lines_of
from billing.models import Wallet, WalletGrant
from billing.wallets.selectors import paid_on, standing_of
from tests.billing.pages import HTMX, client_of, queries, text_of
from tests.billing.wallets.build import buy, credits, granted
from tests.factories import a_tax_rate, an_account
from tests.scenarios.world import World
from tests.subscriptions.usage.build import a_meter, a_metered_service, an_event, by_meter, taken

pytestmark = pytest.mark.django_db


@pytest.fixture
def used(world: World) -> World:
    """50 bought, 35.70 of it drawn, 11.90 used since; it is 10 March."""
    a_tax_rate("19")
    a_meter()
    item = a_metered_service(world, by_meter(price="1.00"))
    buy(world.on("2026-01-10"), credits())
    world.on("2026-01-31").bill()
    world.on("2026-02-10")
    taken(an_event(item, "30", "2026-02-09T12:00:00Z"), now="2026-02-10T12:00:00Z")
    world.on("2026-03-01").bill()
    world.on("2026-03-10")
    taken(an_event(item, "10", "2026-03-02T12:00:00Z"), now="2026-03-10T12:00:00Z")
    return world


def test_the_balance_is_a_projection_of_what_is_used_and_not_billed(used: World) -> None:
    wallet = Wallet.objects.select_related("account__legal_entity").get()
    stands = standing_of(wallet, today=used.today)
    assert [f"{m.amount:.2f}" for m in (stands.available, stands.unbilled, stands.left)] == [
        "14.30",
        "11.90",
        "2.40",
    ]
    used.on("2026-04-02")
    # March is over and not billed yet; it is still used, and April runs.
    assert standing_of(wallet, today=used.today).unbilled.amount == Decimal("11.90")
    used.bill()
    stands = standing_of(wallet, today=used.today)
    assert (stands.unbilled.amount, f"{stands.available.amount:.2f}") == (Decimal(0), "2.40")


def test_the_panel_and_the_wallet_say_what_there_is(used: World) -> None:
    client = client_of("finance")
    panel = client.get(f"/billing/of-account/{used.account.pk}/wallet/", **HTMX)
    said = text_of(panel)
    assert "Available €14.30 Used but not billed yet €11.90 Left €2.40" in said
    assert used.invoices()[1].number in said
    whole = client.get(f"/billing/of-account/{used.account.pk}/wallet/")
    assert "<html" in whole.content.decode()

    url = Wallet.objects.get().get_absolute_url()
    page = client.get(url)
    said = text_of(page)
    assert "L-" in said
    assert "paid an invoice" in said
    assert used.invoices()[1].get_absolute_url() in page.content.decode()
    assert "came in" not in text_of(client.get(f"{url}?state=drawn", **HTMX)).split("Balance")[1]
    assert "Nothing matches." in text_of(client.get(f"{url}?since=2027-01-01"))
    rows = b"".join(client.get(f"{url}?format=csv")).decode().splitlines()  # type: ignore[arg-type]
    assert len(rows) == 3
    assert "-35.7" in rows[1]
    assert text_of(client.get("/billing/wallets/")).count("W-") == 1


def test_an_invoice_says_what_was_paid_from_which_lot(used: World) -> None:
    bill = used.invoices()[1]
    document = document_of(bill, list(lines_of(invoice_id=bill.pk)), paid_on(bill), ())
    lot = Wallet.objects.get().lots.get()
    assert document["prepaid"] == [
        [f"Paid from prepaid credit: {lot}, bought on 31 Jan 2026", "-€35.70"],
        ["Left to pay", "€0.00"],
    ]
    assert document["pay"] == "There is nothing to pay. Your prepaid credit has paid it."
    assert render(document).startswith(b"%PDF")
    said = text_of(client_of("finance").get(bill.get_absolute_url()))
    assert "Left to pay €0.00" in said
    first = used.invoices()[0]
    assert document_of(first, list(lines_of(invoice_id=first.pk)), (), ())["prepaid"] == []


def test_a_grant_is_asked_by_one_and_approved_by_another(world: World) -> None:
    clerk, chief = client_of("finance"), client_of("finance")
    url = f"/billing/of-account/{world.account.pk}/grant/"
    assert clerk.get(url).status_code == 200
    body = {"amount": "12.50", "source": "goodwill", "reason": "an outage", "priority": "5"}
    made = clerk.post(url, body)
    assert made.headers["Location"] == world.account.get_absolute_url()
    grant = WalletGrant.objects.get()
    panel = f"/billing/of-account/{world.account.pk}/wallet/"
    assert "Withdraw" in text_of(clerk.get(panel))
    assert "Approve" not in text_of(clerk.get(panel))
    assert "Approve" in text_of(chief.get(panel))
    assert "Grants to approve 1" in text_of(chief.get("/"))
    assert "an outage" in text_of(chief.get("/billing/wallet-grants/?state=asked"))
    clerk.post(f"/billing/wallet-grants/{grant.pk}/approve/")
    grant.refresh_from_db()
    assert grant.state == "asked"
    chief.post(f"/billing/wallet-grants/{grant.pk}/approve/")
    grant.refresh_from_db()
    assert (grant.state, Wallet.objects.get().lots.get().left) == ("granted", Decimal("12.50"))


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"amount": ""}, "amount"),
        ({"amount": "0"}, "amount"),
        ({"amount": "1.001"}, "amount"),
        ({"source": "order"}, "source"),
        ({"reason": " "}, "reason"),
        ({"priority": "x"}, "priority"),
        ({"ends_on": "2020-01-01"}, "ends_on"),
        ({"ends_on": "soon"}, "ends_on"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    world: World, given: dict[str, str], field: str
) -> None:
    client = client_of("finance")
    body = {"amount": "1", "source": "goodwill", "reason": "why", "priority": "1", "ends_on": ""}
    answer = client.post(f"/billing/of-account/{world.account.pk}/grant/", body | given)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert not WalletGrant.objects.exists()


def test_how_a_wallet_pays_is_set_by_who_may_grant(world: World) -> None:
    granted(world, "5")
    wallet = Wallet.objects.get()
    url = f"/billing/wallets/{wallet.pk}/change/"
    assert client_of("sales").post(url, {"covers": "all"}).status_code == 403
    client = client_of("finance")
    client.post(url, {"covers": "all", "usable": "never"})
    wallet.refresh_from_db()
    assert wallet.covers == "usage"
    client.post(url, {"covers": "all", "usable": "on_payment"})
    wallet.refresh_from_db()
    assert (wallet.covers, wallet.usable) == ("all", "on_payment")


@pytest.mark.parametrize(
    "path", ["wallets/", "wallet-grants/", "wallets/1/", "of-account/1/wallet/"]
)
def test_nobody_else_sees_them(world: World, path: str) -> None:
    assert Client().get(f"/billing/{path}").status_code == 302
    assert client_of("product").get(f"/billing/{path}").status_code == 403
    assert client_of("finance").get("/billing/wallets/999999/").status_code == 404


def test_a_page_costs_the_same_whatever_the_number_of_movements(world: World) -> None:
    client = client_of("finance")
    granted(world, "5")
    url = Wallet.objects.get().get_absolute_url()
    few = queries(client, url)
    for n in range(4):
        granted(world, "5", ends_on=world.today + timedelta(days=n + 1))
    assert queries(client, url) == few
    an_account()


def test_a_grant_that_ends_says_so(world: World) -> None:
    granted(world, "5", ends_on=date(2026, 5, 1))
    said: Any = text_of(client_of("finance").get(Wallet.objects.get().get_absolute_url()))
    assert "1 May 2026" in said
