"""The hours in which a service has left one account's day and not reached the other's."""

from datetime import date

import pytest

from subscriptions.models import Act, Item, UsageEvent, UsagePending
from subscriptions.usage.services import release_waiting
from tests.billing.test_usage import billed
from tests.scenarios.world import World
from tests.subscriptions.serving import told
from tests.subscriptions.usage.build import (
    a_meter,
    a_metered_service,
    an_event,
    statuses,
    taken,
    totals,
)

pytestmark = pytest.mark.django_db
PASSED_ON = date(2026, 2, 15)
BETWEEN = "2026-02-15T02:00:00Z"  # the 15th in Berlin, the 14th in New York
NOW = "2026-02-20T12:00:00Z"


def a_passed_service(world: World, giver: str, taker: str) -> tuple[Item, Item]:
    """A service that passes between accounts of two time zones: as each of them has it."""
    a_meter()
    item = a_metered_service(world)
    to = world.an_account(time_zone=taker)
    item.account.time_zone = giver
    item.account.save()
    told(world, item, Act.TRANSFER, on=PASSED_ON, to_account_id=to.pk)
    world.on("2026-02-20")
    return item, Item.objects.get(root=item)


def test_it_belongs_to_who_gave_the_service_away(world: World) -> None:
    given, new = a_passed_service(world, "Europe/Berlin", "America/New_York")
    answers = taken(an_event(given, "3", BETWEEN), an_event(new, "4", BETWEEN), now=NOW)
    assert statuses(answers) == ["pending: unknown_subject"] * 2
    assert release_waiting(machine_now=world.now) == 2
    assert totals() == [("2026-02-14", "", "7", 2)]
    assert not UsagePending.objects.exists()
    billed(world, "2026-03-01")
    assert {(i.account_id, f"{i.net:.2f}") for i in world.invoices()} == {
        (given.account_id, "0.70")
    }


@pytest.mark.parametrize(
    ("at", "day"), [("2026-02-14T22:59:00Z", "2026-02-14"), ("2026-02-15T05:00:00Z", "2026-02-15")]
)
def test_before_and_after_each_has_its_own(world: World, at: str, day: str) -> None:
    given, new = a_passed_service(world, "Europe/Berlin", "America/New_York")
    subject = given if day == "2026-02-14" else new
    assert statuses(taken(an_event(subject, "3", at), now=NOW)) == ["accepted"]
    assert [found for found, *_ in totals()] == [day]


def test_the_account_that_is_named_must_be_the_one_that_gave_it(world: World) -> None:
    given, new = a_passed_service(world, "Europe/Berlin", "America/New_York")
    wrong = an_event(given, "3", BETWEEN, account=new.account.reference)
    right = an_event(given, "3", BETWEEN, account=given.account.reference)
    taken(wrong, right, now=NOW)
    assert release_waiting(machine_now=world.now) == 1
    assert UsagePending.objects.get().key == wrong.id


def test_a_correction_of_such_an_event_counts_on_the_same_day(world: World) -> None:
    given, _ = a_passed_service(world, "Europe/Berlin", "America/New_York")
    taken(first := an_event(given, "3", BETWEEN), now=NOW)
    release_waiting(machine_now=world.now)
    better = an_event(given, "5", BETWEEN, replaces=first.id)
    assert statuses(taken(better, now=NOW)) == ["accepted"]
    assert totals() == [("2026-02-14", "", "5", 1)]
    assert {event.day for event in UsageEvent.objects.all()} == {date(2026, 2, 14)}


def test_after_an_end_or_in_a_pause_nobody_has_it(world: World) -> None:
    a_meter()
    item = a_metered_service(world)
    told(world, item, Act.SUSPEND, on=date(2026, 2, 15), billing="none")
    told(world, item, Act.RESUME, on=date(2026, 2, 17))
    told(world, item, Act.END, on=date(2026, 2, 18))
    world.on("2026-02-20")
    taken(
        an_event(item, at="2026-02-16T12:00:00Z"),
        an_event(item, at="2026-02-18T12:00:00Z"),
        now=NOW,
    )
    assert release_waiting(machine_now=world.now) == 0
