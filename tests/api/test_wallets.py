"""Prepaid money by REST: wallets of an account, lots and movements by pages, grants."""

from typing import Any

import pytest

from billing.models import Wallet, WalletGrant
from tests.api.conftest import As
from tests.api.problem import assert_problem
from tests.billing.wallets.build import granted
from tests.scenarios.world import World

pytestmark = pytest.mark.django_db

GRANTS = "/api/v1/wallet-grants"


def test_a_grant_becomes_money_that_can_be_read(world: World, as_: As) -> None:
    clerk, chief = as_("finance"), as_("finance")
    body = {
        "account": world.account.reference,
        "amount": "12.50",
        "source": "promotion",
        "reason": "welcome",
        "ends_on": "2026-06-01",
    }
    made = clerk.post(GRANTS, body)
    assert made.status_code == 201, made.json()
    grant = made.json()
    assert (grant["state"], grant["amount"], grant["priority"]) == ("asked", "12.50", 100)
    assert_problem(clerk.post(f"{grant['url']}/approve"), 409, "own_grant")
    assert chief.post(f"{grant['url']}/approve").json()["state"] == "granted"
    assert_problem(chief.post(f"{grant['url']}/approve"), 409, "grant_not_open")

    (wallet,) = clerk.get(f"/api/v1/accounts/{world.account.pk}/wallets").json()
    assert wallet["standing"] == {
        "available": "12.50",
        "waiting": "0.00",
        "unbilled": "0.00",
        "left": "12.50",
    }
    assert (wallet["currency"], wallet["covers"], wallet["held"]) == ("EUR", "usage", "12.50")
    (lot,) = clerk.get(f"{wallet['url']}/lots").json()["results"]
    assert (lot["left"], lot["ends_on"], lot["grant"]) == ("12.50", "2026-06-01", grant["id"])
    (movement,) = clerk.get(f"{wallet['url']}/movements").json()["results"]
    assert (movement["kind"], movement["amount"], movement["balance"]) == (
        "granted",
        "12.50",
        "12.50",
    )
    assert clerk.get(f"/api/v1/wallets?account_id={world.account.pk}").json()["results"]
    assert clerk.get(f"/api/v1/wallets/{wallet['id']}").json()["standing"]["left"] == "12.50"


def test_lots_and_movements_come_in_pages(world: World, as_: As) -> None:
    for n in range(1, 6):
        granted(world, str(n))
    client = as_("finance")
    for what in ("lots", "movements"):
        url: Any = f"/api/v1/wallets/{Wallet.objects.get().pk}/{what}?page_size=2"
        seen = []
        while url:
            page = client.get(url).json()
            seen += [row["amount"] for row in page["results"]]
            url = page["next"]
        assert seen == ["5.00", "4.00", "3.00", "2.00", "1.00"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"amount": "0"}, "amount"),
        ({"amount": "much"}, "amount"),
        ({"amount": "0.001"}, "amount"),
        ({"source": "order"}, "source"),
        ({"reason": ""}, "reason"),
        ({"priority": 1001}, "priority"),
        ({"ends_on": "2020-01-01"}, "ends_on"),
        ({"ends_on": "31/12/2026"}, "ends_on"),
        ({"colour": "red"}, "colour"),
        ({"account": "nobody"}, "account"),
    ],
)
def test_what_is_wrong_is_named(world: World, as_: As, given: dict[str, Any], field: str) -> None:
    body = {"account": world.account.reference, "amount": "1", "source": "goodwill", "reason": "x"}
    answer = as_("finance").post(GRANTS, body | given)
    assert answer.status_code in (400, 404, 422)
    assert answer["Content-Type"].startswith("application/problem+json")
    assert field in answer.content.decode()
    assert not WalletGrant.objects.exists()


def test_only_who_may_grants(world: World, as_: As) -> None:
    body = {"account": world.account.reference, "amount": "1", "source": "goodwill", "reason": "x"}
    assert as_("sales").post(GRANTS, body).status_code == 403
    assert as_("product").get("/api/v1/wallets").status_code == 403
    assert as_("finance").get("/api/v1/wallets/999999").status_code == 404
