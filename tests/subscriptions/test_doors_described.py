"""What describes a service stays, as it is on the day on which a change holds: at both doors."""

from datetime import date
from typing import Any

import pytest
from rest_framework.test import APIClient

from o2b.people.models import User
from subscriptions.models import Item, ItemChange
from subscriptions.timelines.chains import chains_of
from tests.billing.pages import client_of
from tests.factories import a_product, monthly, reprice
from tests.scenarios.world import World
from tests.subscriptions.test_change_pages import errors, look, order

pytestmark = pytest.mark.django_db

PLACED = [
    {"name": "address", "type": "text"},
    {"name": "edition", "type": "choice", "choices": ["basic", "pro"]},
]


@pytest.fixture(params=["asks for a place", "asks for none"])
def item(request: Any, world: World) -> Item:
    """30.00 a month since 1 January; it is 10 February, and it moves on 1 March."""
    specs = PLACED if request.param == "asks for a place" else []
    world.on("2026-01-01")
    products = [
        a_product(code=code, charges=[monthly(price)], characteristics=specs)
        for code, price in (("line-30", "30.00"), ("line-50", "50.00"))
    ]
    world.sell(products=products[:1])
    world.bill("2026-01-01")
    world.on("2026-02-01").bill("2026-02-01")
    world.on("2026-02-10")
    return Item.objects.get()


def at_the_wizard(item: Item, slug: str, **said: str) -> None:
    client = client_of("sales")
    page = look(client, item, slug, **said)
    assert page.status_code == 200, errors(page)
    assert order(client, page).status_code == 302


def at_the_api(item: Item, act: str, **said: Any) -> None:
    client = APIClient()
    client.force_authenticate(User.objects.get(pk=client_of("sales").session["_auth_user_id"]))
    url = f"/api/v1/subscriptions/{item.subscription_id}/changes"
    made = client.post(url, {"item": item.pk, "act": act} | said, format="json")
    assert made.status_code == 201, made.json()


def described(item: Item, day: date) -> dict[str, Any]:
    return chains_of([item.pk])[item.pk].characteristics_on(day)


def moved(item: Item, address: str, on: str) -> None:
    at_the_api(item, "move", on=on, characteristics={"address": address})


ON = [{"when": "on", "on": "2026-03-21"}, {"when": "period_end"}]


@pytest.mark.parametrize("given", ON)
@pytest.mark.parametrize("what", ["price", "upgrade"])
@pytest.mark.parametrize("door", ["wizard", "api"])
def test_a_planned_move_outlives_a_later_change(
    world: World, item: Item, door: str, what: str, given: dict[str, str]
) -> None:
    moved(item, "Graben 1", "2026-02-10")
    moved(item, "Ring 2", "2026-03-01")
    if what == "price":
        reprice(item.product_version, charges=[monthly("28.00")])
    product = {"product": "line-50"} if what == "upgrade" else {}
    if door == "wizard":
        slug = "product" if what == "upgrade" else "price"
        at_the_wizard(item, slug, **given, **product)
    else:
        at_the_api(item, "terms", **given, **product)
    assert described(item, date(2026, 2, 28))["address"] == "Graben 1"
    for day in (date(2026, 3, 1), date(2026, 3, 21), date(2026, 4, 20)):
        assert described(item, day)["address"] == "Ring 2"
    # The line that is carried out says so too.
    assert ItemChange.objects.latest("pk").order_line.characteristics["address"] == "Ring 2"


@pytest.mark.parametrize("door", ["wizard", "api"])
def test_an_upgrade_says_only_what_becomes_different(world: World, item: Item, door: str) -> None:
    if not item.product_version.characteristics:
        pytest.skip("It asks for nothing.")
    moved(item, "Graben 1", "2026-02-10")
    at_the_api(item, "terms", product="line-30", quantity="2", characteristics={"edition": "basic"})
    moved(item, "Ring 2", "2026-03-01")
    if door == "wizard":
        said = {"c-edition": "pro", "c-address": "Graben 1"}
        at_the_wizard(item, "product", product="line-50", when="on", on="2026-03-21", **said)
    else:
        said = {"edition": "pro"}
        at_the_api(item, "terms", product="line-50", on="2026-03-21", characteristics=said)
    assert described(item, date(2026, 4, 1)) == {"address": "Ring 2", "edition": "pro"}


@pytest.mark.parametrize("door", ["wizard", "api"])
def test_what_is_taken_away_is_gone(world: World, item: Item, door: str) -> None:
    if not item.product_version.characteristics:
        pytest.skip("It asks for nothing.")
    moved(item, "Graben 1", "2026-02-10")
    if door == "wizard":
        at_the_wizard(item, "product", product="line-50", **{"c-address": "", "c-edition": "pro"})
    else:
        said = {"address": None, "edition": "pro"}
        at_the_api(item, "terms", product="line-50", characteristics=said)
    assert described(item, date(2026, 2, 10)) == {"edition": "pro"}


def test_the_place_is_a_text(world: World, item: Item) -> None:
    client = APIClient()
    client.force_authenticate(User.objects.get(pk=client_of("sales").session["_auth_user_id"]))
    url = f"/api/v1/subscriptions/{item.subscription_id}/changes"
    for act in ({"act": "move"}, {"act": "terms", "product": "line-50"}):
        for junk in (7, True, "x" * 10_000):
            asked = {"item": item.pk, "characteristics": {"address": junk}} | act
            answer = client.post(url, asked, format="json")
            assert answer.status_code == 422, answer.json()
            assert answer.json()["errors"][0]["field"] == "characteristics.address"
    assert not ItemChange.objects.exists()
