"""The laws of fulfilment over random plans, failures and cancels (hypothesis).

Every order ends or waits for a person; no task begins before what it comes after; compensations run
in reverse order of what was done; each state that was ever taken follows the law of its life cycle.
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
from o2b.people.models import User
from orders import services
from orders.fulfilment import handlers
from orders.fulfilment.handlers import Handler
from orders.fulfilment.outcomes import Done, Failed, Job, Outcome, TryAgain, Waiting
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


DEEDS = ("advance", "take", "complete", "complete", "fail", "retry", "cancel", "hold", "resume")
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
    said=SAID,
    deeds=st.lists(st.tuples(st.sampled_from(DEEDS), st.integers(0, 30)), max_size=14),
)
def test_every_order_ends_or_waits_for_a_person(
    house: House,
    plan: list[dict[str, Any]],
    lines: int,
    across: bool,
    said: list[str],
    deeds: list[tuple[str, int]],
) -> None:
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
        with suppress(Refused):
            getattr(self, f"_{deed}")(which)

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
        if task := self._one(which, kind="manual", state=T.CLAIMED):
            services.complete_task(task_id=task.pk, user_id=self.house.clerk.pk, at=self.now)

    def _fail(self, which: int) -> None:
        if task := self._one(which, kind="manual", state=T.CLAIMED):
            told = {"user_id": self.house.clerk.pk, "reason": "full", "at": self.now}
            services.fail_task(task_id=task.pk, **told)

    def _retry(self, which: int) -> None:
        if task := self._one(which, state=T.FALLOUT):
            services.retry_task(task_id=task.pk, at=self.now)

    def _cancel(self, which: int) -> None:
        services.cancel_line(line_id=self._line(which), at=self.now, reason="changed their mind")

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
    return entered(house.account, *[house.version] * lines)


def _states(order: Order) -> Iterator[tuple[int, str]]:
    yield from OrderLine.objects.filter(order=order).order_by("pk").values_list("pk", "state")
    yield from Task.objects.filter(order=order).order_by("pk").values_list("pk", "state")


BEGUN = (T.CLAIMED, T.RUNNING, T.DONE, T.COMPENSATING, T.COMPENSATED)
OVER = (T.DONE, T.SKIPPED, T.COMPENSATING, T.COMPENSATED)


def _nothing_begins_too_early(order: Order) -> None:
    tasks = {task.pk: task for task in Task.objects.filter(order=order)}
    for task in tasks.values():
        if task.state in BEGUN:
            assert all(tasks[pk].state in OVER for pk in task.after), f"{task} began too early"
        if task.done_at and not task.compensates_id:
            assert all((tasks[pk].done_at or LATER) <= task.done_at for pk in task.after)


def _ends_or_waits(order: Order) -> None:
    """A line is over, or a person is awaited: by its own tasks, or by the line that it waits on."""
    waiting = {T.READY, T.CLAIMED, T.FALLOUT}
    lines = list(order.lines.all())
    for line in lines:
        if line.state in (L.COMPLETED, L.CANCELLED):
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
        assert by_person or line.state == L.FALLOUT or blocked_elsewhere, list(_states(order))


def _undone_in_reverse(order: Order) -> None:
    for line in order.lines.all():
        undoing = Task.objects.filter(line=line, state=T.DONE).exclude(compensates=None)
        done = [
            t.compensates for t in undoing.select_related("compensates").order_by("done_at", "pk")
        ]
        assert all((a.done_at, a.pk) > (b.done_at, b.pk) for a, b in pairwise(done))
        if line.state == L.CANCELLED:
            left = Task.objects.filter(line=line, state=T.DONE, compensates=None)
            assert not left.exclude(compensation=None).exists()


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
        assert Evidence.objects.filter(task=task).count() == 1
        assert task.kind == "manual" or task.tries.filter(outcome="done").count() == 1
    for line in order.lines.filter(state=L.COMPLETED):
        parts = list(line.delivered_parts.values_list("fraction", flat=True))
        assert (parts[-1], sorted(set(parts))) == (1, parts)
