"""Pools on bills: who draws what, late usage of others, sharing, and each unit drawn once."""

import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.explaining.selectors import explain_line
from billing.models import Charge, InvoiceLine
from billing.runs.selectors.usage import usage_of
from billing.runs.services import approve_run
from subscriptions.models import Act, Item, Pool, UsagePending
from subscriptions.pools.selectors import pool_states
from subscriptions.pools.services import end_grant, end_sharing, grant_units, share_pool
from subscriptions.pools.services.sharing import SharedElsewhere
from subscriptions.usage.rules.told import Told
from subscriptions.usage.selectors import live_usage
from subscriptions.usage.services import release_waiting, take_usage
from tests.decks import a_deck, next_version
from tests.factories import a_tax_rate, a_user
from tests.scenarios.world import World
from tests.seeds import WHICH, a_rng
from tests.subscriptions.pools_build import a_drawer, a_plan, a_top_up, sold
from tests.subscriptions.serving import told
from tests.subscriptions.usage.build import a_meter, an_event, by_meter, taken

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("re_executed")]


OWN_FREE = Decimal(30)


def used(world: World, *events: Told) -> None:
    """Events that come now."""
    found = taken(*events, now=world.now.isoformat())
    assert {answer.status for answer in found} == {"accepted"}, found


def lines(item: Item | None = None) -> list[tuple[str, str, str, str]]:
    """Served from, quantity, amount and cause of each line of usage, in the order of billing."""
    rows = InvoiceLine.objects.filter(charge__terms_charge__kind="usage").order_by("pk")
    if item is not None:
        rows = rows.filter(charge__item=item)
    return [
        (f"{r.served_from}", f"{r.quantity.normalize():f}", f"{r.amount:.2f}", r.cause)
        for r in rows
    ]


def billed(world: World, on: str) -> None:
    run = world.on(on).bill(on)
    assert (run.state, world.parked()) == ("finalised", [])


def left(world: World) -> Decimal:
    """What the only pool holds today."""
    (state,) = pool_states([Pool.objects.get().pk])
    return state.drawing.left


def test_a_plan_brings_units_each_month_and_only_what_is_beyond_them_costs(world: World) -> None:
    a_meter()
    sold(world, a_plan("100"))
    one, other = a_drawer(world), a_drawer(world)
    world.on("2026-01-20")
    used(world, an_event(one, "70", "2026-01-05T12:00:00Z"))
    used(world, an_event(other, "50", "2026-01-06T12:00:00Z"))
    assert left(world) == 0
    world.on("2026-02-10")
    used(world, an_event(other, "10", "2026-02-02T12:00:00Z"))
    assert left(world) == 90
    billed(world, "2026-02-10")
    assert lines(one) == [("2026-01-01", "70", "0.00", "period")]
    assert lines(other) == [("2026-01-01", "50", "2.00", "period")]


def test_late_usage_of_one_makes_another_pay_and_says_why(world: World) -> None:
    """60 and 40 of 100 units were covered; then 30 more minutes of an earlier day come in."""
    a_meter()
    sold(world, a_plan("100"))
    one, other = a_drawer(world), a_drawer(world)
    world.on("2026-02-10")
    used(
        world,
        an_event(one, "60", "2026-01-05T12:00:00Z"),
        an_event(other, "40", "2026-01-20T12:00:00Z"),
    )
    billed(world, "2026-02-10")
    assert [amount for _, _, amount, _ in lines()] == ["0.00", "0.00"]
    used(world, an_event(one, "30", "2026-01-06T12:00:00Z"))
    billed(world, "2026-02-11")
    assert lines(one)[1:] == []
    assert lines(other)[1:] == [("2026-01-01", "40", "3.00", "pool")]
    billed(world, "2026-02-12")
    assert len(lines()) == 3


def test_what_another_draws_is_corrected_at_the_rate_of_its_bill_and_so_explained(
    world: World,
) -> None:
    """0.30 at 19 % (0.06), then 0.30 more: 0.60 bear 0.11, so 0.05 more; never today's 20 %."""
    a_tax_rate("19", valid_until=date(2026, 2, 11))
    a_tax_rate("20", valid_from=date(2026, 2, 11))
    a_meter()
    sold(world, a_plan("100"))
    one, other = a_drawer(world), a_drawer(world)
    world.on("2026-02-10")
    used(
        world,
        an_event(one, "60", "2026-01-05T12:00:00Z"),
        an_event(other, "43", "2026-01-20T12:00:00Z"),
    )
    billed(world, "2026-02-10")
    used(world, an_event(one, "3", "2026-01-06T12:00:00Z"))
    billed(world, "2026-02-12")
    first, more = InvoiceLine.objects.filter(charge__item=other).order_by("pk")
    assert (first.amount, first.tax) == (Decimal("0.30"), Decimal("0.06"))
    assert (more.cause, more.amount, more.tax, more.tax_rate) == (
        *("pool", Decimal("0.30")),
        *(Decimal("0.05"), 19),
    )
    found = explain_line(more)
    assert found.equal is True
    assert found.tax is not None
    assert (found.tax.expected, found.tax.corrects) == (Decimal("0.05"), True)


def test_units_that_are_ordered_later_cover_the_days_after(world: World) -> None:
    a_meter()
    item = a_drawer(world)
    sold(world, a_top_up("50"), on="2026-01-15", quantity=2)
    world.on("2026-02-10")
    used(
        world,
        an_event(item, "30", "2026-01-14T12:00:00Z"),
        an_event(item, "80", "2026-01-15T12:00:00Z"),
        an_event(item, "30", "2026-01-16T12:00:00Z"),
    )
    billed(world, "2026-02-10")
    assert lines(item) == [("2026-01-01", "140", "4.00", "period")]
    assert left(world) == 0


def test_units_given_for_days_that_were_billed_are_credited_and_taken_back_again(
    world: World,
) -> None:
    a_meter()
    item = a_drawer(world)
    sold(world, a_top_up("10"))
    by = a_user("finance").pk
    world.on("2026-02-10")
    used(world, an_event(item, "100", "2026-01-20T12:00:00Z"))
    billed(world, "2026-02-10")
    assert lines(item) == [("2026-01-01", "100", "9.00", "period")]
    pool = Pool.objects.get()
    grant_units(
        pool_id=pool.pk,
        units=Decimal(40),
        reason="an outage",
        begins_on=date(2026, 1, 1),
        at=world.now,
        by=by,
    )
    billed(world, "2026-02-11")
    assert lines(item)[1:] == [("2026-01-01", "100", "-4.00", "pool")]
    end_grant(grant_id=pool.grants.get().pk, reason="a mistake", at=world.now, by=by)
    billed(world, "2026-02-12")
    assert len(lines(item)) == 2, "what was drawn before its end stays drawn"


def test_another_account_draws_while_it_is_a_member(world: World) -> None:
    a_meter()
    sold(world, a_plan("100"))
    own = a_drawer(world)
    guest = world.an_account(legal_entity=world.account.legal_entity, currency="EUR")
    theirs = a_drawer(world, account=guest)
    by = a_user("order team").pk
    member = share_pool(
        pool_id=Pool.objects.get().pk,
        account=guest,
        begins_on=date(2026, 1, 10),
        at=world.now,
        by=by,
    )
    world.on("2026-02-10")
    used(
        world,
        an_event(theirs, "20", "2026-01-09T12:00:00Z"),
        an_event(theirs, "90", "2026-01-10T12:00:00Z"),
        an_event(own, "15", "2026-01-11T12:00:00Z"),
    )
    billed(world, "2026-02-10")
    assert lines(theirs) == [("2026-01-01", "110", "2.00", "period")]
    assert lines(own) == [("2026-01-01", "15", "0.50", "period")]
    end_sharing(member_id=member.pk, ends_on=date(2026, 1, 10), at=world.now, by=by)
    billed(world, "2026-02-11")
    assert lines(theirs)[1:] == [("2026-01-01", "110", "9.00", "pool")]
    assert lines(own)[1:] == [("2026-01-01", "15", "-0.50", "pool")]


def test_a_share_ends_no_later_than_another_pool_begins(world: World) -> None:
    a_meter()
    sold(world, a_plan("100"))
    guest = world.an_account(legal_entity=world.account.legal_entity, currency="EUR")
    third = world.an_account(legal_entity=world.account.legal_entity, currency="EUR")
    theirs = sold(world, a_plan("30"), account=third)
    by, said = a_user("order team").pk, {"account": guest, "at": world.now}
    one, other = Pool.objects.get(account=world.account), Pool.objects.get(account=theirs.account)
    member = share_pool(pool_id=one.pk, by=by, **said)
    end_sharing(member_id=member.pk, ends_on=date(2026, 3, 1), at=world.now, by=by)
    later = share_pool(pool_id=other.pk, by=by, begins_on=date(2026, 4, 1), **said)
    with pytest.raises(SharedElsewhere, match=f"pool {other.number} from 1 Apr 2026"):
        end_sharing(member_id=member.pk, ends_on=date(2026, 4, 2), at=world.now, by=by)
    end_sharing(member_id=member.pk, ends_on=date(2026, 4, 1), at=world.now, by=by)
    end_sharing(member_id=later.pk, ends_on=date(2026, 4, 1), at=world.now, by=by)
    end_sharing(member_id=member.pk, ends_on=date(2062, 1, 1), at=world.now, by=by)
    member.refresh_from_db()
    assert member.ends_on == date(2062, 1, 1)


def test_one_service_draws_from_the_pool_that_is_named(world: World) -> None:
    a_meter()
    sold(world, a_plan("100"))
    guest = world.an_account(legal_entity=world.account.legal_entity, currency="EUR")
    sold(world, a_plan("30"), account=guest)
    one, other = a_drawer(world, account=guest), a_drawer(world, account=guest)
    pool = Pool.objects.get(account=world.account)
    share_pool(pool_id=pool.pk, service=one, at=world.now, by=a_user("order team").pk)
    world.on("2026-02-10")
    used(
        world,
        an_event(one, "80", "2026-01-09T12:00:00Z"),
        an_event(other, "80", "2026-01-09T12:00:00Z"),
    )
    billed(world, "2026-02-10")
    assert lines(one) == [("2026-01-01", "80", "0.00", "period")]
    assert lines(other) == [("2026-01-01", "80", "5.00", "period")]


def test_an_order_that_ends_the_plan_in_the_past_takes_its_units_back(world: World) -> None:
    a_meter()
    plan = sold(world, a_plan("100"))
    item = a_drawer(world)
    world.on("2026-02-10")
    used(world, an_event(item, "70", "2026-01-20T12:00:00Z"))
    billed(world, "2026-02-10")
    assert lines(item) == [("2026-01-01", "70", "0.00", "period")]
    told(world, plan, Act.END, on=date(2026, 1, 15))
    billed(world, "2026-02-11")
    assert lines(item)[1:] == [("2026-01-01", "70", "7.00", "pool")]


def test_what_rolls_over_covers_the_next_month_and_no_longer(world: World) -> None:
    a_meter()
    sold(world, a_plan("100", rollover="30"))
    item = a_drawer(world)
    world.on("2026-03-10")
    used(
        world,
        an_event(item, "40", "2026-01-20T12:00:00Z"),
        an_event(item, "150", "2026-02-20T12:00:00Z"),
        an_event(item, "101", "2026-03-02T12:00:00Z"),
    )
    world.on("2026-04-10")
    billed(world, "2026-04-10")
    assert [amount for _, _, amount, _ in lines(item)] == ["0.00", "2.00", "0.10"]


def test_a_period_waits_until_its_days_are_over_for_all_who_draw(world: World) -> None:
    """In Honolulu 31 January goes on for ten hours after it ended in London."""
    a_meter()
    sold(world, a_plan("100"))
    own = a_drawer(world)
    far = world.an_account(
        legal_entity=world.account.legal_entity, currency="EUR", time_zone="Pacific/Honolulu"
    )
    a_drawer(world, account=far)
    pool = Pool.objects.get()
    share_pool(pool_id=pool.pk, account=far, at=world.now, by=a_user("order team").pk)
    world.on("2026-01-31")
    used(world, an_event(own, "7", "2026-01-20T12:00:00Z"))
    world.clock.now = datetime(2026, 2, 1, 2, tzinfo=UTC)
    world.clock.save()
    world.bill("2026-02-01")
    assert lines(own) == []
    billed(world, "2026-02-02")
    assert lines(own) == [("2026-01-01", "7", "0.00", "period")]


def test_live_usage_says_what_the_pool_covers(world: World) -> None:
    a_meter()
    sold(world, a_plan("100"))
    item = a_drawer(world)
    world.on("2026-01-20")
    used(world, an_event(item, "130", "2026-01-19T12:00:00Z"))
    (live,) = live_usage(
        [Item.objects.select_related("account").get(pk=item.pk)], today=world.today
    )
    assert live.running is not None
    assert (live.running.prepaid, live.running.amount) == (100, Decimal("3.00"))


def test_the_queries_of_a_run_do_not_grow_with_who_draws(world: World) -> None:
    a_meter()
    sold(world, a_plan("100"))
    a_drawer(world)
    world.on("2026-02-10")

    def queries() -> int:
        of_usage = Charge.objects.filter(terms_charge__kind="usage")
        asked = list(of_usage.values_list("pk", flat=True))
        with CaptureQueriesContext(connection) as found:
            assert len(usage_of(asked)) == len(asked)
        return len(found)

    before = queries()
    for _ in range(4):
        a_drawer(world)
    sold(world, a_top_up())
    world.on("2026-02-10")
    assert queries() == before


@pytest.mark.parametrize("which", WHICH)
def test_any_order_of_usage_grants_and_runs_ends_in_the_same_money(
    world: World, which: str
) -> None:
    """Told early or late, corrected or taken back, some after a run has drafted and before it is
    final: the sum of a service is what a loop by hand says.
    """
    rng = a_rng(which, 20)
    a_meter()
    services = [_a_pool_with_two(world) for _ in range(6)]
    begin = datetime(2026, 1, 1, 12, tzinfo=UTC)
    waiting: list[Told] = []
    events: list[tuple[Item, Told]] = []
    for item in [item for several in services for item in several]:
        for _ in range(12):
            at = begin + timedelta(days=rng.randrange(88))
            chain, last = _with_corrections(rng, item, at)
            waiting += chain
            if last is not None:
                events.append((item, last))
    rng.shuffle(waiting)
    for day in ("2026-01-17", "2026-02-05", "2026-02-28", "2026-03-12", "2026-03-29"):
        world.on(day)
        here = [each for each in waiting if each.time is None or each.time <= world.now]
        now = [each for each in here if rng.random() < 0.5]
        waiting = [each for each in waiting if each not in now]
        early = rng.randrange(len(now) + 1)
        take_usage(now[:early], at=world.now)
        _billed_while(world, now[early:])
    world.on("2026-04-02")
    take_usage(waiting, at=world.now)
    _release(world)
    billed(world, "2026-04-02")
    for several in services:
        wanted = by_hand(several, [(item, each) for item, each in events if item in several])
        for item in several:
            amounts = InvoiceLine.objects.filter(charge__item=item).values_list("amount", flat=True)
            assert sum(amounts, Decimal(0)) == wanted[item.pk], item
    if which == "known":
        assert InvoiceLine.objects.filter(cause="pool", amount__gt=0).exists()


def _a_pool_with_two(world: World) -> list[Item]:
    """An account's pool and the services that draw: one from the first unit, one beyond its own."""
    account = world.an_account(legal_entity=world.account.legal_entity, currency="EUR")
    sold(world, a_plan("100", rollover="40"), account=account)
    sold(world, a_top_up("60", lasts=["day", 45]), on="2026-01-20", account=account)
    free = {"details": {"allowance": {"units": f"{OWN_FREE}"}}}
    return [a_drawer(world, account=account), a_drawer(world, account=account, charge=free)]


def _billed_while(world: World, told: list[Told]) -> None:
    """A run, in the midst of which usage comes: it has drafted and is not final."""
    run = world.bill(approve=False)
    take_usage(told, at=world.now)
    approve_run(run_id=run.pk, user_id=world.approver.pk, at=world.now)
    world.settle()
    run.refresh_from_db()
    assert (run.state, world.parked()) == ("finalised", [])


def _release(world: World) -> None:
    """What waited for what it corrects is counted now."""
    while release_waiting(machine_now=world.now):
        pass
    assert not UsagePending.objects.exists()


def _with_corrections(
    rng: random.Random, item: Item, at: datetime
) -> tuple[list[Told], Told | None]:
    """An event, a third of them corrected: what is told of it, and what holds in the end."""
    first = an_event(item, str(rng.randrange(1, 60)), at.isoformat())
    verb = rng.choice(["", "", "", "", "replaces", "retracts"])
    if verb == "replaces":
        to = an_event(item, str(rng.randrange(1, 60)), at.isoformat(), replaces=first.id)
        return [first, to], to
    if verb == "retracts":
        gone = an_event("", meter="", retracts=first.id)
        gone.time = gone.value = None
        return [first, gone], None
    return [first], first


@dataclass
class ByHand:
    """Some units, and until when what is left of them may go on."""

    begins: date
    ends: date
    units: Decimal
    then: date | None = None


def by_hand(services: list[Item], events: list[tuple[Item, Told]]) -> dict[int, Decimal]:
    """A minute costs 0.10 unless one of the units is left: the plainest loop over days.

    The second service has some of its own in each month.
    """
    plan = [  # at its end at most 40 go on
        ByHand(date(2026, 1, 1), date(2026, 2, 1), Decimal(100), date(2026, 3, 1)),
        ByHand(date(2026, 2, 1), date(2026, 3, 1), Decimal(100), date(2026, 4, 1)),
        ByHand(date(2026, 3, 1), date(2026, 4, 1), Decimal(100), date(2026, 5, 1)),
        ByHand(date(2026, 1, 20), date(2026, 3, 6), Decimal(60)),
    ]
    free: dict[str, Decimal] = defaultdict(lambda: OWN_FREE)  # of the second service, by month
    paid: dict[int, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    day = date(2026, 1, 1)
    while day < date(2026, 4, 1):
        for lot in plan:
            if lot.ends == day and lot.then:
                lot.ends, lot.units, lot.then = lot.then, min(lot.units, Decimal(40)), None
        good = [lot for lot in plan if lot.begins <= day < lot.ends]
        good.sort(key=lambda lot: (lot.ends, lot.begins))
        for item in services:
            wanted = sum(
                (
                    each.value or Decimal(0)
                    for who, each in events
                    if who == item and each.time and each.time.date() == day
                ),
                Decimal(0),
            )
            if item == services[1]:  # its own free units come first
                part = min(free[f"{day:%m}"], wanted)
                free[f"{day:%m}"] -= part
                wanted -= part
            for lot in good:
                part = min(lot.units, wanted)
                lot.units -= part
                wanted -= part
            paid[item.pk][f"{day:%m}"] += wanted
        day += timedelta(days=1)
    return {
        item.pk: sum((units / 10 for units in paid[item.pk].values()), Decimal(0))
        for item in services
    }


def test_a_rate_that_comes_late_changes_what_another_draws_and_that_is_billed(
    world: World,
) -> None:
    """A call without a rate drew its second; with one it draws 60, and another pays the rest."""
    a_deck(told={"49": "0.60/60/60"})
    to = {"name": "to", "required": True, "choices": [], "digits": 6}
    a_meter("calls", aggregation="each", unit="s", dimensions=[to])
    by_deck = {"model": "rated", "details": {"call": {"deck": "intl", "number": "to"}}}
    calls = by_meter("calls", "0") | by_deck
    sold(world, a_plan("120", meter="calls"))
    own = sold(world, calls)
    guest = world.an_account(legal_entity=world.account.legal_entity, currency="EUR")
    theirs = sold(world, calls, account=guest)
    pool = Pool.objects.get()
    share_pool(pool_id=pool.pk, account=guest, at=world.now, by=a_user("order team").pk)
    world.on("2026-02-10")
    told_of = {"meter": "calls"}
    used(
        world,
        an_event(theirs, "1", "2026-01-05T12:00:00Z", properties={"to": "331"}, **told_of),
        an_event(own, "120", "2026-01-06T12:00:00Z", properties={"to": "491"}, **told_of),
    )
    world.bill("2026-02-10")
    assert world.parked() == [(guest.pk, "rate")]
    assert [amount for _, _, amount, _ in lines(own)] == ["0.01"]
    before = Pool.objects.get().revision
    next_version({"49": "0.60/60/60", "33": "0.60/60/60"}, "2026-01-01", at=world.now)
    world.settle()
    assert Pool.objects.get().revision == before + 1
    next_version({"49": "0.70/60/60", "33": "0.60/60/60"}, "2026-02-12", at=world.now)
    world.settle()
    assert Pool.objects.get().revision == before + 1
    assert world.on("2026-02-11").bill("2026-02-11").state == "finalised"
    assert [(amount, cause) for _, _, amount, cause in lines(own)[1:]] == [("0.59", "pool")]
    assert [amount for _, _, amount, _ in lines(theirs)] == ["0.00"]
