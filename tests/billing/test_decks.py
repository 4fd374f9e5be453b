"""Bills by rate decks: the version of each call's day, times of day, and numbers nobody priced."""

from datetime import date
from typing import Any

import pytest
from django.test import Client

from billing.models import InvoiceLine, ParkedAccount
from o2b.catalog.services.decks import retire_version
from subscriptions.models import Item
from tests.decks import a_deck, next_version
from tests.factories import a_user
from tests.scenarios.world import World
from tests.subscriptions.usage.build import a_meter, a_metered_service, an_event, by_meter, taken

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("re_executed")]

TO = {"name": "to", "required": True, "choices": [], "digits": 6}
NIGHT = [{"from_minute": 0, "percent": "50"}, {"from_minute": 480, "percent": "100"}]


def a_voice_service(world: World, **call: Any) -> Item:
    a_meter("calls", aggregation="each", unit="s", timed="windows" in call, dimensions=[TO])
    details = {"call": {"deck": "intl", "number": "to"} | call}
    return a_metered_service(world, by_meter("calls", "0") | {"model": "rated", "details": details})


def a_call(item: Item, to: str, seconds: str = "60", at: str = "2026-02-09T12:00:00Z") -> Any:
    return an_event(item, seconds, at, meter="calls", properties={"to": to})


def billed() -> list[tuple[str, str]]:
    lines = InvoiceLine.objects.filter(charge__terms_charge__kind="usage").order_by("pk")
    return [(f"{each.quantity.normalize():f}", f"{each.amount:.2f}") for each in lines]


def test_calls_cost_what_the_longest_prefix_says(world: World) -> None:
    a_deck(told={"49": "0.02", "49171": "0.18/60/60+0.05", "4917": "9"})
    item = a_voice_service(world)
    calls = [
        a_call(item, "+49 30 901820", "600"),  # 0.20
        a_call(item, "0049171123456", "61"),  # 0.36 + 0.05
        a_call(item, "+49 (0)171 999", "1"),  # 0.18 + 0.05
        a_call(item, "491711", "0"),  # nothing
    ]
    assert {each.status for each in taken(*calls)} == {"accepted"}
    assert world.on("2026-03-01").bill("2026-03-01").state == "finalised"
    assert (billed(), world.parked()) == ([("662", "0.84")], [])


def test_a_number_that_is_none_is_refused(world: World) -> None:
    a_deck()
    item = a_voice_service(world)
    (answer,) = taken(a_call(item, "sip:alice@example.org"))
    assert (answer.status, answer.code, answer.field) == (
        "rejected",
        "no_called_number",
        "properties.to",
    )


def test_each_day_is_rated_by_the_version_of_its_day(world: World) -> None:
    a_deck(told={"49": "1"})
    item = a_voice_service(world)
    next_version({"49": "3"}, "2026-02-15", at=world.now)
    world.on("2026-02-20")
    taken(
        a_call(item, "4930", at="2026-02-14T23:59:59Z"),
        a_call(item, "4930", at="2026-02-15T00:00:00Z"),
        a_call(item, "4930", at="2026-02-16T12:00:00Z"),
        now="2026-02-20T12:00:00Z",
    )
    run = world.on("2026-03-01").bill("2026-03-01")
    assert (run.state, billed(), world.parked()) == ("finalised", [("180", "7.00")], [])
    # What comes late for a day before it is rated as it would have been then.
    next_version({"49": "5"}, "2026-03-10", at=world.now)
    world.on("2026-03-20")
    taken(a_call(item, "4930", at="2026-02-14T10:00:00Z"), now="2026-03-20T12:00:00Z")
    world.on("2026-04-01").bill("2026-04-01")
    assert billed() == [("180", "7.00"), ("240", "1.00")]
    assert InvoiceLine.objects.order_by("pk").last().cause == "late_usage"


def test_nights_cost_a_share(world: World) -> None:
    a_deck(told={"49": "0.60"})
    item = a_voice_service(world, windows=NIGHT)
    taken(
        a_call(item, "4930", at="2026-02-09T07:00:00Z"),
        a_call(item, "4930", at="2026-02-09T12:00:00Z"),
        a_call(item, "4930", at="2026-02-09T07:59:30Z"),
    )
    world.on("2026-03-01").bill("2026-03-01")
    assert billed() == [("180", "1.35")]


def test_a_number_without_a_prefix_parks_its_account(world: World, client: Client) -> None:
    a_deck(told={"49": "1"})
    item = a_voice_service(world)
    taken(a_call(item, "4930"), a_call(item, "+1 202 555 0100"))
    run = world.on("2026-03-01").bill("2026-03-01")
    assert billed() == []
    (parked,) = ParkedAccount.objects.filter(run=run)
    assert (parked.code, parked.reason) == (
        "rate",
        "Deck intl has no prefix for 120255 on 2026-02-09.",
    )
    client.force_login(a_user("administrator"))
    page = client.get(f"/subscriptions/usage/services/{item.pk}/").content.decode()
    assert "Deck intl has no prefix for 120255 on 2026-02-09." in page
    next_version({"49": "1", "1": "0.50"}, "2026-02-01", at=world.now)
    again = world.on("2026-03-02").bill("2026-03-02")
    assert billed() == [("120", "1.50")]
    assert not ParkedAccount.objects.filter(run=again).exists()


def test_a_deck_that_holds_on_no_day_parks_too(world: World) -> None:
    version = a_deck(told={"49": "1"})
    item = a_voice_service(world)
    retire_version(version_id=version.pk, on=date(2026, 2, 15), at=world.now)
    world.on("2026-02-20")
    taken(a_call(item, "4930", at="2026-02-15T12:00:00Z"), now="2026-02-20T12:00:00Z")
    run = world.on("2026-03-01").bill("2026-03-01")
    (parked,) = ParkedAccount.objects.filter(run=run)
    assert parked.reason == "Deck intl has no published version for 2026-02-15."


def test_the_page_of_a_service_says_what_its_calls_cost(world: World, client: Client) -> None:
    a_deck(told={"49": "0.60"})
    item = a_voice_service(world)
    taken(a_call(item, "4930", "120"))
    client.force_login(a_user("administrator"))
    page = client.get(f"/subscriptions/usage/services/{item.pk}/").content.decode()
    assert "1.20" in page
