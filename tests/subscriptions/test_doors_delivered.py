"""A change that is delivered first, the fee for leaving early: said at both doors, then done."""

from datetime import date
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from o2b.catalog.services import publish_product_version
from orders.models import Order, Task
from subscriptions.commitments.services import Commit, commit
from subscriptions.models import Act, Item, ItemChange
from tests.billing.pages import client_of, text_of
from tests.factories import INSTALL, a_product, a_user, monthly
from tests.scenarios.world import World
from tests.subscriptions.serving import a_line_in_service, billed_now, told, written
from tests.subscriptions.test_change_pages import errors, look, order, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def item(world: World) -> Item:
    return a_line_in_service(world)


@pytest.fixture
def rep() -> Client:
    return client_of("sales")


@pytest.fixture
def api() -> APIClient:
    client = APIClient()
    client.force_authenticate(a_user("sales"))
    return client


def asked(api: APIClient, item: Item, **said: Any) -> Any:
    url = f"/api/v1/subscriptions/{item.subscription_id}/changes"
    return api.post(url, {"item": item.pk} | said, format="json")


# delivered first


@pytest.mark.parametrize("door", ["wizard", "api"])
def test_an_upgrade_that_is_delivered_first(
    world: World, item: Item, rep: Client, api: APIClient, door: str
) -> None:
    a_product(code="line-50", name="Line 50", charges=[monthly("50.00")], tasks=INSTALL)
    if door == "wizard":
        page = look(rep, item, "product", product="line-50", deliver="on")
        assert page.status_code == 200, errors(page)
        text = text_of(page)
        assert "It is delivered first: it holds from the day of its delivery" in text
        assert "It holds once it is delivered, from 10 Feb 2026 at the earliest." in text
        answer = order(rep, page)
        text = text_of(rep.get(answer.headers["Location"]))
        assert "Ordered: Upgrade or downgrade. It holds once it is delivered." in text
    else:
        wanted = {"act": "terms", "product": "line-50", "deliver": True}
        before = written()
        preview = asked(api, item, **wanted, dry_run=True).json()
        assert (preview["is_delivered_first"], len(preview["warnings"])) == (True, 1)
        assert written() == before
        made = asked(api, item, **wanted)
        assert made.status_code == 201, made.json()
        assert (made.json()["is_delivered_first"], made.json()["changes"]) == (True, [])
    placed = Order.objects.latest("pk")
    assert (placed.kind, [line.action for line in placed.lines.all()]) == ("change", ["terms"])
    assert Task.objects.filter(order=placed).count() == 3
    item.refresh_from_db()
    assert (item.product_version.product.code, item.revision) == ("line-30", 1)
    world.settle()
    world.on("2026-02-15")
    world.deliver_by_hand()
    item.refresh_from_db()
    assert (item.product_version.product.code, item.revision) == ("line-50", 2)
    assert ItemChange.objects.get().on == date(2026, 2, 15)
    # 14 of 28 days.
    assert billed_now(world) == ["-15.00", "25.00"]


@pytest.mark.parametrize(
    ("slug", "said"),
    [
        ("quantity", {"quantity": "3"}),
        ("version", {"version": "2"}),
        ("move", {"c-address": "Ring 2"}),
    ],
)
def test_what_else_can_be_delivered(
    world: World, item: Item, rep: Client, slug: str, said: dict[str, str]
) -> None:
    newer = item.product_version.product.versions.create(number=2, characteristics=[])
    publish_product_version(version_id=newer.pk, at=world.now)
    page = look(rep, item, slug, deliver="on", **said)
    assert page.status_code == 200, errors(page)
    assert order(rep, page).status_code == 302
    assert not ItemChange.objects.exists()
    world.settle()
    world.deliver_by_hand()
    assert [fact.act for fact in ItemChange.objects.all()] == [
        {"quantity": "quantity", "version": "replace", "move": "move"}[slug]
    ]


@pytest.mark.parametrize("slug", ["price", "suspend", "transfer", "end"])
def test_where_nothing_is_delivered_it_is_not_asked(rep: Client, item: Item, slug: str) -> None:
    assert 'name="deliver"' not in rep.get(url(item, slug)).content.decode()
    assert 'name="deliver"' in rep.get(url(item, "quantity")).content.decode()


# leaving a term


def committed(world: World, item: Item, **given: Any) -> None:
    words = {"item_id": item.pk, "months": 12, "starts_on": date(2026, 1, 1)} | given
    commit(account_id=item.account_id, wishes=[Commit(**words)], at=world.now, actor_id=None)
    world.settle()


@pytest.mark.parametrize(
    ("day", "said_day"), [("2026-02-10", "10 Feb 2026"), ("2026-08-01", "1 Aug 2026")]
)
def test_the_fee_for_leaving_is_said_before_it_is_ordered(
    world: World, item: Item, rep: Client, api: APIClient, day: str, said_day: str
) -> None:
    committed(world, item, leaving_fee="fixed", leaving_value="99.50")
    page = look(rep, item, "end", when="on", on=day)
    words = f"Leaving before the agreed term ends costs €99.50, billed once on {said_day}."
    html = page.content.decode()
    assert words in text_of(page)
    assert html.index('id="order-title"') < html.index('id="leaving-fee"')
    assert html.index('id="leaving-fee"') < html.index("Order this end")
    preview = asked(api, item, act="end", on=day, dry_run=True).json()
    assert (preview["leaving_fee"], preview["leaving_fee_on"]) == ("99.50", day)
    assert order(rep, page).status_code == 302
    world.on(day)
    assert billed_now(world)[-1] == "99.50"


def test_no_fee_is_said_where_none_is_owed(
    world: World, item: Item, rep: Client, api: APIClient
) -> None:
    committed(world, item, leaving_fee="fixed", leaving_value="99.50")
    page = look(rep, item, "end", when="term_end")
    assert 'id="leaving-fee"' not in page.content.decode()
    preview = asked(api, item, act="end", when="term_end", dry_run=True).json()
    assert (preview["leaving_fee"], preview["leaving_fee_on"]) == (None, None)


def test_a_fee_that_is_another_by_now_is_looked_at_again(
    world: World, item: Item, rep: Client
) -> None:
    """Also one that is billed later than the months that the page shows."""
    committed(world, item, months=60, leaving_fee="fixed", leaving_value="99.50")
    page = look(rep, item, "end", when="on", on="2029-09-01")
    committed(world, item, months=72, leaving_fee="fixed", leaving_value="199.50")
    answer = order(rep, page)
    assert answer.status_code == 409
    assert "costs €199.50" in text_of(answer)
    assert not ItemChange.objects.exists()


# whose it is


def test_who_still_has_it_changes_it_here(world: World, item: Item, rep: Client) -> None:
    other = world.an_account(reference="A-2", name="Other")
    told(world, item, Act.TRANSFER, to_account_id=other.pk, on=date(2026, 3, 20))
    following = Item.objects.exclude(pk=item.pk).get()
    page = look(rep, item, "quantity", quantity="2")
    assert page.status_code == 200, errors(page)
    assert order(rep, page).status_code == 302
    assert Order.objects.latest("pk").account_id == item.account_id
    told(world, item, Act.WITHDRAW, withdraws=2)
    assert rep.get(url(following, "end")).headers["Location"] == url(item, "end")
    assert rep.get(url(item, "end")).status_code == 200
