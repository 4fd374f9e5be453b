"""Work in queues: who may take what, what comes next, checklists, evidence, parts, many at once."""

import threading
import time
from decimal import Decimal

import pytest
from django.db import connection, transaction

from o2b.errors import Refused
from o2b.flow import REACTIONS
from o2b.models import Event
from o2b.people.models import Notice
from orders import services
from orders.fulfilment.services import prioritise_task, skip_task
from orders.models import DeliveredPart, Evidence, OrderLine, Queue, QueueMember, Task, TaskCost
from orders.work import services as work
from tests.factories import a_user
from tests.orders.build import LATER, a_placed_order, a_worker, by_hand, happened, states, written
from tests.orders.build_work import (
    a_lead,
    an_order_of,
    claimed,
    line_of,
    skilled,
    state_of,
)
from tests.orders.test_acceptance import at_once
from tests.orders.time_build import MONDAY, a_timed_account

pytestmark = pytest.mark.django_db


def refused(code, act, field=None, **said):
    before = written()
    with pytest.raises(Refused) as no:
        act(at=LATER, **said)
    assert (no.value.code, no.value.field) == (code, field)
    assert written() == before


# who takes what


def test_a_task_asks_for_skills():
    order = an_order_of(skills=["fibre", "ladder"])
    task, novice, expert = order.tasks.get(), skilled("fibre"), skilled("fibre", "ladder", "x")
    refused("not_skilled", services.claim_task, task_id=task.pk, user_id=novice.pk)
    assert services.claim_next(user_id=novice.pk, at=LATER) is None
    assert services.claim_next(user_id=expert.pk, at=LATER) == task


def test_nobody_takes_more_than_their_capacity():
    order = a_placed_order(tasks=[by_hand()], lines=3)
    user = skilled(capacity=1)
    first = services.claim_next(user_id=user.pk, at=LATER)
    assert first is not None
    left = order.tasks.exclude(pk=first.pk).order_by("pk")
    assert services.claim_next(user_id=user.pk, at=LATER) is None
    refused("capacity_reached", services.claim_task, task_id=left[0].pk, user_id=user.pk)
    services.complete_task(task_id=first.pk, user_id=user.pk, at=LATER)
    assert services.claim_next(user_id=user.pk, at=LATER) == left[0]


def test_the_highest_priority_first_then_the_oldest():
    order = a_placed_order(tasks=[by_hand()], lines=3)
    first, second, third = order.tasks.order_by("pk")
    lead = a_lead()
    prioritise_task(task_id=third.pk, priority=2, user_id=lead.pk, at=LATER)
    user = a_worker()
    got = [services.claim_next(user_id=user.pk, at=LATER) for _ in range(4)]
    assert got == [third, first, second, None]


def test_several_queues_are_seen_as_one():
    a_placed_order(tasks=[by_hand(queue="field")])
    other = a_placed_order(tasks=[by_hand(queue="core")])
    user = a_worker("field")
    QueueMember.objects.create(queue=Queue.objects.get(code="core"), user=user)
    urgent = other.tasks.get()
    prioritise_task(task_id=urgent.pk, priority=1, user_id=user.pk, at=LATER)
    assert services.claim_next(user_id=user.pk, at=LATER) == urgent
    assert services.claim_next(user_id=user.pk, at=LATER) is not None


def test_claim_next_begins_the_line_and_tells_both():
    order, user = a_placed_order(tasks=[by_hand()]), a_worker()
    before = happened(order)
    task = services.claim_next(user_id=user.pk, at=LATER)
    assert task is not None
    assert states(order) == (["provisioning"], ["claimed"])
    assert happened(order)[len(before) :] == ["task.claimed", "order_line.began"]
    line = order.lines.get()
    assert line.began_at == LATER
    said = Event.objects.filter(order_id=order.pk).order_by("-id")[:2]
    assert {(e.actor_id, e.at, e.account_id) for e in said} == {(user.pk, LATER, order.account_id)}
    task.refresh_from_db()
    assert (task.claimed_by, task.claimed_at) == (user, LATER)


def test_claim_next_lives_by_the_accounts_test_clock():
    account = a_timed_account(at=MONDAY)
    order, user = a_placed_order(tasks=[by_hand()], account=account), a_worker()
    task = services.claim_next(user_id=user.pk, at=LATER)
    assert task is not None
    task.refresh_from_db()
    assert (task.claimed_at, order.lines.get().began_at) == (MONDAY, MONDAY)
    said = Event.objects.filter(name__in=["task.claimed", "order_line.began"]).order_by("id")
    assert [(e.name, e.at) for e in said] == [
        ("task.claimed", MONDAY),
        ("order_line.began", MONDAY),
    ]


@pytest.mark.django_db(transaction=True)
def test_a_line_that_was_held_locked_begins_by_the_test_clock_too():
    order, user = a_placed_order(tasks=[by_hand()], account=a_timed_account(at=MONDAY)), a_worker()
    line, got = order.lines.get(), []

    def claims():
        got.append(services.claim_next(user_id=user.pk, at=LATER))
        connection.close()

    with transaction.atomic():
        OrderLine.objects.select_for_update().get(pk=line.pk)
        other = threading.Thread(target=claims)
        other.start()
        time.sleep(0.5)
    other.join()
    assert [task.pk for task in got] == [order.tasks.get().pk]
    line.refresh_from_db()
    assert (line.state, line.began_at) == ("provisioning", MONDAY)


def test_what_claim_next_tells_owes_nobody_a_message():
    assert not REACTIONS["task.claimed"] + REACTIONS["order_line.began"]


@pytest.mark.django_db(transaction=True)
def test_two_clerks_at_once_on_one_task():
    order = an_order_of()
    task, clerks = order.tasks.get(), [a_worker(), a_worker()]
    turn = iter(clerks)
    said = at_once(2, lambda: services.claim_task(task_id=task.pk, user_id=next(turn).pk, at=LATER))
    assert sorted(type(answer).__name__ for answer in said) == ["Task", "TaskNotReady"]
    assert Event.objects.filter(name="task.claimed").count() == 1


@pytest.mark.django_db(transaction=True)
def test_many_clerks_of_several_queues_get_each_task_once():
    for queue in ("field", "core"):
        a_placed_order(tasks=[by_hand(queue=queue)], lines=6)
    clerks = [a_worker("field") for _ in range(12)]
    for clerk in clerks[::2]:
        QueueMember.objects.create(queue=Queue.objects.get(code="core"), user=clerk)
    everybody = iter(clerks)
    got = at_once(12, lambda: services.claim_next(user_id=next(everybody).pk, at=LATER))
    taken = [task.pk for task in got if task is not None]
    assert not [answer for answer in got if isinstance(answer, Exception)]
    assert len(taken) == len(set(taken)) == Task.objects.filter(state="claimed").count()
    assert set(
        OrderLine.objects.filter(tasks__state="claimed").values_list("state", flat=True)
    ) == {"provisioning"}


@pytest.mark.django_db(transaction=True)
def test_claim_next_waits_a_moment_for_a_task_that_a_machine_passes_by():
    """Its row is held while the order is advanced; the clerk is not told that nothing waits."""
    task, clerk = an_order_of().tasks.get(), a_worker()
    held, said = threading.Event(), threading.Event()

    def pass_by():
        with transaction.atomic():
            Task.objects.select_for_update().get(pk=task.pk)
            held.set()
            said.wait(0.15)
        connection.close()

    machine = threading.Thread(target=pass_by)
    machine.start()
    held.wait()
    assert services.claim_next(user_id=clerk.pk, at=LATER) == task
    said.set()
    machine.join()


@pytest.mark.django_db(transaction=True)
def test_claim_next_does_not_wait_for_ever():
    """Held for longer than a moment, it is somebody else's."""
    task, clerk = an_order_of().tasks.get(), a_worker()
    held, said = threading.Event(), threading.Event()

    def keep():
        with transaction.atomic():
            Task.objects.select_for_update().get(pk=task.pk)
            held.set()
            said.wait(10)
        connection.close()

    machine = threading.Thread(target=keep)
    machine.start()
    held.wait()
    assert services.claim_next(user_id=clerk.pk, at=LATER) is None
    said.set()
    machine.join()


# given and handed back


def test_a_lead_gives_work_and_takes_it_back():
    order, lead, worker = an_order_of(), a_lead(), a_worker()
    task = order.tasks.get()
    work.assign(task_id=task.pk, to_id=worker.pk, user_id=lead.pk, at=LATER)
    task.refresh_from_db()
    assert (task.state, task.claimed_by) == ("claimed", worker)
    assert Notice.objects.get(user=worker).topic == "work"
    refused("task_not_ready", work.assign, task_id=task.pk, to_id=worker.pk, user_id=lead.pk)
    other = a_worker("elsewhere")
    refused("not_in_queue", work.assign, task_id=task.pk, to_id=other.pk, user_id=lead.pk)
    refused(
        "member_unknown", work.assign, field="to", task_id=task.pk, to_id=10**9, user_id=lead.pk
    )
    work.assign(task_id=task.pk, to_id=lead.pk, user_id=lead.pk, at=LATER)
    refused("task_not_yours", work.hand_back, task_id=task.pk, user_id=worker.pk)
    work.hand_back(task_id=task.pk, user_id=lead.pk, at=LATER, note=" the ladder is broken ")
    assert state_of(task) == "ready"
    assert task.comments.get().text == "the ladder is broken"
    names = ["task.assigned", "task.released", "task.commented"]
    assert [name for name in names if name in happened(order)] == names


def test_work_taken_from_somebody_is_told_them():
    task, user = claimed()
    lead = a_lead()
    work.hand_back(task_id=task.pk, user_id=lead.pk, at=LATER, manages=True)
    assert "back into its queue" in Notice.objects.get(user=user).title


def test_many_at_once_each_with_its_result():
    order = a_placed_order(tasks=[by_hand()], lines=3)
    first, second, third = order.tasks.order_by("pk")
    other, user = a_worker(), a_worker()
    services.claim_task(task_id=second.pk, user_id=other.pk, at=LATER)
    keys = [first.pk, second.pk, third.pk, 10**9]
    results = work.work_on_many(
        verb="claim", task_ids=keys, user_id=user.pk, at_of=lambda task: LATER
    )
    assert [(r.task, bool(r.problem)) for r in results] == [
        (first, False),
        (second, True),
        (third, False),
    ]
    assert list(order.tasks.order_by("pk").values_list("claimed_by", flat=True)) == [
        user.pk,
        other.pk,
        user.pk,
    ]


def test_priorities_are_four():
    task, user = claimed()
    refused(
        "priority_unknown",
        prioritise_task,
        field="priority",
        task_id=task.pk,
        priority=9,
        user_id=user.pk,
    )


# the checklist, and what completes


def test_open_items_stop_completion():
    task, user = claimed(checklist=["Photo taken", "Cable labelled"])
    mine = {"task_id": task.pk, "user_id": user.pk}
    services.tick_item(item=1, is_done=True, at=LATER, **mine)
    services.tick_item(item=1, is_done=True, at=LATER, **mine)
    with pytest.raises(Refused, match="Photo taken") as no:
        services.complete_task(at=LATER, **mine)
    assert (no.value.code, no.value.field) == ("checklist_open", "checklist")
    services.tick_item(item=0, is_done=True, at=LATER, **mine)
    services.tick_item(item=1, is_done=False, at=LATER, **mine)
    services.tick_item(item=1, is_done=True, at=LATER, **mine)
    services.complete_task(at=LATER, **mine)
    said = Event.objects.filter(name="task.ticked").order_by("id")
    assert [(e.facts["item"], e.facts["is_done"], e.actor_id) for e in said] == [
        ("Cable labelled", True, user.pk),
        ("Photo taken", True, user.pk),
        ("Cable labelled", False, user.pk),
        ("Cable labelled", True, user.pk),
    ]


def test_only_who_has_it_ticks_what_is_there():
    task, user = claimed(checklist=["a"])
    for item in (-1, 1, 32768):
        refused(
            "item_unknown",
            services.tick_item,
            field="checklist",
            task_id=task.pk,
            user_id=user.pk,
            item=item,
            is_done=True,
        )
    other = a_worker()
    refused(
        "task_not_yours",
        services.tick_item,
        task_id=task.pk,
        user_id=other.pk,
        item=0,
        is_done=True,
    )


BAD = [
    (["serials"], {}, "serials", "evidence_missing"),
    (["serials"], {"serials": ["a"]}, "serials", "evidence_wrong"),
    (["serials"], {"serials": ["a", "b", "c"]}, "serials", "evidence_wrong"),
    (["serials"], {"serials": ["a", " a "]}, "serials", "evidence_wrong"),
    (["serials"], {"serials": ["a", "b\0"]}, "serials", "evidence_wrong"),
    (["serials"], {"serials": ["a", "x" * 121]}, "serials", "evidence_wrong"),
    (["file"], {}, "file", "evidence_missing"),
    ([], {"minutes": "-1"}, "minutes", "evidence_wrong"),
    ([], {"minutes": "1.5"}, "minutes", "evidence_wrong"),
    ([], {"minutes": "9" * 30}, "minutes", "evidence_wrong"),
    ([], {"minutes": "1\0"}, "minutes", "evidence_wrong"),
]


@pytest.mark.parametrize(("wants", "said", "field", "code"), BAD)
def test_evidence_is_refused_by_field(wants, said, field, code):
    task, user = claimed("2", *wants)
    refused(code, services.complete_task, field=field, task_id=task.pk, user_id=user.pk, **said)
    assert state_of(task) == "claimed"


def test_minutes_worked_cost_what_they_cost():
    Queue.objects.get_or_create(code="field", name="Field", hourly_rate=Decimal(60))
    task, user = claimed(minutes=90)
    services.complete_task(task_id=task.pk, user_id=user.pk, at=LATER, minutes="45")
    cost = TaskCost.objects.get()
    assert (cost.minutes, cost.amount, cost.kind) == (45, Decimal(45), "labour")


# in parts


def test_parts_add_up_and_the_last_completes():
    task, user = claimed("5", "serials")
    mine = {"task_id": task.pk, "user_id": user.pk, "at": LATER}
    services.record_part(quantity="2", serials=["a", "b"], **mine)
    assert (state_of(task), line_of(task).delivered_fraction) == ("claimed", Decimal("0.4"))
    services.record_part(quantity="1", serials=["c"], **mine)
    services.record_part(quantity="2", serials=["d", "e"], **mine)
    line = line_of(task)
    assert (state_of(task), line.state, line.delivered_fraction) == ("done", "completed", 1)
    assert list(DeliveredPart.objects.values_list("fraction", flat=True)) == [
        Decimal("0.4"),
        Decimal("0.6"),
        Decimal(1),
    ]
    rows = Evidence.objects.values_list("quantity", "is_part", "serials")
    assert list(rows) == [
        (Decimal(2), True, ["a", "b"]),
        (Decimal(1), True, ["c"]),
        (Decimal(2), True, ["d", "e"]),
    ]
    said = Event.objects.filter(name="task.part_delivered").values_list(
        "facts__quantity", flat=True
    )
    assert list(said) == ["2", "1"]


def test_what_is_left_is_completed_without_a_word():
    task, user = claimed("3")
    mine = {"task_id": task.pk, "user_id": user.pk, "at": LATER}
    services.record_part(quantity="1", **mine)
    services.complete_task(**mine)
    assert list(Evidence.objects.values_list("quantity", "is_part")) == [(1, True), (2, True)]
    assert line_of(task).state == "completed"


BAD_PARTS = [
    ({}, "quantity", "evidence_missing"),
    ({"quantity": "0"}, "quantity", "quantity_invalid"),
    ({"quantity": "3"}, "quantity", "evidence_wrong"),
    ({"quantity": "nan"}, "quantity", "quantity_invalid"),
    ({"quantity": "1", "version": "7", "serials": ["b"]}, "version", "evidence_wrong"),
    ({"quantity": "1", "serials": ["a"]}, "serials", "evidence_wrong"),
    ({"quantity": "1", "serials": []}, "serials", "evidence_wrong"),
]


@pytest.mark.parametrize(("said", "field", "code"), BAD_PARTS)
def test_a_part_is_refused_by_field(said, field, code):
    task, user = claimed("3", "serials")
    mine = {"task_id": task.pk, "user_id": user.pk}
    services.record_part(quantity="1", serials=["a"], at=LATER, **mine)
    refused(code, services.record_part, field=field, **mine, **said)
    assert line_of(task).delivered_fraction == Decimal("0.33333333")


def test_the_last_part_asks_for_everything():
    task, user = claimed("2", "port", checklist=["x"])
    mine = {"task_id": task.pk, "user_id": user.pk}
    services.record_part(quantity="1", at=LATER, **mine)
    refused("checklist_open", services.record_part, field="checklist", quantity="1", **mine)


# left out


def test_a_step_left_out_lets_the_line_go_on():
    order = a_placed_order(tasks=[by_hand(key="a"), by_hand(key="b", after=["a"])])
    user = a_worker()
    first, second = order.tasks.order_by("pk")
    services.claim_task(task_id=first.pk, user_id=user.pk, at=LATER)
    services.fail_task(task_id=first.pk, user_id=user.pk, reason="no key", at=LATER)
    refused("task_not_ready", skip_task, task_id=second.pk, user_id=user.pk, reason="x")
    skip_task(task_id=first.pk, user_id=a_user().pk, reason="not needed", at=LATER)
    assert states(order) == (["provisioning"], ["skipped", "ready"])


def test_what_undoes_a_cancelled_line_is_claimed_and_done():
    undo = {"name": "Take it down", "kind": "manual", "queue": "field"}
    order = a_placed_order(
        tasks=[by_hand(key="a", compensation=undo), by_hand(key="b", after=["a"])]
    )
    user = a_worker()
    first = services.claim_next(user_id=user.pk, at=LATER)
    assert first is not None
    services.complete_task(task_id=first.pk, user_id=user.pk, at=LATER)
    services.cancel_line(line_id=first.line_id, at=LATER, reason="no longer wanted")
    undoing = services.claim_next(user_id=user.pk, at=LATER)
    assert undoing is not None
    assert undoing.name == "Take it down"
    services.complete_task(task_id=undoing.pk, user_id=user.pk, at=LATER)
    assert states(order)[0] == ["cancelled"]
