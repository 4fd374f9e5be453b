"""Tasks turn amber and red by their account's clock; who hears of it; the clock that stands."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from o2b.models import Event, TestClock
from o2b.people.models import Notice
from orders import services
from orders.fulfilment.services import refusals as no
from orders.models import EscalationRule, Order, OrderLine, Task
from orders.tasks import watch_time
from orders.timing import services as timing
from orders.timing.clocks import start_clock
from orders.timing.selectors import jeopardy_of_queues, turning
from tests.factories import a_user
from tests.orders.build import a_placed_order, a_worker, happened, written
from tests.orders.time_build import (
    MONDAY,
    a_timed_account,
    after,
    an_office_queue,
    levels,
    step,
    timed,
    told_of,
    watch,
)

pytestmark = pytest.mark.django_db


def an_order(*tasks: Any, **given: Any) -> Order:
    """An order of a timed account, its work as old as Monday nine o'clock."""
    account = a_timed_account(**given)
    order = a_placed_order(account=account, tasks=list(tasks or [timed()]))
    timing_of(order, MONDAY)
    return order


def timing_of(order: Order, at: datetime) -> None:
    """As if its ready tasks had become ready at this moment."""
    for task in Task.objects.filter(order=order, state="ready").select_related("queue__calendar"):
        task.ready_at = at
        start_clock(task, at)
        task.save()


def test_a_task_turns_amber_then_red_and_each_once():
    order = an_order(timed(estimate=100, maximum=150))
    account = order.account
    assert (watch(), levels(order)) == (0, ["green"])
    step(account, after(minutes=79))
    assert (watch(), levels(order)) == (0, ["green"])
    step(account, after(minutes=80))
    assert (watch(), watch(), levels(order)) == (1, 0, ["amber"])
    step(account, after(minutes=149))
    assert (watch(), levels(order)) == (0, ["amber"])
    step(account, after(minutes=151))
    assert (watch(), watch(), levels(order)) == (1, 0, ["red"])
    assert told_of(order, "task.amber", "task.red") == [
        ("task.amber", after(minutes=80)),
        ("task.red", after(minutes=151)),
    ]
    task = Task.objects.get()
    assert task.jeopardy_since == after(minutes=150)
    assert Event.objects.get(name="task.red").facts == {
        "task": "Install",
        "estimate": 100,
        "since": after(minutes=150).isoformat(),
    }


def test_a_clock_that_leaps_over_amber_makes_it_red_at_once():
    order = an_order()
    step(order.account, after(days=9))
    watch()
    assert (levels(order), told_of(order, "task.amber", "task.red")) == (
        ["red"],
        [("task.red", after(days=9))],
    )


def test_office_hours_pass_over_a_weekend():
    an_office_queue()
    order = an_order()
    timing_of(order, after(days=4, hours=7.5))  # Friday 16:30
    step(order.account, after(days=6))
    assert watch() == 0
    step(order.account, after(days=6, hours=23.8))  # Monday 8:48: 78 minutes
    assert watch() == 0
    step(order.account, after(days=6, hours=23.9))
    assert (watch(), levels(order)) == (1, ["amber"])


def test_without_a_test_clock_the_machines_counts():
    order = a_placed_order(tasks=[timed()])
    ready = Task.objects.get().ready_at
    assert ready is not None
    assert watch(ready + timedelta(minutes=79)) == 0
    assert watch(ready + timedelta(minutes=80)) == 1
    assert levels(order) == ["amber"]


def test_accounts_live_in_their_own_moments():
    late, early = an_order(), an_order()
    step(late.account, after(minutes=90))
    assert (watch(), levels(late), levels(early)) == (1, ["amber"], ["green"])


@pytest.mark.parametrize(
    ("state", "turns"),
    [("held", 1), ("waiting", 0), ("fallout", 1), ("cancelled", 0), ("completed", 0)],
)
def test_lines_that_stand_still(state, turns):
    """What we hold is late all the same; what the customer keeps us from is not."""
    order = an_order()
    OrderLine.objects.update(state=state, delivered_on=MONDAY.date())
    step(order.account, after(days=1))
    assert watch() == turns


@pytest.mark.parametrize("state", ["done", "skipped", "cancelled", "blocked"])
def test_tasks_that_are_over_or_still_to_come(state):
    order = an_order()
    Task.objects.update(state=state)
    step(order.account, after(days=1))
    assert watch() == 0


@pytest.mark.parametrize(("waits_for", "turns"), [("customer", 0), ("payment", 0), ("goods", 1)])
def test_what_the_customer_is_awaited_for(waits_for, turns):
    order = an_order()
    Task.objects.update(state="running", waits_for=waits_for)
    step(order.account, after(days=1))
    assert watch() == turns


def test_the_clock_alone_tells_owner_and_advocate(drain: Callable[[], int]):
    """Nobody looks: the clock is stepped, beat calls, and the people hear of it."""
    owner = a_user()
    an_office_queue(owner=owner)
    order = an_order()
    drain()
    step(order.account, after(minutes=90))
    watch_time()
    drain()
    order.refresh_from_db()
    assert (levels(order), order.jeopardy) == (["amber"], "amber")
    step(order.account, after(minutes=110))
    watch_time()
    drain()
    watch_time()
    drain()
    order.refresh_from_db()
    assert (levels(order), order.jeopardy) == (["red"], "red")
    assert happened(order).count("task.amber") == happened(order).count("task.red") == 1
    notices = Notice.objects.filter(topic="jeopardy").order_by("pk")
    title = f"{order}: “Install” is %s"
    assert [(n.user_id, n.title, n.tone, n.url) for n in notices] == [
        (user_id, title % words, tone, order.get_absolute_url())
        for words, tone in (("in danger", "warn"), ("late", "bad"))
        for user_id in sorted([owner.pk, order.account.advocate_id])
    ]


def test_who_claimed_it_hears_instead_of_the_queues_owner(drain: Callable[[], int]):
    an_office_queue()
    worker = a_worker()
    order = an_order()
    services.claim_task(task_id=Task.objects.get().pk, user_id=worker.pk, at=MONDAY)
    drain()
    step(order.account, after(minutes=90))
    watch()
    drain()
    told = set(Notice.objects.filter(topic="jeopardy").values_list("user_id", flat=True))
    assert told == {worker.pk, order.account.advocate_id}


def test_what_is_done_by_now_is_not_told():
    order = an_order()
    step(order.account, after(minutes=90))
    watch()
    Task.objects.update(state="done")
    assert timing.tell_jeopardy(task_ids=[Task.objects.get().pk]) == 0


def test_counts_of_queues():
    an_office_queue()
    first, second = an_order(), an_order()
    step(first.account, after(minutes=90))
    step(second.account, after(minutes=200))
    watch()
    queue_id = Task.objects.get(order=first).queue_id
    assert jeopardy_of_queues() == {queue_id: {"amber": 1, "red": 1}}


# escalation


def a_rule(level: str, minutes: int, **given: Any) -> EscalationRule:
    return EscalationRule.objects.create(
        level=level, after_minutes=minutes, tell=given.pop("tell", None) or a_user(), **given
    )


def escalations() -> list[tuple[int, int]]:
    found = Event.objects.filter(name="task.escalated").order_by("id")
    return [(event.subject_id, event.facts["rule"]) for event in found]


def test_a_rule_tells_once_after_working_minutes_in_the_state():
    queue = an_office_queue()
    order = an_order()
    rule = a_rule("red", 60, queue=queue)
    task = Task.objects.get()
    step(order.account, after(minutes=100))  # red since 10:40
    assert watch() == 1
    step(order.account, after(minutes=159))
    assert (watch(), escalations()) == (0, [])
    step(order.account, after(minutes=160))
    assert (watch(), watch(), escalations()) == (1, 0, [(task.pk, rule.pk)])
    notice = Notice.objects.get(topic="work")
    assert (notice.user_id, notice.title) == (rule.tell_id, f"{order}: “Install” is still red")


def test_nights_do_not_count_for_a_rule():
    queue = an_office_queue()
    order = an_order()
    a_rule("red", 60, queue=queue)
    timing_of(order, after(hours=6))  # 15:00; red at 16:40
    step(order.account, after(hours=16))
    watch()
    assert escalations() == []
    step(order.account, after(hours=23.7))  # 8:42 next morning
    watch()
    assert len(escalations()) == 1


def test_rules_of_other_queues_other_levels_and_at_rest():
    an_office_queue()
    order, other = an_order(), an_office_queue("other")
    a_rule("red", 0, queue=other)
    a_rule("amber", 0)
    a_rule("fallout", 0)
    a_rule("red", 0, is_active=False)
    step(order.account, after(days=1))
    watch()
    assert escalations() == []
    everywhere = a_rule("red", 0)
    watch()
    assert escalations() == [(Task.objects.get().pk, everywhere.pk)]


def test_a_rule_of_fallout_counts_from_the_fall():
    an_office_queue()
    worker = a_worker()
    order = an_order(timed(estimate=0))
    rule, task = a_rule("fallout", 30), Task.objects.get()
    services.claim_task(task_id=task.pk, user_id=worker.pk, at=MONDAY)
    services.fail_task(task_id=task.pk, user_id=worker.pk, reason="no access", at=after(minutes=5))
    step(order.account, after(minutes=34))
    assert watch() == 0
    step(order.account, after(minutes=35))
    assert (watch(), watch(), escalations()) == (1, 0, [(task.pk, rule.pk)])


# the customer is awaited


def test_clocks_stand_while_the_customer_is_awaited():
    order = an_order(timed(estimate=100, maximum=150))
    account, line = order.account, order.lines.get()
    timing.wait_for_customer(line_id=line.pk, reason="which floor?", at=after(minutes=50))
    line.refresh_from_db()
    assert (line.state, line.standing_since) == ("waiting", after(minutes=50))
    step(account, after(days=3))
    assert watch() == 0
    timing.customer_answered(line_id=line.pk, at=after(days=3))
    line.refresh_from_db()
    assert (line.state, line.standing_since) == ("scheduled", None)
    task = Task.objects.get()
    assert (task.amber_at, task.red_at) == (
        after(days=3, minutes=30),
        after(days=3, minutes=100),
    )
    step(account, after(days=3, minutes=29))
    assert watch() == 0
    step(account, after(days=3, minutes=30))
    assert (watch(), levels(order)) == (1, ["amber"])


def test_only_working_time_that_stood_is_given_back():
    an_office_queue()
    order, line = an_order(), OrderLine.objects.get()
    timing.wait_for_customer(line_id=line.pk, reason="keys", at=after(minutes=60))  # 10:00
    timing.customer_answered(line_id=line.pk, at=after(days=1))  # Tuesday 9:00: 8 hours stood
    assert Task.objects.get().amber_at == after(days=1, minutes=20)
    step(order.account, after(days=1, minutes=20))
    assert watch() == 1


def test_what_had_passed_before_stays_passed():
    order, line = an_order(), OrderLine.objects.get()
    step(order.account, after(minutes=90))
    watch()
    timing.wait_for_customer(line_id=line.pk, reason="keys", at=after(minutes=90))
    timing.customer_answered(line_id=line.pk, at=after(minutes=190))
    task = Task.objects.get()
    assert (task.amber_at, task.red_at) == (after(minutes=80), after(minutes=200))
    assert (watch(), levels(order)) == (0, ["amber"])


def test_a_line_that_is_resumed_otherwise_gets_its_time_back_too(drain: Callable[[], int]):
    line = an_order().lines.get()
    timing.wait_for_customer(line_id=line.pk, reason="keys", at=after(minutes=10))
    services.resume_line(line_id=line.pk, at=after(minutes=40))
    drain()
    assert Task.objects.get().amber_at == after(minutes=110)
    assert OrderLine.objects.get().standing_since is None


def test_a_line_that_waits_again_at_once_loses_no_time(drain: Callable[[], int]):
    line = an_order().lines.get()
    timing.wait_for_customer(line_id=line.pk, reason="keys", at=after(minutes=10))
    services.resume_line(line_id=line.pk, at=after(minutes=40))
    timing.wait_for_customer(line_id=line.pk, reason="which floor?", at=after(minutes=50))
    assert Task.objects.get().amber_at == after(minutes=110)
    drain()
    assert OrderLine.objects.get().standing_since == after(minutes=50)
    timing.customer_answered(line_id=line.pk, at=after(minutes=70))
    drain()
    assert Task.objects.get().amber_at == after(minutes=130)
    assert OrderLine.objects.get().standing_since is None


def test_a_hold_gives_no_time_back(drain: Callable[[], int]):
    line = an_order().lines.get()
    services.hold_line(line_id=line.pk, reason="ours", at=after(minutes=10))
    services.resume_line(line_id=line.pk, at=after(minutes=40))
    drain()
    assert Task.objects.get().amber_at == after(minutes=80)


@pytest.mark.parametrize("reason", ["", "  ", "x" * 2001, "a\0b"])
def test_waiting_wants_a_reason(reason):
    line, before = an_order().lines.get(), written()
    with pytest.raises(no.ReasonMissing):
        timing.wait_for_customer(line_id=line.pk, reason=reason, at=MONDAY)
    assert written() == before
    assert OrderLine.objects.get().state == "scheduled"


def test_waiting_is_refused_where_nothing_is_under_way():
    line = an_order().lines.get()
    with pytest.raises(no.LineNotReady):
        timing.customer_answered(line_id=line.pk, at=MONDAY)
    services.hold_line(line_id=line.pk, reason="ours", at=MONDAY)
    before = written()
    with pytest.raises(no.LineNotReady):
        timing.wait_for_customer(line_id=line.pk, reason="x", at=MONDAY)
    assert written() == before
    assert OrderLine.objects.get().standing_since is None


# at scale


def test_queries_of_the_watch_do_not_grow():
    counts = []
    a_rule("red", 0)
    for n in (1, 12):
        for _ in range(n):
            step(an_order().account, after(days=n))
        with CaptureQueriesContext(connection) as seen:
            assert watch() > 0
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_the_watch_goes_by_the_index_of_clocks():
    """The planner has to prefer it as soon as most tasks have not passed their moment."""
    order = an_order()
    task = Task.objects.get()
    rows = [
        Task(
            **{
                field.attname: getattr(task, field.attname)
                for field in Task._meta.concrete_fields
                if field.attname not in ("id", "key", "amber_at", "red_at")
            },
            key=f"t{n}",
            amber_at=MONDAY + timedelta(days=1 + n),
            red_at=MONDAY + timedelta(days=2 + n),
        )
        for n in range(3000)
    ]
    Task.objects.bulk_create(rows, batch_size=1000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE orders_task")
    TestClock.objects.update(now=after(minutes=90))
    plan = turning(machine_now=after(minutes=90)).explain()
    assert "task_in_time" in plan, plan
    assert watch(after(minutes=90)) == 1
    assert levels(order)[0] == "amber"
