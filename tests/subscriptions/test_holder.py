"""Whose a service is on which day: with transfers planned, taken back, and told late."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest
from django.db import connection, transaction
from django.urls import reverse

from o2b.errors import Refused
from o2b.models import Event
from orders.models import LicenceKey, Order
from subscriptions import selectors
from subscriptions.changes.services import change_services
from subscriptions.changes.wishes import When, Wish
from subscriptions.commitments.selectors import renewals
from subscriptions.commitments.services import Commit, commit, renew_due
from subscriptions.models import Act, Commitment, Item, ItemChange, RenewalDue, Subscription
from subscriptions.timelines.rebuilding import rebuild_versions
from subscriptions.timelines.turning import turn_due
from tests.billing.pages import client_of
from tests.factories import a_product, monthly
from tests.orders.kinds_build import step
from tests.scenarios.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def item(world: World) -> Item:
    """30.00 a month since 1 January 2026, committed for a year."""
    world.on("2026-01-01")
    world.sell(products=[a_product(code="line-30", charges=[monthly("30.00")])])
    found = Item.objects.get()
    wish = Commit(item_id=found.pk, months=12, starts_on=date(2026, 1, 1))
    commit(account_id=found.account_id, wishes=[wish], at=world.now, actor_id=None)
    world.settle()
    return found


def told(world: World, item: Item, act: Act, on: str = "", **given: Any) -> Any:
    if on:
        given |= {"when": When.ON, "on": date.fromisoformat(on)}
    wish = Wish(item_id=item.pk, act=act, **given)
    found = change_services(account_id=item.account_id, wishes=[wish], at=world.now, actor_id=None)
    world.settle()
    return found


def passed_on(world: World, item: Item, on: str) -> Item:
    """The item of the account that has it from that day on."""
    other = world.an_account()
    told(world, item, Act.TRANSFER, on, to_account_id=other.pk)
    return Item.objects.get(account=other)


def taken_back(world: World, item: Item, revision: int) -> None:
    told(world, item, Act.WITHDRAW, withdraws=revision)


def renewed(world: World, day: str) -> list[int]:
    """The accounts of the orders by which something was renewed on the day."""
    world.on(day)
    before = set(Order.objects.values_list("pk", flat=True))
    while renew_due(machine_now=world.now):
        pass
    world.settle()
    fresh = Order.objects.filter(kind="renew").exclude(pk__in=before)
    return list(fresh.values_list("account", flat=True))


# who renews


def test_after_a_transfer_that_was_taken_back_the_first_account_renews(
    world: World, item: Item
) -> None:
    passed_on(world, item, "2026-06-01")
    taken_back(world, item, 2)
    assert renewed(world, "2027-01-01") == [item.account_id]
    assert Commitment.objects.latest("number").number == 2


def test_before_the_day_of_a_transfer_the_first_account_renews(world: World, item: Item) -> None:
    there = passed_on(world, item, "2027-06-01")
    assert renewed(world, "2027-01-01") == [item.account_id]
    assert renewed(world, "2028-01-01") == [there.account_id]


def test_the_last_to_have_it_renews_not_the_last_to_be_told(world: World, item: Item) -> None:
    there = passed_on(world, item, "2026-06-01")
    between = passed_on(world, item, "2026-03-01")
    assert between.pk > there.pk
    row = renewals(machine_now=world.now).get()
    assert row.holder == there.account_id
    assert renewed(world, "2027-01-01") == [there.account_id]


def test_who_has_it_when_a_suspension_is_over_renews(world: World, item: Item) -> None:
    told(world, item, Act.SUSPEND, "2026-12-20", billing="none")
    there = passed_on(world, item, "2027-01-05")
    told(world, there, Act.RESUME, "2027-01-10")
    assert renewed(world, "2027-01-10") == [there.account_id]
    assert str(Commitment.objects.latest("number").starts_on) == "2027-01-10"
    assert not RenewalDue.objects.exclude(fault="").exists()


# who is shown to have it


def page_of(item: Item) -> Any:
    return client_of("sales").get(item.subscription.get_absolute_url())


def shown_of(item: Item) -> Any:
    (each,) = page_of(item).context["items"]
    return each


def agreed_on_its_page(item: Item) -> Any:
    said = {"do": "commit", "months": "24", "renewal": "same", "leaving_fee": "none"}
    said |= {"notice_days": "0", "leaving_value": "0", "uplift_percent": "0"}
    return client_of("sales").post(reverse("subscriptions:commitments", args=[item.pk]), said)


def listed_as_ending(world: World) -> list[Item]:
    return list(selectors.ending(machine_now=world.now))


def test_after_a_transfer_that_was_taken_back_it_is_as_before(world: World, item: Item) -> None:
    empty = passed_on(world, item, "2026-06-01")
    taken_back(world, item, 2)
    each = shown_of(item)
    assert (each.passed_to, bool(each.deeds)) == (None, True)
    assert 'class="passed"' not in page_of(item).content.decode()
    nobody = shown_of(empty)
    assert (nobody.came_from, nobody.passed_to, nobody.deeds) == (None, None, [])
    change = client_of("sales").get(reverse("subscriptions:change", args=[item.pk, "quantity"]))
    assert change.status_code == 200
    page = client_of("sales").get(reverse("subscriptions:commitments", args=[item.pk]))
    assert (page.status_code, page.context["item"]) == (200, item)
    assert agreed_on_its_page(item).status_code == 302
    assert Commitment.objects.latest("number").order_line.account_id == item.account_id
    assert renewed(world, "2028-01-01") == [item.account_id]
    told(world, item, Act.END, "2030-03-01")
    assert listed_as_ending(world) == [item]
    world.on("2030-03-01")
    turn_due(machine_now=world.now)
    ended = Event.objects.filter(name__in=["item.ended", "item.transferred"])
    assert [(e.name, e.subject_id) for e in ended] == [("item.ended", item.pk)]
    assert rebuild_versions(at=world.now, write=False).differences == ()


def test_until_its_day_a_transfer_leaves_it_where_it_is(world: World, item: Item) -> None:
    there = passed_on(world, item, "2026-06-01")
    each = shown_of(item)
    assert (each.passed_to, bool(each.deeds)) == (there, True)
    assert shown_of(there).came_from == item
    # Its transfer is taken back by who gives it, what follows by who has it then.
    told(world, there, Act.QUANTITY, "2026-07-01", quantity="2")
    urls = [fact.take_back_url for fact in shown_of(item).facts]
    assert urls == [
        f"/subscriptions/items/{item.pk}/change/take-back/?withdraws=2",
        f"/subscriptions/items/{there.pk}/change/take-back/?withdraws=3",
    ]
    change = client_of("sales").get(reverse("subscriptions:change", args=[item.pk, "quantity"]))
    assert change.status_code == 200
    page = client_of("sales").get(reverse("subscriptions:commitments", args=[there.pk]))
    assert page.context["item"] == item
    assert agreed_on_its_page(item).status_code == 302
    assert listed_as_ending(world) == []
    world.on("2026-06-01")
    turn_due(machine_now=world.now)
    assert shown_of(item).deeds == []
    assert shown_of(there).deeds != []
    page = client_of("sales").get(reverse("subscriptions:commitments", args=[item.pk]))
    assert page.context["item"] == there


# who may change which days


def refused(world: World, item: Item, act: Act, on: str = "", **given: Any) -> str:
    before = (ItemChange.objects.count(), Order.objects.count())
    with pytest.raises(Refused) as no:
        told(world, item, act, on, **given)
    assert (ItemChange.objects.count(), Order.objects.count()) == before
    return no.value.code


def test_only_who_has_it_on_the_day_may_change_it(world: World, item: Item) -> None:
    there = passed_on(world, item, "2026-06-01")
    for act, given in ((Act.END, {}), (Act.QUANTITY, {"quantity": "2"})):
        assert refused(world, item, act, "2026-06-01", **given) == "item_unknown"
        assert refused(world, there, act, "2026-05-31", **given) == "item_unknown"
    told(world, item, Act.QUANTITY, "2026-05-31", quantity="2")
    told(world, there, Act.QUANTITY, "2026-06-02", quantity="3")
    # What was told is taken back by whose day it is about.
    assert refused(world, there, Act.WITHDRAW, withdraws=3) == "item_unknown"
    assert refused(world, item, Act.WITHDRAW, withdraws=4) == "item_unknown"
    assert refused(world, there, Act.WITHDRAW, withdraws=2) == "item_unknown"
    taken_back(world, there, 4)
    taken_back(world, item, 3)
    taken_back(world, item, 2)
    assert refused(world, there, Act.END) == "item_unknown"


def test_after_the_transfer_the_first_account_ends_nothing(world: World, item: Item) -> None:
    there = passed_on(world, item, "2026-06-01")
    world.on("2026-07-01")
    turn_due(machine_now=world.now)
    assert refused(world, item, Act.END) == "item_unknown"
    told(world, there, Act.END)
    there.refresh_from_db()
    assert there.state == "ended"


# keys of licences


@pytest.fixture
def licensed(world: World) -> Item:
    world.on("2026-01-01")
    plan = [step("licence_key")]
    world.sell(products=[a_product(code="soft", charges=[monthly("5.00")], tasks=plan)])
    assert LicenceKey.objects.get().state == "issued"
    return Item.objects.get()


def lived(world: World, day: str) -> str:
    """The state of the key on that day."""
    world.on(day)
    while turn_due(machine_now=world.now):
        pass
    world.settle()
    return LicenceKey.objects.get().state


def test_a_key_is_void_when_the_service_ends_not_when_it_is_passed_on(
    world: World, licensed: Item
) -> None:
    there = passed_on(world, licensed, "2026-02-01")
    assert lived(world, "2026-02-01") == "issued"
    told(world, there, Act.END, "2026-03-01")
    assert lived(world, "2026-03-01") == "revoked"
    ended = Event.objects.get(name="item.ended")
    assert (ended.subject_id, ended.facts["order_line"]) == (there.pk, licensed.order_line_id)


def test_a_transfer_that_was_taken_back_voids_no_key(world: World, licensed: Item) -> None:
    passed_on(world, licensed, "2026-02-01")
    taken_back(world, licensed, 2)
    assert lived(world, "2026-02-01") == "issued"
    assert not Event.objects.filter(name__in=["item.ended", "item.transferred"]).exists()
    told(world, licensed, Act.END, "2026-03-01")
    assert lived(world, "2026-02-28") == "issued"
    assert lived(world, "2026-03-01") == "revoked"
    assert Event.objects.get(name="item.ended").subject_id == licensed.pk
    assert Event.objects.filter(name="licence.revoked").count() == 1


def test_a_service_that_never_was_voids_its_key(world: World, licensed: Item) -> None:
    told(world, licensed, Act.END, "2026-01-01")
    assert lived(world, "2026-01-02") == "revoked"


# two that end at once


@pytest.mark.django_db(transaction=True)
def test_two_items_that_end_at_once_end_their_subscription(world: World) -> None:
    world.on("2026-01-01")
    products = [a_product(code=code, charges=[monthly("5.00")]) for code in ("one", "two")]
    world.sell(products=products)
    first, second = Item.objects.order_by("pk")
    told(world, first, Act.END, "2026-02-01")
    world.on("2026-02-01")

    def turn() -> int:
        try:
            return turn_due(machine_now=world.now)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            told_quietly(world, second)
            turning = pool.submit(turn)
            _wait_for_lock()
        assert turning.result() == 1
    assert set(Item.objects.values_list("state", flat=True)) == {"ended"}
    assert Subscription.objects.get().state == "ended"
    Subscription.objects.update(state="active")
    (said,) = rebuild_versions(at=world.now, write=False).differences
    assert "by its items as" in said
    rebuild_versions(at=world.now, write=True)
    assert Subscription.objects.get().state == "ended"


def told_quietly(world: World, item: Item) -> None:
    wish = Wish(item_id=item.pk, act=Act.END)
    change_services(account_id=item.account_id, wishes=[wish], at=world.now, actor_id=None)


def _wait_for_lock() -> None:
    """Until somebody waits for what this transaction holds, for two seconds at most."""
    for _n in range(40):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*), pg_sleep(0.05) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
