"""A pool that is a hard limit: usage beyond it is refused or waits, that of others is not."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection

from subscriptions.models import Item, Pool, PoolMember, UsageEvent, UsagePending, UsageSubject
from subscriptions.pools.selectors import pool_states
from subscriptions.pools.services import end_sharing, grant_units, set_hard, share_pool
from subscriptions.pools.services.sharing import CoveredByLimit
from subscriptions.usage.rules.told import Told
from subscriptions.usage.services import recount_usage, release_waiting, take_usage
from tests.decks import a_deck
from tests.factories import a_user
from tests.scenarios.world import World
from tests.subscriptions.pools_build import a_drawer, a_plan, a_top_up, sold
from tests.subscriptions.usage.build import a_meter, an_event, by_meter, statuses, taken

pytestmark = pytest.mark.django_db


def a_hard_pool(world: World, units: str = "100") -> tuple[Pool, Item]:
    a_meter()
    sold(world, a_top_up(units))
    item = a_drawer(world)
    world.on("2026-01-20")
    pool = Pool.objects.get()
    set_hard(pool_id=pool.pk, hard=True, at=world.now, by=a_user("order team").pk)
    return pool, item


def told(world: World, *events: Told) -> list[str]:
    return statuses(taken(*events, now=world.now.isoformat()))


def left(pool: Pool) -> Decimal:
    (state,) = pool_states([pool.pk])
    assert not state.drawing.uncovered
    return state.drawing.left


def test_what_fits_is_counted_and_what_is_beyond_is_refused_by_itself(world: World) -> None:
    pool, item = a_hard_pool(world)
    at = "2026-01-19T12:00:00Z"
    found = told(
        world,
        an_event(item, "60", at),
        an_event(item, "50", at),
        an_event(item, "40", at),
        an_event(item, "1", at),
    )
    assert found == [
        "accepted",
        "rejected: beyond_limit",
        "accepted",
        "rejected: beyond_limit",
    ]
    assert left(pool) == 0
    assert UsageEvent.objects.count() == 2


def test_the_same_event_again_is_a_duplicate_though_nothing_is_left(world: World) -> None:
    _, item = a_hard_pool(world)
    event = an_event(item, "100", "2026-01-19T12:00:00Z")
    assert told(world, event, event) == ["accepted", "duplicate"]
    assert told(world, event) == ["duplicate"]


def test_a_refused_event_may_come_again_once_there_are_units(world: World) -> None:
    pool, item = a_hard_pool(world)
    event = an_event(item, "130", "2026-01-19T12:00:00Z")
    assert told(world, event) == ["rejected: beyond_limit"]
    more = {"reason": "goodwill", "begins_on": date(2026, 1, 1), "at": world.now}
    grant_units(pool_id=pool.pk, units=Decimal(30), by=a_user("finance").pk, **more)
    assert told(world, event) == ["accepted"]
    assert left(pool) == 0


def test_late_usage_may_not_take_what_later_days_were_promised(world: World) -> None:
    _, item = a_hard_pool(world)
    assert told(world, an_event(item, "90", "2026-01-19T12:00:00Z")) == ["accepted"]
    late = [an_event(item, units, "2026-01-02T12:00:00Z") for units in ("11", "10")]
    assert told(world, *late) == ["rejected: beyond_limit", "accepted"]


def test_what_waits_for_its_subject_goes_on_waiting_when_nothing_is_left(world: World) -> None:
    pool, item = a_hard_pool(world)
    waiting = an_event("+49 171", "80", "2026-01-19T12:00:00Z")
    assert told(world, waiting) == ["pending: unknown_subject"]
    assert told(world, an_event(item, "50", "2026-01-19T12:00:00Z")) == ["accepted"]
    UsagePending.objects.update(subject=item.number)
    assert release_waiting(machine_now=world.now) == 0
    assert UsagePending.objects.get().reason == "beyond_limit"
    more = {"reason": "goodwill", "begins_on": date(2026, 1, 1), "at": world.now}
    grant_units(pool_id=pool.pk, units=Decimal(30), by=a_user("finance").pk, **more)
    assert release_waiting(machine_now=world.now) == 1
    assert left(pool) == 0


def test_a_correction_to_more_than_there_is_is_refused_and_one_to_less_gives_back(
    world: World,
) -> None:
    pool, item = a_hard_pool(world)
    first = an_event(item, "70", "2026-01-19T12:00:00Z")
    assert told(world, first) == ["accepted"]
    more = an_event(item, "101", "2026-01-19T12:00:00Z", replaces=first.id)
    assert told(world, more) == ["rejected: beyond_limit"]
    assert left(pool) == 30
    less = an_event(item, "20", "2026-01-19T12:00:00Z", replaces=first.id)
    assert told(world, less) == ["accepted"]
    assert left(pool) == 80
    assert recount_usage(write=False).holds


def test_a_service_of_another_pool_is_not_held_back(world: World) -> None:
    _, item = a_hard_pool(world)
    other = world.an_account(legal_entity=world.account.legal_entity, currency="EUR")
    sold(world, a_plan("5"), account=other)
    theirs = a_drawer(world, account=other)
    world.on("2026-01-20")
    at = "2026-01-20T09:00:00Z"
    found = told(world, an_event(theirs, "500", at), an_event(item, "500", at))
    assert found == ["accepted", "rejected: beyond_limit"]


def test_a_call_by_a_deck_takes_its_increments(world: World) -> None:
    """One second at 60/60 takes 60; a number that the deck does not know the seconds it took."""
    a_deck(told={"49": "0.60/60/60"})
    to = {"name": "to", "required": True, "choices": [], "digits": 6}
    a_meter("calls", aggregation="each", unit="s", dimensions=[to])
    sold(world, a_top_up("130", meter="calls"))
    by_deck = {"model": "rated", "details": {"call": {"deck": "intl", "number": "to"}}}
    item = sold(world, by_meter("calls", "0") | by_deck)
    world.on("2026-01-20")
    pool = Pool.objects.get()
    set_hard(pool_id=pool.pk, hard=True, at=world.now, by=a_user("order team").pk)

    def calls(*numbers: str) -> list[str]:
        at = "2026-01-19T12:00:00Z"
        given = [
            an_event(item, "1", at, meter="calls", properties={"to": each}) for each in numbers
        ]
        return told(world, *given)

    assert calls("491", "331", "492", "492") == ["accepted"] * 3 + ["rejected: beyond_limit"]
    assert left(pool) == 9
    assert calls("491") == ["rejected: beyond_limit"]


def test_what_was_beyond_before_it_became_hard_keeps_nothing_out(world: World) -> None:
    a_meter()
    sold(world, a_plan("100"))
    item = a_drawer(world)
    world.on("2026-02-02")
    assert told(world, an_event(item, "150", "2026-01-19T12:00:00Z")) == ["accepted"]
    pool = Pool.objects.get()
    set_hard(pool_id=pool.pk, hard=True, at=world.now, by=a_user("order team").pk)
    at = "2026-02-02T09:00:00Z"
    found = told(world, an_event(item, "100", at), an_event(item, "1", at))
    assert found == ["accepted", "rejected: beyond_limit"]
    set_hard(pool_id=pool.pk, hard=False, at=world.now, by=a_user("order team").pk)
    assert told(world, an_event(item, "1", at)) == ["accepted"]


@pytest.mark.django_db(transaction=True)
def test_twenty_clients_at_once_are_promised_no_unit_twice(world: World) -> None:
    pool, item = a_hard_pool(world)
    others = [a_drawer(world) for _ in range(3)]
    world.on("2026-01-20")
    services = [item, *others]
    events = [
        [an_event(services[(n + k) % 4], "3", "2026-01-19T12:00:00Z") for k in range(4)]
        for n in range(20)
    ]

    def send(batch: list[Told]) -> list[str]:
        try:
            return statuses(take_usage(batch, at=world.now).answers)
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as clients:
        found = [answer for answers in clients.map(send, events) for answer in answers]
    assert found.count("accepted") == 33
    assert found.count("rejected: beyond_limit") == 47
    assert left(pool) == 1


def test_what_does_not_fit_keeps_nothing_from_its_turn(world: World) -> None:
    _, item = a_hard_pool(world)
    at = "2026-01-19T12:00:00Z"
    waits = [an_event("+4930", value, at) for value in ("500", "500", "1")]
    assert told(world, *waits) == ["pending: unknown_subject"] * 3
    UsageSubject.objects.filter(item=item, value=item.number).update(value="+4930")
    rounds = [release_waiting(machine_now=world.now, most=2) for _ in range(2)]
    assert rounds == [0, 1]
    assert set(UsagePending.objects.values_list("reason", flat=True)) == {"beyond_limit"}


def a_guest(world: World, at: str, units: str) -> Item:
    """A service of another account of the same seller that has used so much."""
    other = world.an_account(legal_entity=world.account.legal_entity, currency="EUR")
    theirs = a_drawer(world, account=other)
    world.on("2026-01-20")
    assert told(world, an_event(theirs, units, at)) == ["accepted"]
    return theirs


def shared(world: World, pool: Pool, service: Item, begins_on: date | None = None) -> PoolMember:
    by = a_user("order team").pk
    return share_pool(pool_id=pool.pk, service=service, begins_on=begins_on, at=world.now, by=by)


def test_sharing_told_late_takes_no_unit_that_was_promised(world: World) -> None:
    """A used all of it, so B cannot have drawn from it before; A is charged nothing."""
    pool, item = a_hard_pool(world)
    assert told(world, an_event(item, "100", "2026-01-10T12:00:00Z")) == ["accepted"]
    theirs = a_guest(world, "2026-01-05T12:00:00Z", "60")
    revision = Pool.objects.get().revision
    with pytest.raises(CoveredByLimit, match="hard limit") as caught:
        shared(world, pool, theirs, date(2026, 1, 1))
    assert caught.value.field == "begins_on"
    assert not PoolMember.objects.exists()
    assert (left(pool), Pool.objects.get().revision) == (0, revision)
    more = {"reason": "goodwill", "begins_on": date(2026, 1, 1), "at": world.now}
    grant_units(pool_id=pool.pk, units=Decimal(60), by=a_user("finance").pk, **more)
    shared(world, pool, theirs, date(2026, 1, 1))
    assert left(pool) == 0


def test_of_today_neither(world: World) -> None:
    """Who is first by number draws first on a day: also today nobody loses what was covered."""
    a_meter()
    theirs = a_drawer(world)
    holder = world.an_account(legal_entity=world.account.legal_entity, currency="EUR")
    sold(world, a_top_up("100"), account=holder)
    item = a_drawer(world, account=holder)
    world.on("2026-01-20")
    pool = Pool.objects.get()
    set_hard(pool_id=pool.pk, hard=True, at=world.now, by=a_user("order team").pk)
    world.on("2026-01-21")
    early = "2026-01-21T00:00:00Z"
    assert told(world, an_event(item, "100", early), an_event(theirs, "60", early)) == [
        "accepted",
        "accepted",
    ]
    with pytest.raises(CoveredByLimit):
        shared(world, pool, theirs)
    shared(world, pool, theirs, date(2026, 1, 22))


def test_sharing_told_late_gives_what_is_left(world: World) -> None:
    """What B used beyond it was charged before and still is: that takes nothing from A."""
    pool, item = a_hard_pool(world)
    assert told(world, an_event(item, "70", "2026-01-05T12:00:00Z")) == ["accepted"]
    theirs = a_guest(world, "2026-01-10T12:00:00Z", "60")
    shared(world, pool, theirs, date(2026, 1, 1))
    (state,) = pool_states([pool.pk])
    assert [each.units for each in state.drawing.uncovered] == [30]


def test_nor_does_an_end_take_away_what_was_covered(world: World) -> None:
    pool, _ = a_hard_pool(world)
    other = world.an_account(legal_entity=world.account.legal_entity, currency="EUR")
    theirs = a_drawer(world, account=other)
    world.on("2026-01-20")
    member = shared(world, pool, theirs, date(2026, 1, 1))
    assert told(world, an_event(theirs, "60", "2026-01-10T12:00:00Z")) == ["accepted"]
    ending = {"member_id": member.pk, "at": world.now, "by": a_user("order team").pk}
    with pytest.raises(CoveredByLimit) as caught:
        end_sharing(**ending, ends_on=date(2026, 1, 10))
    assert caught.value.field == "ends_on"
    member.refresh_from_db()
    assert member.ends_on is None
    end_sharing(**ending, ends_on=date(2026, 1, 11))
    assert left(pool) == 40


def test_a_pool_without_a_limit_is_shared_from_any_day(world: World) -> None:
    pool, item = a_hard_pool(world)
    set_hard(pool_id=pool.pk, hard=False, at=world.now, by=a_user("order team").pk)
    assert told(world, an_event(item, "100", "2026-01-10T12:00:00Z")) == ["accepted"]
    shared(world, pool, a_guest(world, "2026-01-05T12:00:00Z", "60"), date(2026, 1, 1))
    (state,) = pool_states([pool.pk])
    assert [each.units for each in state.drawing.uncovered] == [60]


def test_nor_does_it_take_a_service_out_of_its_own_hard_pool(world: World) -> None:
    """What its own pool covered, another that is empty would not."""
    a_meter()
    sold(world, a_top_up("5"))
    holder = world.an_account(legal_entity=world.account.legal_entity, currency="EUR")
    sold(world, a_top_up("100"), account=holder)
    theirs = a_drawer(world, account=holder)
    world.on("2026-01-20")
    by = a_user("order team").pk
    own, small = Pool.objects.get(account=holder), Pool.objects.get(account=world.account)
    set_hard(pool_id=own.pk, hard=True, at=world.now, by=by)
    assert told(world, an_event(theirs, "60", "2026-01-05T12:00:00Z")) == ["accepted"]
    with pytest.raises(CoveredByLimit):
        shared(world, small, theirs, date(2026, 1, 1))
    shared(world, small, theirs, date(2026, 1, 6))
