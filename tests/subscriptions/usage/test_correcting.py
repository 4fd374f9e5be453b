"""An event is replaced or taken back by another; the total follows, both stay."""

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError

from subscriptions.models import (
    UsageCorrection,
    UsageEvent,
    UsageMark,
    UsagePending,
    UsageTotal,
)
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


@pytest.mark.parametrize("at", ["2027-06-01T00:00:00Z", "9999-12-31T23:59:59-12:00"])
@pytest.mark.parametrize("subject", ["its own", "S-nobody"])
@pytest.mark.parametrize("known", [True, False])
def test_a_replacement_of_the_future_is_refused_at_once(
    world: World, at: str, subject: str, known: bool
) -> None:
    """It does not wait for its event or its subject, to count by itself one day."""
    a_meter()
    item = a_metered_service(world)
    first = an_event(item, "2")
    if known:
        taken(first)
    whose = item if subject == "its own" else subject
    answer = taken(an_event(whose, "3", at, replaces=first.id))[0]
    assert (answer.status, answer.code, answer.field) == ("rejected", "in_the_future", "time")
    assert not UsagePending.objects.exists()
    assert UsageEvent.objects.count() == known


def test_what_waits_can_always_be_shown(world: World) -> None:
    a_meter()
    item = a_metered_service(world)
    taken(an_event(item, "3", replaces="none"))
    with pytest.raises(IntegrityError, match="pending_usage_can_be_shown"):
        UsagePending.objects.update(at=datetime(9999, 12, 31, tzinfo=UTC))


def test_the_account_is_that_of_what_is_corrected_too(world: World) -> None:
    a_meter()
    item = a_metered_service(world)
    other = a_metered_service(world, account=world.an_account())
    mine, others = item.account.reference, other.account.reference
    first = an_event(item, "2")
    taken(first)
    gone = an_event("", id="gone", meter="", value="0", retracts=first.id, account=others)
    moved = an_event(other, "2", id="moved", replaces=first.id, account=others)
    for wrong in (gone, moved):
        answer = taken(wrong)[0]
        assert (answer.status, answer.code, answer.field) == (
            "rejected",
            "other_account",
            "account",
        )
    assert UsageEvent.objects.count() == 1
    gone.account = mine
    assert statuses(taken(gone)) == ["accepted"]
    # On purpose it is moved without an account.
    second = an_event(item, "3")
    taken(second)
    assert statuses(taken(an_event(other, "3", id="over", replaces=second.id))) == ["accepted"]
    assert {(row.service_id, int(row.quantity)) for row in UsageTotal.objects.filter(count=1)} == {
        (other.pk, 3)
    }


def test_a_correction_that_waited_and_is_of_another_account_says_so(world: World) -> None:
    a_meter()
    item = a_metered_service(world)
    first = an_event(item, "2")
    taken(an_event("", id="gone", meter="", value="0", retracts=first.id, account="A-none"))
    taken(first)
    assert release_waiting(machine_now=world.now) == 0
    assert UsagePending.objects.get().reason == "other_account"
    assert totals() == [("2026-02-09", "", "2", 1)]


def test_what_cannot_be_corrected_keeps_nothing_from_its_turn(world: World) -> None:
    a_meter()
    item = a_metered_service(world)
    first = an_event(item, "5")
    taken(first)
    for _ in range(2):
        taken(an_event("S-nobody", "6", replaces=first.id))
    late = an_event(item, "7")
    assert statuses(taken(an_event(item, "8", replaces=late.id))) == ["pending: unknown_event"]
    taken(late)
    rounds = [release_waiting(machine_now=world.now, most=2) for _ in range(2)]
    assert rounds == [0, 1]
    assert totals() == [("2026-02-09", "", "13", 2)]


def test_a_correction_whose_id_is_taken_says_that_it_is_something_else(world: World) -> None:
    a_meter()
    item = a_metered_service(world)
    first, other = an_event(item, "5"), an_event(item, "1")
    taken(first, other)
    better = an_event(item, "2", replaces=first.id)
    assert statuses(taken(better)) == ["accepted"]
    gone = an_event("", id="gone", meter="", value="0", retracts=better.id)
    taken(gone)
    again = [
        (better, False),
        (gone, False),
        (an_event(item, "2", id=other.id, replaces=first.id), True),
        (an_event(item, "9", id=better.id, replaces=first.id), True),
        (an_event(item, "2", id=better.id, replaces=other.id), True),
        (an_event("", id="gone", meter="", value="0", retracts=first.id), True),
        (an_event(item, "2", id=better.id), True),
    ]
    for event, differs in again:
        answer = taken(event)[0]
        assert (answer.status, answer.differs) == ("duplicate", differs), event
