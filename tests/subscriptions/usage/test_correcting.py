"""An event is replaced or taken back by another; the total follows, both stay."""

import pytest

from subscriptions.models import UsageCorrection, UsageEvent, UsageMark, UsagePending
from subscriptions.usage.services import release_waiting
from tests.scenarios.world import World
from tests.subscriptions.usage.build import (
    a_meter,
    a_metered_service,
    an_event,
    statuses,
    taken,
    totals,
)

pytestmark = pytest.mark.django_db


def test_replaced_and_taken_back(world: World) -> None:
    a_meter()
    item = a_metered_service(world)
    first, second = an_event(item, "2"), an_event(item, "5")
    taken(first, second)
    better = an_event(item, "3", "2026-02-08T12:00:00Z", replaces=first.id)
    assert statuses(taken(better)) == ["accepted"]
    assert totals() == [("2026-02-08", "", "3", 1), ("2026-02-09", "", "5", 1)]
    gone = an_event("", id="gone", meter="", value="0", retracts=second.id)
    gone.value = gone.time = None
    assert statuses(taken(gone)) == ["accepted"]
    assert totals() == [("2026-02-08", "", "3", 1)]
    assert UsageEvent.objects.count() == 4
    assert UsageMark.objects.get().revision >= 3


def test_a_correction_is_sent_again_and_counts_once(world: World) -> None:
    a_meter()
    item = a_metered_service(world)
    first = an_event(item, "2")
    taken(first)
    gone = an_event("", id="gone", meter="", value="0", retracts=first.id)
    assert statuses(taken(gone, gone)) == ["accepted", "duplicate"]
    assert totals() == []


def test_an_event_is_corrected_once_and_its_replacement_again(world: World) -> None:
    a_meter()
    item = a_metered_service(world)
    first = an_event(item, "2")
    taken(first)
    second = an_event(item, "3", replaces=first.id)
    assert statuses(taken(second)) == ["accepted"]
    answer = taken(an_event(item, "4", replaces=first.id))[0]
    assert (answer.status, answer.code) == ("rejected", "already_corrected")
    assert second.id in answer.message
    assert statuses(taken(an_event(item, "4", id="third", replaces=second.id))) == ["accepted"]
    assert totals() == [("2026-02-09", "", "4", 1)]
    taken(an_event("", id="gone", meter="", value="0", retracts="third"))
    answer = taken(an_event(item, "4", replaces="gone"))[0]
    assert (answer.status, answer.code) == ("rejected", "of_a_retraction")
    assert UsageCorrection.objects.count() == 3


def test_a_correction_that_comes_first_waits(world: World) -> None:
    a_meter()
    item = a_metered_service(world)
    first = an_event(item, "2")
    gone = an_event("", id="gone", meter="", value="0", retracts=first.id)
    assert statuses(taken(gone)) == ["pending: unknown_event"]
    assert release_waiting(machine_now=world.now) == 0
    taken(first)
    assert release_waiting(machine_now=world.now) == 1
    assert totals() == []
    assert not UsagePending.objects.exists()


def test_a_correction_of_what_waits_waits_with_it(world: World) -> None:
    a_meter()
    item = a_metered_service(world)
    first = an_event("S-nobody", "2")
    better = an_event(item, "3", replaces=first.id)
    assert [a.status for a in taken(first, better)] == ["pending", "pending"]
    UsagePending.objects.filter(key=first.id).update(subject=item.number)
    assert release_waiting(machine_now=world.now) == 2
    assert totals() == [("2026-02-09", "", "3", 1)]


def test_a_replacement_for_nobody_changes_nothing_until_it_is_known(world: World) -> None:
    a_meter()
    item = a_metered_service(world)
    first = an_event(item, "2")
    taken(first)
    assert statuses(taken(an_event("S-nobody", "3", replaces=first.id))) == [
        "pending: unknown_subject"
    ]
    assert totals() == [("2026-02-09", "", "2", 1)]


@pytest.mark.parametrize(("aggregation", "left"), [("max", "4"), ("last", "3")])
def test_the_next_highest_or_latest_holds(world: World, aggregation: str, left: str) -> None:
    a_meter(aggregation=aggregation)
    item = a_metered_service(world)
    told = [
        an_event(item, value, f"2026-02-09T{hour:02}:00:00Z", id=value)
        for value, hour in (("4", 8), ("3", 9), ("7", 10))
    ]
    taken(*told)
    taken(an_event("", id="gone", meter="", value="0", retracts="7"))
    assert totals() == [("2026-02-09", "", left, 2)]
    for key in ("4", "3"):
        taken(an_event("", id=f"gone {key}", meter="", value="0", retracts=key))
    assert totals() == []
    taken(an_event(item, "1"))
    assert totals() == [("2026-02-09", "", "1", 1)]
