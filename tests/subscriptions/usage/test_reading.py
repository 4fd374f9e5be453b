"""Usage is read: the equation of a day, what waits and was refused, events, live usage."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from o2b.models import Event
from subscriptions.models import (
    Act,
    Item,
    UsageEvent,
    UsageKey,
    UsagePending,
    UsageRejected,
)
from subscriptions.usage import selectors, services
from subscriptions.usage.rules.bars import draw
from subscriptions.usage.rules.live import Live
from tests.billing.test_usage import billed, lines
from tests.factories import a_user
from tests.scenarios.world import World
from tests.subscriptions.serving import told
from tests.subscriptions.usage.build import (
    a_meter,
    a_metered_service,
    an_event,
    by_meter,
    statuses,
    taken,
    totals,
)

pytestmark = pytest.mark.django_db


def figures(source: str = "") -> tuple[int, ...]:
    """received, rated, pending, dismissed, rejected of today; it has to hold."""
    found = selectors.equation(on=selectors.recorded_today(), source=source)
    assert found.holds
    return found.received, found.rated, found.pending, found.dismissed, found.rejected


def test_the_equation_of_a_day(world: World) -> None:
    a_meter()
    item = a_metered_service(world)
    taken(
        *(an_event(item) for _ in range(3)),
        an_event("S-nobody"),
        an_event(item, "-1"),
        an_event(item, source="other"),
    )
    assert figures() == (5, 4, 1, 0, 1)
    assert figures("pbx") == (4, 3, 1, 0, 1)
    assert figures("other") == (1, 1, 0, 0, 0)
    assert figures("nobody") == (0, 0, 0, 0, 0)
    assert selectors.known_sources() == ["other", "pbx"]


def test_what_waited_counts_on_the_day_it_came(world: World) -> None:
    a_meter()
    item = a_metered_service(world)
    waits = an_event("S-nobody")
    gone = an_event("", id="gone", meter="", value="0", retracts="later")
    taken(waits, gone)
    yesterday = selectors.recorded_today() - timedelta(days=1)
    with connection.cursor() as cursor:
        for table in ("usagekey SET recorded_on", "usagepending SET recorded_at"):
            name = f"subscriptions_{table}"
            cursor.execute(f"ALTER TABLE {name.split()[0]} DISABLE TRIGGER USER")
            cursor.execute(f"UPDATE {name} = %s", [yesterday])
    UsagePending.objects.filter(key=waits.id).update(subject=item.number)
    taken(an_event(item, id="later"))
    assert services.release_waiting(machine_now=world.now) == 2
    both = selectors.equations(since=yesterday, on=selectors.recorded_today())
    assert [(e.on, e.received, e.rated, e.pending, e.holds) for e in both] == [
        (yesterday + timedelta(days=1), 1, 1, 0, True),
        (yesterday, 2, 2, 0, True),
    ]
    assert set(UsageEvent.objects.values_list("key", "received_on")) == {
        (waits.id, yesterday),
        ("gone", yesterday),
        ("later", None),
    }


def test_what_is_lost_or_twice_is_seen(world: World) -> None:
    a_meter()
    item = a_metered_service(world)
    taken(an_event(item), an_event("S-nobody"))
    UsagePending.objects.all().delete()
    found = selectors.equation(on=selectors.recorded_today())
    assert (found.holds, found.missing) == (False, 1)


def test_dismissed_counts_never_and_keeps_its_id(world: World) -> None:
    a_meter()
    item = a_metered_service(world)
    user = a_user("finance")
    waits = an_event("S-nobody", "2.50")
    correction = an_event("", id="gone", meter="", value="0", retracts=waits.id)
    taken(waits, correction)
    row = UsagePending.objects.get(key=waits.id)
    with pytest.raises(services.ReasonMissing):
        services.dismiss_pending(pending_id=row.pk, reason=" ", user_id=user.pk, at=world.now)
    assert UsagePending.objects.count() == 2
    services.dismiss_pending(pending_id=row.pk, reason="A test", user_id=user.pk, at=world.now)
    gone = UsageRejected.objects.get()
    assert (gone.code, gone.message, gone.settled_at, gone.recorded_at) == (
        *("dismissed", "A test", world.now),
        row.recorded_at,
    )
    assert figures() == (2, 0, 1, 1, 0)
    event = Event.objects.get(name="usage_pending.dismissed")
    assert (event.actor_id, event.facts["reason"], event.facts["id"]) == (
        *(user.pk, "A test"),
        waits.id,
    )
    assert taken(an_event(item, id=waits.id))[0].status == "duplicate"
    assert services.release_waiting(machine_now=world.now) == 0
    assert services.recount_usage(write=False).holds
    again = services.retry_rejected(row_ids=[gone.pk], user_id=user.pk, at=world.now)
    assert again == (0, 0, 0)


def test_refused_ones_are_retried(world: World) -> None:
    item = a_metered_service(world)
    user = a_user("finance")
    good, waits, bad = an_event(item, "2"), an_event("S-nobody"), an_event(item, meter="none")
    assert [a.code for a in taken(good, waits, bad)] == ["unknown_meter"] * 3
    ids = list(UsageRejected.objects.values_list("pk", flat=True))
    assert services.retry_rejected(row_ids=ids, user_id=user.pk, at=world.now) == (0, 0, 3)
    assert UsageRejected.objects.count() == 3
    a_meter(least=Decimal(0))
    now = world.on("2026-02-11").now
    assert services.retry_rejected(row_ids=ids, user_id=user.pk, at=now) == (1, 1, 1)
    assert totals() == [("2026-02-09", "", "2", 1)]
    left = UsageRejected.objects.get(settled_at=None)
    assert (left.key, left.code) == (bad.id, "unknown_meter")
    assert UsageRejected.objects.count() == 3
    assert Event.objects.filter(name="usage_rejected.retried").count() == 2
    assert services.settle_rejected(row_ids=ids, user_id=user.pk, at=now) == 1
    assert services.settle_rejected(row_ids=ids, user_id=user.pk, at=now) == 0


def test_a_retry_says_why_it_is_refused_now(world: World) -> None:
    item = a_metered_service(world)
    taken(an_event(item, "7"))
    a_meter(most=Decimal(5))
    row = UsageRejected.objects.get()
    services.retry_rejected(row_ids=[row.pk], user_id=a_user("finance").pk, at=world.now)
    row.refresh_from_db()
    assert (row.code, row.field, row.settled_at) == ("out_of_range", "value", None)


def test_a_better_one_settles_what_was_refused(world: World) -> None:
    a_meter()
    item = a_metered_service(world)
    wrong = an_event(item, "-1")
    taken(wrong, an_event(item, "-2"))
    taken(an_event(item, "1", id=wrong.id))
    rows = selectors.rejected()
    assert selectors.by_standing(rows, "open").count() == 1
    assert selectors.by_standing(rows, "settled").get().key == wrong.id


def test_an_event_is_corrected_by_hand(world: World) -> None:
    a_meter()
    item = a_metered_service(world)
    user = a_user("finance")
    first = an_event(item, "2")
    taken(first, an_event(item, "5"))
    event = UsageEvent.objects.get(key=first.id)
    keys = UsageKey.objects.count()
    tried = services.try_correction(event_id=event.pk, value=Decimal(3), at=world.now)
    assert (tried.old, tried.value, tried.total_before, tried.total_after) == (2, 3, 7, 8)
    assert (UsageKey.objects.count(), totals()) == (keys, [("2026-02-09", "", "7", 2)])
    given = {"event_id": event.pk, "user_id": user.pk, "at": world.now}
    made = services.correct_event(value=Decimal(3), reason="Read wrong", **given)
    assert (made.key, totals()) == (f"{first.id}~r1", [("2026-02-09", "", "8", 2)])
    with pytest.raises(services.NotCorrectable):
        services.correct_event(value=Decimal(4), reason="Again", **given)
    second = UsageEvent.objects.get(key=made.key)
    with pytest.raises(services.CorrectionRefused) as refused:
        services.correct_event(value=Decimal(-4), reason="Again", **given | {"event_id": second.pk})
    assert refused.value.field == "value"
    gone = services.correct_event(value=None, reason="A test", **given | {"event_id": second.pk})
    assert (gone.key, totals()) == (f"{first.id}~r2", [("2026-02-09", "", "5", 1)])
    assert [e.key for e in selectors.story_of(second.pk).chain] == [first.id, made.key, gone.key]
    reasons = Event.objects.filter(name="usage_event.corrected").order_by("id")
    assert [each.facts["reason"] for each in reasons] == ["Read wrong", "A test"]
    assert UsageRejected.objects.count() == 0


def live(item: Item, today: str) -> Live:
    (found,) = selectors.live_usage(
        Item.objects.filter(pk=item.pk).select_related("account"), today=date.fromisoformat(today)
    )
    return found


def test_a_running_period(world: World) -> None:
    a_meter()
    item = a_metered_service(
        world,
        by_meter(details={"allowance": {"units": "5"}}),
    )
    taken(an_event(item, "7", "2026-01-31T12:00:00Z"), an_event(item, "3", "2026-02-02T12:00:00Z"))
    taken(an_event(item, "9", "2026-02-09T12:00:00Z"), an_event(item, "1", "2026-02-10T09:00:00Z"))
    found = live(item, "2026-02-10")
    running = found.running
    assert running is not None
    assert (running.used, running.available, running.left) == (13, 5, 0)
    assert (running.passed, running.days) == (10, 28)
    # 13 ÷ 10 × 28 is 36.4, and whole units were used.
    assert running.forecast == 36
    assert f"{running.amount}" == "0.80"
    assert [day.day for day, used in running.by_day if used] == [2, 9, 10]
    assert len(running.by_day) == 10
    assert [(p.full.start, p.quantity, f"{p.amount}") for p in found.before] == [
        (date(2026, 1, 1), 7, "0.20")
    ]


def test_the_amount_is_what_the_bill_run_bills(world: World) -> None:
    """Graduated, with an allowance that rolls over: the page and the bill agree to the cent."""
    a_meter()
    item = a_metered_service(
        world,
        by_meter(
            model="graduated",
            unit_price=Decimal(0),
            tiers=[{"up_to": "10", "unit_price": "1"}, {"up_to": None, "unit_price": "0.5"}],
            details={"allowance": {"units": "20", "rollover": "15"}},
        ),
    )
    taken(an_event(item, "8", "2026-01-20T12:00:00Z"), an_event(item, "60", "2026-02-05T12:00:00Z"))
    found = live(item, "2026-02-28")
    assert found.running is not None
    assert (found.running.available, found.running.left) == (32, 0)
    said = [f"{p.amount:.2f}" for p in found.before[::-1]] + [f"{found.running.amount:.2f}"]
    billed(world, "2026-02-10")
    billed(world, "2026-03-01")
    assert [amount for _, _, amount, _ in lines(world)] == said


@pytest.mark.parametrize(
    "aggregation", ["sum", "count", "max", "last", "unique", "average", "each"]
)
def test_every_aggregation_is_shown_as_it_is_billed(world: World, aggregation: str) -> None:
    a_meter(aggregation=aggregation)
    item = a_metered_service(world, by_meter(price="1"))
    for value, at in (("6", "03T00"), ("12", "16T12"), ("6", "20T10")):
        taken(an_event(item, value, f"2026-01-{at}:00:00Z"))
    found = live(item, "2026-01-31").running
    assert found is not None
    assert (found.forecast is not None) == (aggregation in ("sum", "count", "each"))
    billed(world, "2026-02-10")
    assert [amount for _, _, amount, _ in lines(world)] == [f"{found.amount:.2f}"]


def test_each_account_sees_its_days_of_a_transferred_service(world: World) -> None:
    a_meter()
    item = a_metered_service(world)
    to = world.an_account()
    told(world, item, Act.TRANSFER, on=date(2026, 2, 15), to_account_id=to.pk)
    world.on("2026-02-20")
    new = Item.objects.get(root=item)
    now = world.now.isoformat()
    taken(an_event(item, "10", "2026-02-14T10:00:00Z"), now=now)
    taken(an_event(new, "20", "2026-02-15T10:00:00Z"), now=now)
    before, after = live(item, "2026-02-20"), live(new, "2026-02-20")
    assert before.running is None
    assert after.running is not None
    assert (after.running.used, after.running.passed, after.running.days) == (20, 6, 14)


def test_queries_do_not_grow_with_items(world: World) -> None:
    a_meter()
    items = [a_metered_service(world) for _ in range(3)]
    for item in items:
        taken(an_event(item))

    def queries(some: list[Item]) -> int:
        rows = Item.objects.filter(pk__in=[item.pk for item in some]).select_related("account")
        with CaptureQueriesContext(connection) as found:
            assert len(selectors.live_usage(rows, today=date(2026, 2, 10))) == len(some)
        return len(found)

    assert queries(items[:1]) == queries(items)


def test_statuses_of_a_retry_stay_as_they_are(world: World) -> None:
    """A retry of what was counted meanwhile harms nothing."""
    a_meter()
    item = a_metered_service(world)
    wrong = an_event(item, "-1")
    taken(wrong)
    assert statuses(taken(an_event(item, "1", id=wrong.id))) == ["accepted"]
    row = UsageRejected.objects.get()
    UsageRejected.objects.filter(pk=row.pk).update(told=row.told.replace('"-1"', '"1"'))
    services.retry_rejected(row_ids=[row.pk], user_id=a_user("finance").pk, at=world.now)
    assert totals() == [("2026-02-09", "", "1", 1)]


def test_charges_that_share_a_meter_see_their_own_dimensions(world: World) -> None:
    a_meter("calls", dimensions=[{"name": "zone"}], aggregation="each", timed=True)
    item = a_metered_service(
        world,
        by_meter("mobile", "0.20", details={"meter": "calls", "where": {"zone": ["mobile"]}}),
        by_meter("rest", "0.05", details={"meter": "calls", "where": {"zone": ["home", "near"]}}),
    )
    for zone, value in (("mobile", "10"), ("home", "20"), ("near", "2"), ("moon", "99")):
        at = "2026-01-05T10:00:00Z"
        taken(an_event(item, value, at, meter="calls", properties={"zone": zone}))
    said = {
        each.charge.key: (each.running.used, f"{each.running.amount:.2f}")
        for each in selectors.live_usage([item], today=date(2026, 1, 31))
        if each.running
    }
    assert said == {"mobile": (Decimal(10), "2.00"), "rest": (Decimal(22), "1.10")}
    billed(world, "2026-02-10")
    assert sorted(amount for _, _, amount, _ in lines(world)) == ["1.10", "2.00"]


def test_the_bars_of_a_period() -> None:
    days = [(date(2026, 2, n), Decimal(n)) for n in range(1, 11)]
    found = draw(days, days=28)
    assert found is not None
    assert [f"{quantity:f}" for quantity, _ in found.scale] == ["0", "5", "10"]
    assert all(bar.y + bar.height == found.scale[0][1] for bar in found.bars)
    assert found.bars[-1].y == found.scale[-1][1]
    assert found.bars[-1].x + found.bars[-1].width < found.right
    assert draw([(date(2026, 2, 1), Decimal(0))], days=28) is None
