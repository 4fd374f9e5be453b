"""An account is closed: its minimums end with its service, and the final bill is the last one."""

from datetime import date

import pgtrigger
import pytest
from django.test import Client

from billing.adjustments.services.closing import end_minimums_of_closed
from billing.models import MinimumSpend
from o2b import asks
from o2b.customers.services import AccountClosed, close_account
from o2b.errors import Refused
from orders.models import Order, OrderLine
from orders.steering.services import cancel_order
from subscriptions.models import Act, Item
from tests.billing.adjustments.build import committed, documents
from tests.factories import INSTALL, a_product, a_user, monthly
from tests.scenarios.world import World
from tests.subscriptions.serving import told

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("re_executed")]


def served(world: World) -> None:
    world.on("2026-01-01").sell(products=[a_product(charges=[monthly("62.00")])])
    committed(world.account, "100.00")
    world.bill()


def ended(world: World, on: str) -> None:
    told(world, Item.objects.get(), Act.END, on=date.fromisoformat(on))


def closed(world: World, by: int | None = None) -> None:
    close_account(account_id=world.account.pk, at=world.now, actor_id=by)
    world.settle()


def nets(world: World) -> list[str]:
    assert world.parked() == []
    return [net for net, *_ in documents(world.account)]


def test_the_final_bill_asks_for_the_last_part_and_no_other_comes(world: World) -> None:
    served(world)
    ended(world.on("2026-01-20"), "2026-01-20")
    clerk = a_user("finance")
    closed(world, clerk.pk)
    held = MinimumSpend.objects.get()
    assert (held.ends_on, held.ended_by) == (date(2026, 1, 20), clerk)
    assert held.end_reason == "The account is closed."
    world.bill()
    # 24.00 of the service come back; of 61.29 for 19 days 38.00 were billed.
    assert nets(world) == ["62.00", "-0.71"]
    for day in ("2026-02-01", "2026-03-01", "2026-04-01"):
        world.on(day).bill()
    assert nets(world) == ["62.00", "-0.71"]


def test_it_ends_with_a_service_that_goes_on_after_the_closing(world: World) -> None:
    served(world)
    ended(world.on("2026-01-20"), "2026-02-11")
    closed(world)
    assert MinimumSpend.objects.get().ends_on is None
    world.live("2026-02-01").bill()
    assert MinimumSpend.objects.get().ends_on is None
    world.live("2026-02-12").bill()
    assert MinimumSpend.objects.get().ends_on == date(2026, 2, 11)
    # February: 10 of 28 days: 22.14 of 35.71; billed in all.
    assert sum(map(float, nets(world))) == pytest.approx(100 + 35.71)
    world.live("2026-03-02").bill()
    assert sum(map(float, nets(world))) == pytest.approx(100 + 35.71)


def test_what_was_billed_of_it_stays(world: World) -> None:
    """Service ended long ago; nobody credits months that were asked for since."""
    served(world)
    ended(world.on("2026-01-20"), "2026-01-20")
    world.on("2026-03-01").bill()
    closed(world.on("2026-03-10"))
    assert MinimumSpend.objects.get().ends_on == date(2026, 3, 1)
    world.bill()
    assert sum(map(float, nets(world))) == pytest.approx(200)


def test_without_a_service_it_ends_when_the_account_is_closed(world: World) -> None:
    committed(world.account, "31.00")
    later = committed(world.account, "50.00", "2026-06-01")
    closed(world.on("2026-01-11"))
    assert MinimumSpend.objects.earliest("pk").ends_on == date(2026, 1, 11)
    later.refresh_from_db()
    assert later.ends_on == date(2026, 6, 1)  # never held
    world.bill()
    assert nets(world) == ["10.00"]


def test_an_open_account_keeps_its_minimum_whatever_ends(world: World) -> None:
    served(world)
    ended(world.on("2026-01-20"), "2026-01-20")
    world.settle()
    assert end_minimums_of_closed(account_id=world.account.pk, at=world.now) == []
    assert MinimumSpend.objects.get().ends_on is None


def test_a_closed_account_gets_no_minimum(world: World) -> None:
    closed(world)
    with pytest.raises(AccountClosed):
        committed(world.account)
    assert not MinimumSpend.objects.exists()


def test_whoever_closes_sees_it_first(world: World, client: Client) -> None:
    served(world)
    goes_on = "ends with the last day of service"
    (said,) = asks.ask("account_closing", world.account.pk)
    assert goes_on in said
    client.force_login(a_user("administrator"))
    url = f"/customers/{world.account.pk}/"
    assert goes_on in client.get(url).content.decode()
    ended(world.on("2026-01-20"), "2026-01-20")
    assert "holds until before 20 Jan 2026" in client.get(url).content.decode()
    closed(world)
    assert "the final bill asks" not in client.get(url).content.decode()


def test_an_end_that_happened_stays_and_so_does_what_ended_with_it(world: World) -> None:
    """Nothing that was ended by a closing comes to life again, so no minimum is missed there."""
    served(world)
    ended(world.on("2026-01-20"), "2026-01-20")
    closed(world)
    item = Item.objects.get()
    with pytest.raises(Refused) as no:
        told(world, item, Act.WITHDRAW, withdraws=2)
    assert no.value.code == "happened_already"
    assert Item.objects.get().state == "ended"
    assert MinimumSpend.objects.get().ends_on == date(2026, 1, 20)


def test_it_goes_on_with_a_service_whose_planned_end_is_taken_back(world: World) -> None:
    served(world)
    ended(world.on("2026-01-20"), "2026-02-11")
    closed(world)
    told(world, Item.objects.get(), Act.WITHDRAW, withdraws=2)
    world.live("2026-03-02").bill()
    assert MinimumSpend.objects.get().ends_on is None
    assert sum(map(float, nets(world))) == pytest.approx(3 * 62 + 2 * 38)


def ordered(world: World) -> Order:
    """A service that a person has to install first."""
    return world.sell(products=[a_product(charges=[monthly("62.00")], tasks=INSTALL)])


def test_it_waits_for_a_service_that_was_ordered_before_the_closing(world: World) -> None:
    committed(world.account, "100.00")
    ordered(world)
    clerk = a_user("finance")
    closed(world.on("2026-01-11"), clerk.pk)
    assert MinimumSpend.objects.get().ends_on is None
    world.on("2026-02-01").bill()
    world.on("2026-02-15").deliver_by_hand()
    world.bill()
    world.on("2026-03-01").bill()
    # February: 31.00 of 62.00 from the 15th on, and 69.00 up to the minimum.
    assert sum(map(float, nets(world))) == pytest.approx(100 + 31 + 69 + 62)
    ended(world.on("2026-03-11"), "2026-03-11")
    held = MinimumSpend.objects.get()
    assert (held.ends_on, held.ended_by) == (date(2026, 3, 11), clerk)


def test_it_ends_when_what_was_ordered_is_given_up(world: World) -> None:
    served(world)
    order = ordered(world)
    ended(world.on("2026-01-20"), "2026-01-20")
    (said,) = asks.ask("account_closing", world.account.pk)
    assert "ends with the last day of service" in said
    closed(world)
    assert MinimumSpend.objects.get().ends_on is None
    cancel_order(order_id=order.pk, at=world.on("2026-01-25").now, reason="No more")
    world.settle()
    assert MinimumSpend.objects.get().ends_on == date(2026, 1, 20)


def test_a_service_that_waits_for_its_day_is_one(world: World) -> None:
    """Between the delivery and the item, and before its first day, nothing has ended."""
    committed(world.account, "100.00")
    ordered(world)
    closed(world.on("2026-01-11"))
    with pgtrigger.ignore():
        OrderLine.objects.update(state="completed", delivered_on=date(2026, 1, 11))
    assert end_minimums_of_closed(account_id=world.account.pk, at=world.now) == []
