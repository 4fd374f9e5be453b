"""An account is closed: its minimums end with its service, and the final bill is the last one."""

from datetime import date

import pytest
from django.test import Client

from billing.adjustments.services.closing import end_minimums_of_closed
from billing.models import MinimumSpend
from o2b import asks
from o2b.customers.services import AccountClosed, close_account
from subscriptions.models import Act, Item
from tests.billing.adjustments.build import committed, documents
from tests.factories import a_product, a_user, monthly
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
