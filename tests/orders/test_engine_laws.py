"""The laws of fulfilment over random plans, failures, remedies and cancels (hypothesis).

Every order ends or waits for a person, who can help; no task begins before what it comes after;
compensations run in reverse order of what was done; nothing is given up behind its point of no
return; each state that was ever taken follows the law of its life cycle.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from o2b.catalog.models import DeliveryPlan, ProductVersion
from o2b.catalog.services import publish_delivery_plan
from o2b.customers.models import Account
from o2b.errors import Refused
from o2b.fsm import law
from o2b.models import Event
from o2b.people.models import User
from orders import services
from orders.fallout.services import remedies
from orders.fallout.services.remedies import waited_in_vain
from orders.fulfilment import handlers
from orders.fulfilment.handlers import Handler
from orders.fulfilment.outcomes import Done, Failed, Job, Outcome, TryAgain, Waiting
from orders.fulfilment.services import skip_task, whole
from orders.fulfilment.services.hand.skipping import SKIPPABLE
from orders.fulfilment.services.pauses import is_past_return
from orders.models import (
    Evidence,
    FailureClass,
    Order,
    OrderLine,
    Queue,
    QueueMember,
    Task,
    WaitsFor,
)
from quotes.inputs import LineInput
from tests.factories import LONG_AGO, a_user
from tests.orders.build import LATER, a_product, an_account, entered

pytestmark = pytest.mark.django_db
EXAMPLES = int(os.environ.get("O2B_EXAMPLES", "40"))
L, T = OrderLine.State, Task.State

WATCH = """
CREATE TEMP TABLE IF NOT EXISTS moves (kind text, id bigint, was text, is_ text, n bigserial);
CREATE OR REPLACE FUNCTION pg_temp.note_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> OLD.state THEN
        INSERT INTO moves (kind, id, was, is_) VALUES (TG_TABLE_NAME, NEW.id, OLD.state, NEW.state);
    END IF;
    RETURN NULL;
END $$;
"""


@dataclass
class House:
    """One account, one product whose plan is replaced for each example, one clerk."""

    account: Account
    version: ProductVersion
    clerk: User
    plans: int = 1
    answers: list[str] = field(default_factory=list)

    def answer(self, job: Job) -> Outcome:
        """What the outside says next; when the example has no more to say, it is done."""
        said = self.answers.pop() if self.answers else "done"
        match said:
            case "again":
                return TryAgain("away", kind=FailureClass.TIMEOUT)
            case "failed":
                return Failed("no such street")
            case "waits" if not job.is_poll:
                return Waiting(WaitsFor.CALLBACK, poll_after=10)
        return Done()


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> House:
    clerk = a_user("order team")
    queue = Queue.objects.create(code="field", name="Field")
    QueueMember.objects.create(queue=queue, user=clerk)
    made = House(an_account(), a_product(), clerk)
    monkeypatch.setitem(handlers.HANDLERS, "outside", Handler(run=lambda job: made.answer(job)))
    with connection.cursor() as cursor:
        cursor.execute(WATCH)
        for table in ("orders_task", "orders_orderline"):
            cursor.execute(
                f"CREATE TRIGGER note_move AFTER UPDATE ON {table}"
                " FOR EACH ROW EXECUTE FUNCTION pg_temp.note_move()"
            )
    return made


@st.composite
def plans(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Up to seven steps, each after some of those before it."""
    steps: list[dict[str, Any]] = []
    for n in range(draw(st.integers(1, 7))):
        by_hand = draw(st.integers(0, 3)) == 0
        step: dict[str, Any] = {"key": f"t{n}", "name": f"Step {n}"}
        step |= (
            {"kind": "manual", "queue": "field"}
            if by_hand
            else {"kind": "automatic", "handler": draw(st.sampled_from(["outside", "activation"]))}
        )
        if n:
            step["after"] = sorted(draw(st.sets(st.sampled_from([f"t{m}" for m in range(n)]))))
        if draw(st.booleans()):
            step["compensation"] = (
                {"name": f"Undo {n}", "kind": "manual", "queue": "field"}
                if draw(st.integers(0, 3)) == 0
                else {"name": f"Undo {n}", "kind": "automatic", "handler": "outside"}
            )
        step["point_of_no_return"] = draw(st.integers(0, 7)) == 0
        steps.append(step)
    return steps


DEEDS = (
    *("advance", "take", "complete", "complete", "fail", "retry", "hold", "resume"),
    *("cancel", "cancel_order"),
    *("skip", "edit", "by_hand", "part", "without"),
)
QUANTITY = 2
SAID = st.lists(st.sampled_from(["done", "again", "failed", "waits"]), max_size=12)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    plan=plans(),
    lines=st.integers(1, 2),
    across=st.booleans(),
    in_parts=st.booleans(),
    said=SAID,
    deeds=st.lists(st.tuples(st.sampled_from(DEEDS), st.integers(0, 30)), max_size=14),
)
def test_every_order_ends_or_waits_for_a_person(
    house: House,
    monkeypatch: pytest.MonkeyPatch,
    plan: list[dict[str, Any]],
    lines: int,
    across: bool,
    in_parts: bool,
    said: list[str],
    deeds: list[tuple[str, int]],
) -> None:
    monkeypatch.setattr(whole, "FEW_LINES", 0 if in_parts else 10)
    monkeypatch.setattr(whole, "A_PART", 1)
    with transaction.atomic():
        order = _ordered(house, plan, lines, across=across)
        house.answers = list(said)
        run = Run(order, house)
        for deed, which in deeds:
            run.do(deed, which)
            _nothing_begins_too_early(order)
        run.to_the_end()
        _nothing_begins_too_early(order)
        _ends_or_waits(order)
        _undone_in_reverse(order)
        _every_move_is_lawful()
        _facts_are_whole(order)
        transaction.set_rollback(True)


@dataclass
class Run:
    """What people and workers do to one order, a minute after the other."""

    order: Order
    house: House
    now: datetime = LATER

    def do(self, deed: str, which: int) -> None:
        """One deed; what the law forbids is refused and changes nothing."""
        self.now += timedelta(minutes=10)
        for_good = self._for_good()
        with suppress(Refused):
            getattr(self, f"_{deed}")(which)
        assert not self.order.lines.filter(pk__in=for_good, state__in=GIVEN_UP).exists()

    def _for_good(self) -> set[int]:
        """Lines that are behind their point of no return, and not given up before it."""
        tasks = Task.objects.filter(order=self.order).exclude(line__state__in=GIVEN_UP)
        return {task.line_id for task in tasks if is_past_return(task)}

    def to_the_end(self) -> None:
        """Let everything run that runs by itself, again and again, until nothing moves."""
        quiet = 0
        for _ in range(60):
            before = list(_states(self.order))
            self.do("resume", 0)
            self.do("resume", 1)
            self._advance()
            quiet = quiet + 1 if before == list(_states(self.order)) else 0
            if quiet == 2:  # longer than any back-off
                return
            self.now += timedelta(hours=1)
        raise AssertionError("it never comes to rest")

    def _advance(self, which: int = 0) -> None:
        services.advance_order(order_id=self.order.pk, at_of=lambda _: self.now, worker="w")

    def _take(self, which: int) -> None:
        if task := self._one(which, kind="manual", state=T.READY):
            services.claim_task(task_id=task.pk, user_id=self.house.clerk.pk, at=self.now)

    def _complete(self, which: int) -> None:
        self._take(which)
        if task := self._one(which, state=T.CLAIMED):
            services.complete_task(task_id=task.pk, user_id=self.house.clerk.pk, at=self.now)

    def _fail(self, which: int) -> None:
        if task := self._one(which, kind="manual", state=T.CLAIMED):
            told = {"user_id": self.house.clerk.pk, "reason": "full", "at": self.now}
            services.fail_task(task_id=task.pk, **told)

    def _retry(self, which: int) -> None:
        if task := self._one(which, state=T.FALLOUT):
            services.retry_task(task_id=task.pk, at=self.now)

    def _edit(self, which: int) -> None:
        if task := self._one(which, state=T.FALLOUT):
            said = {"door": which}
            remedies.edit_and_retry(task_id=task.pk, parameters=said, at=self.now)

    def _by_hand(self, which: int) -> None:
        if task := self._one(which, state=T.FALLOUT):
            remedies.take_by_hand(task_id=task.pk, user_id=self.house.clerk.pk, at=self.now)

    def _skip(self, which: int) -> None:
        if task := self._one(which, state__in=SKIPPABLE):
            told = {"user_id": self.house.clerk.pk, "reason": "spare", "at": self.now}
            skip_task(task_id=task.pk, **told)

    def _part(self, which: int) -> None:
        self._take(which)
        if task := self._one(which, state=T.CLAIMED):
            told = {"user_id": self.house.clerk.pk, "quantity": "1", "at": self.now}
            services.record_part(task_id=task.pk, **told)

    def _without(self, which: int) -> None:
        remedies.go_on_without(line_id=self._line(which), reason="spare", at=self.now)

    def _cancel(self, which: int) -> None:
        services.cancel_line(line_id=self._line(which), at=self.now, reason="changed their mind")

    def _cancel_order(self, which: int) -> None:
        services.cancel_order(order_id=self.order.pk, at=self.now, reason="moved away")

    def _hold(self, which: int) -> None:
        services.hold_line(line_id=self._line(which), at=self.now, reason="wait")

    def _resume(self, which: int) -> None:
        services.resume_line(line_id=self._line(which), at=self.now)

    def _line(self, which: int) -> int:
        keys = list(self.order.lines.order_by("pk").values_list("pk", flat=True))
        return int(keys[which % len(keys)])

    def _one(self, which: int, **wanted: Any) -> Task | None:
        found = list(Task.objects.filter(order=self.order, **wanted).order_by("pk"))
        return found[which % len(found)] if found else None


def _ordered(house: House, plan: list[dict[str, Any]], lines: int, *, across: bool) -> Order:
    """An order of lines with this plan; across: each line's last step waits on all first ones."""
    steps = [dict(step) for step in plan]
    if across and len(steps) > 1:
        code = house.version.product.code
        steps[-1]["after"] = [*steps[-1].get("after", []), f"{code}/{steps[0]['key']}"]
    number = house.version.product.plans.count() + 1
    made = DeliveryPlan.objects.create(product=house.version.product, number=number, tasks=steps)
    publish_delivery_plan(plan_id=made.pk, at=LONG_AGO)
    asked = [LineInput(house.version.product.code, QUANTITY)] * lines
    return entered(house.account, lines=asked)


def _states(order: Order) -> Iterator[tuple[int, str]]:
    yield from OrderLine.objects.filter(order=order).order_by("pk").values_list("pk", "state")
    yield from Task.objects.filter(order=order).order_by("pk").values_list("pk", "state")


GIVEN_UP = (L.CANCELLING, L.CANCELLED)
BEGUN = (T.CLAIMED, T.RUNNING, T.DONE, T.COMPENSATING, T.COMPENSATED)
OVER = (T.DONE, T.SKIPPED, T.COMPENSATING, T.COMPENSATED)
# What undoes waits for what undoes others, and for what was built upon it.
UNDONE = (T.DONE, T.SKIPPED, T.CANCELLED, T.COMPENSATED)


def _nothing_begins_too_early(order: Order) -> None:
    tasks = {task.pk: task for task in Task.objects.filter(order=order)}
    for task in tasks.values():
        if task.state in BEGUN:
            over = UNDONE if task.compensates_id else OVER
            assert all(tasks[pk].state in over for pk in task.after), f"{task} began too early"
        if task.done_at and not task.compensates_id:
            assert all((tasks[pk].done_at or LATER) <= task.done_at for pk in task.after)


def _ends_or_waits(order: Order) -> None:
    """A line is over, or a person is awaited: by its own tasks, or by the line that it waits on."""
    waiting = {T.READY, T.CLAIMED, T.FALLOUT}
    lines = list(order.lines.all())
    for line in lines:
        if line.state in (L.COMPLETED, L.CANCELLED):
            continue
        if line.state == L.FALLOUT:
            assert _can_be_helped(line), list(_states(order))
            continue
        tasks = list(Task.objects.filter(line=line))
        by_person = [
            t for t in tasks if t.state == T.FALLOUT or (t.kind == "manual" and t.state in waiting)
        ]
        blocked_elsewhere = any(
            Task.objects.filter(pk__in=t.after, state__in=waiting).exclude(line=line).exists()
            for t in tasks
            if t.state == T.BLOCKED
        )
        if line.state == L.CANCELLING:  # behind what undoes another line, step by step
            others = Task.objects.filter(order=order, state__in=waiting).exclude(line=line)
            blocked_elsewhere = others.exists()
        assert by_person or blocked_elsewhere, list(_states(order))


def _can_be_helped(line: OrderLine) -> bool:
    """Whether a remedy brings what fell out further; nothing of it is kept."""
    try:
        with transaction.atomic():
            helped = _help(line)
            transaction.set_rollback(True)
    except Refused:
        return False
    return helped


def _help(line: OrderLine) -> bool:
    tasks = list(Task.objects.filter(line=line))
    fallen = [task for task in tasks if task.state == T.FALLOUT]
    if any(task.state == T.CLAIMED for task in tasks):
        return True  # somebody does it by hand
    for task in fallen:
        services.retry_task(task_id=task.pk, at=LATER)
    if not fallen and waited_in_vain(tasks):
        remedies.go_on_without(line_id=line.pk, reason="spare", at=LATER)
    elif not fallen:  # done or skipped, but not as promised: it is shown anew, or given up
        if Evidence.objects.filter(line=line, task__state=T.DONE).exists():
            return True
        services.cancel_line(line_id=line.pk, at=LATER, reason="nothing of it is left")
    return OrderLine.objects.values_list("state", flat=True).get(pk=line.pk) != L.FALLOUT


def _undone_in_reverse(order: Order) -> None:
    """In a line the last done first; nothing before what was built upon it, if given up with it."""
    undone = _undone(order)
    given_up = dict(
        Event.objects.filter(order_id=order.pk, name="order_line.cancelling").values_list(
            "subject_id", "at"
        )
    )
    tasks = Task.objects.in_bulk(undone)
    for pk, n in undone.items():
        for before in set(tasks[pk].after) & undone.keys():
            together = given_up[tasks[before].line_id] == given_up[tasks[pk].line_id]
            assert n < undone[before] or not together, (pk, before)
    for line in order.lines.all():
        done = [tasks[pk] for pk in undone if tasks[pk].line_id == line.pk]
        assert all(a.done_at >= b.done_at for a, b in pairwise(done))
        if line.state == L.CANCELLED:
            left = Task.objects.filter(line=line, state=T.DONE, compensates=None)
            assert not left.exclude(compensation=None).exists()


def _undone(order: Order) -> dict[int, int]:
    """Tasks that were undone and in which place, as the rows moved."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, n FROM moves WHERE kind = 'orders_task' AND is_ = 'done'")
        moved = dict(cursor.fetchall())
    undoing = Task.objects.filter(order=order, state=T.DONE).exclude(compensates=None)
    places = {of: moved[pk] for pk, of in undoing.values_list("pk", "compensates")}
    return dict(sorted(places.items(), key=lambda place: place[1]))


def _every_move_is_lawful() -> None:
    allowed = {
        "orders_task": {(was, now) for was, _, now in law(Task)},
        "orders_orderline": {(was, now) for was, _, now in law(OrderLine)},
    }
    # Moves of one statement that pass through a state in between are seen one by one.
    with connection.cursor() as cursor:
        cursor.execute("SELECT kind, was, is_ FROM moves")
        for kind, was, now in cursor.fetchall():
            assert (was, now) in allowed[kind], (kind, was, now)


def _facts_are_whole(order: Order) -> None:
    """Each done task left evidence and cost; a completed line is delivered whole."""
    for task in Task.objects.filter(order=order, state=T.DONE):
        assert task.costs.count() == 1
        left = list(Evidence.objects.filter(task=task))
        if any(one.is_part for one in left):
            assert sum(one.quantity for one in left) == QUANTITY
        else:
            assert len(left) == 1
        by_hand = task.kind == "manual" or task.claimed_by_id
        assert by_hand or task.tries.filter(outcome="done").count() == 1
    for line in order.lines.filter(state=L.COMPLETED):
        parts = list(line.delivered_parts.values_list("fraction", flat=True))
        assert (parts[-1], sorted(set(parts))) == (1, parts)
