"""Lists and panels name who has a service on the day, and leave out what nobody has."""

from datetime import date
from typing import Any

import pytest

from o2b.asks import held_by
from subscriptions import selectors
from subscriptions.changes.selectors import ahead_of
from subscriptions.changes.services import change_services
from subscriptions.changes.wishes import When, Wish
from subscriptions.commitments.services import Commit, commit
from subscriptions.models import Act, Item
from tests.billing.pages import HTMX, client_of, text_of
from tests.factories import a_product, monthly
from tests.scenarios.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def item(world: World) -> Item:
    world.on("2026-01-01")
    world.sell(products=[a_product(code="line-30", name="Line 30", charges=[monthly("30.00")])])
    return Item.objects.get()


def told(world: World, item: Item, act: Act, on: str, **given: Any) -> None:
    wish = Wish(item.pk, act, When.ON, date.fromisoformat(on), **given)
    change_services(account_id=item.account_id, wishes=[wish], at=world.now, actor_id=None)
    world.settle()


# fees of early termination


def test_a_fee_for_leaving_is_no_service(world: World, item: Item) -> None:
    wish = Commit(
        item_id=item.pk, months=12, leaving_fee="fixed", leaving_value=100, starts_on=world.today
    )
    commit(account_id=item.account_id, wishes=[wish], at=world.now, actor_id=None)
    told(world, item, Act.END, "2026-03-01")
    fee = Item.objects.exclude(pk=item.pk).get()
    assert fee.root is None
    assert held_by(item.account_id) == frozenset({"line-30"})
    ((_code, units),) = selectors.held_by(item.account_id)
    assert units == 1
    assert list(selectors.ending(machine_now=world.now)) == [item]
    assert list(ahead_of(item.account_id, today=world.today)) == [item.pk]
    client = client_of("sales")
    planned = client.get("/subscriptions/planned/").context["rows"]
    assert [row.source.item_id for row in planned] == [item.pk]
    panel = client.get(f"/subscriptions/of-account/{item.account_id}/", **HTMX)
    assert [each.item for each in panel.context["services"]] == [item]
    day = {"suspended": "yes"}
    world.on("2026-03-01")
    assert client.get("/subscriptions/", day).context["total"] == 0


# planned changes after a transfer


def test_a_planned_change_is_of_who_has_it_then(world: World, item: Item) -> None:
    other = world.an_account(name="Takes over", time_zone="Pacific/Auckland")
    told(world, item, Act.TRANSFER, "2026-03-01", to_account_id=other.pk)
    there = Item.objects.get(account=other)
    told(world, item, Act.QUANTITY, "2026-02-01", quantity="2")
    told(world, there, Act.QUANTITY, "2026-03-01", quantity="3")
    told(world, there, Act.END, "2026-05-01")
    client = client_of("sales")
    rows = [row.source for row in client.get("/subscriptions/planned/").context["rows"]]
    assert [(row.act, row.leg, row.leg_account) for row in rows] == [
        ("quantity", item.pk, world.account.name),
        ("transfer", item.pk, world.account.name),
        ("quantity", there.pk, "Takes over"),
        ("end", there.pk, "Takes over"),
    ]
    url = f"/subscriptions/planned/?q={other.reference}"
    page = client.get(url)
    assert page.context["total"] == 2
    assert there.number in text_of(page)
    assert f"/subscriptions/items/{there.pk}/" in page.content.decode()
    csv = b"".join(client.get(f"{url}&format=csv").streaming_content).decode()
    assert csv.count(f",{there.number},Line 30,") == 2
    assert csv.count(f",{other.reference},") == 2
    # It is noon in London and the first of May in Auckland.
    world.on("2026-04-30")
    assert client.get(url).context["total"] == 0


# more services than a panel has room for


def test_the_account_sees_first_what_changes(world: World, item: Item) -> None:
    for _n in range(21):
        world.sell(products=[item.product_version])
    newest = Item.objects.latest("pk")
    told(world, newest, Act.QUANTITY, "2026-02-01", quantity="2")
    panel = client_of("sales").get(f"/subscriptions/of-account/{item.account_id}/", **HTMX)
    assert (len(panel.context["services"]), panel.context["more"]) == (20, 2)
    assert panel.context["services"][0].item == newest
    assert "Quantity 1 → 2 from 1 Feb 2026" in text_of(panel)
    html = panel.content.decode()
    for url in (
        f"/subscriptions/install-base/?account={world.account.reference}",
        f"/subscriptions/planned/?q={world.account.reference}",
    ):
        assert url in html
        assert client_of("sales").get(url).status_code == 200
