"""The people of the packs at work: whatever waits for one of them is done, but what a tale leaves.

Everything goes through the services that the pages call. Asked again, it goes on where things are.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from billing.desk.demo.tales import WRITTEN, Tale
from o2b import clock
from o2b.people.models import User
from orders.models import Appointment, Approval, PurchaseOrder, Queue, QueueMember, Task
from orders.models.words import WaitsFor
from orders.purchases.services import receive_goods
from orders.services import claim_task, complete_task, nudge, record_part, tick_item
from orders.timing.clocks import calendar_of
from orders.visits.services import Slot, arrange_visit, keep_visit
from orders.work.services.approvals import grant_approval, may_decide

T, W = Task.State, WaitsFor
WAITED = (W.APPOINTMENT, W.GOODS, W.APPROVAL, W.CREDIT, W.CALLBACK)


@dataclass
class Hands:
    """Everybody's hands; `tales` says of each order where it is left."""

    tales: Mapping[int, Tale]
    members: list[QueueMember] = field(default_factory=list)
    leads: dict[str, User] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.members = list(QueueMember.objects.select_related("user").order_by("pk"))
        named = {tale.lead for tale in self.tales.values()}
        self.leads = User.objects.in_bulk(named, field_name="username")

    def work(self, *, at: datetime) -> int:
        """Do once what can be done now; returns how much that was."""
        open_tasks = Task.objects.filter(order__in=self.tales).select_related(
            "line__product_version", "queue__calendar"
        )
        by_hand = open_tasks.filter(kind=Task.Kind.MANUAL, state__in=[T.READY, T.CLAIMED])
        waiting = open_tasks.filter(state=T.RUNNING, waits_for__in=WAITED)
        done = sum(self._by_hand(task, at) for task in self._wanted(by_hand))
        return done + sum(self._waited(task, at) for task in self._wanted(waiting))

    def lead_of(self, task: Task) -> User:
        return self.leads[self.tales[task.order_id].lead]

    def is_asked_outside(self) -> bool:
        """Whether an outside system is still at something of these orders."""
        asked = Task.objects.filter(order__in=self.tales, state=T.RUNNING, waits_for=W.CALLBACK)
        return asked.exists()

    def person_for(self, task: Task) -> int:
        """Who of the queue has the skills, the one with the fewest first."""
        able = [
            member
            for member in self.members
            if member.queue_id == task.queue_id and set(task.skills) <= set(member.skills)
        ]
        return min(able, key=lambda member: (len(member.skills), member.pk)).user_id

    def _wanted(self, tasks: Any) -> list[Task]:
        return [task for task in tasks if task.key not in self.tales[task.order_id].leaves]

    def _by_hand(self, task: Task, at: datetime) -> int:
        person = task.claimed_by_id or self.person_for(task)
        part = self.tales[task.order_id].parts.get(task.key)
        if part is not None and task.state == T.CLAIMED:
            return 0
        if task.state == T.READY:
            claim_task(task_id=task.pk, user_id=person, at=at)
        for item in range(len(task.checklist)):
            if item not in task.ticked:
                tick_item(task_id=task.pk, item=item, is_done=True, user_id=person, at=at)
        if part is not None:
            said = _evidence(task, part)
            said.pop("data")
            record_part(task_id=task.pk, user_id=person, at=at, **said)
        else:
            complete_task(
                task_id=task.pk, user_id=person, at=at, **_evidence(task, task.line.quantity)
            )
        return 1

    def _waited(self, task: Task, at: datetime) -> int:
        if task.waits_for == W.APPOINTMENT:
            return self.visit(task, at)
        if task.waits_for == W.GOODS:
            return self._receive(task, at)
        if task.waits_for == W.CALLBACK:
            nudge(task_ids=[task.pk], at=at, machine_now=clock.now())
            return 0
        return self._approve(task, at)

    def visit(self, task: Task, at: datetime, *, days: int = 0) -> int:
        """Arrange what is wanted, or only from the morning in so many days; keep what has been."""
        visit = Appointment.objects.select_related("queue__calendar").get(task=task)
        queue = visit.queue
        if visit.state == Appointment.State.ARRANGED and visit.ends_at and visit.ends_at <= at:
            keep_visit(visit_id=visit.pk, at=at, by=visit.with_whom_id or self.lead_of(task).pk)
            return 1
        if visit.state != Appointment.State.WANTED or queue is None:
            return 0
        since = at + timedelta(hours=1)
        if days:
            since = at.replace(hour=0) + timedelta(days=days)
        begins_at = _free_from(queue, since, visit.minutes)
        slot = Slot(begins_at, visit.minutes, self._free(queue, begins_at), visit.place)
        arrange_visit(visit_id=visit.pk, slot=slot, at=at, by=self.lead_of(task).pk)
        return 1

    def _free(self, queue: Queue, begins_at: datetime) -> int | None:
        """Somebody of the queue who goes nowhere else on that day."""
        day = begins_at.date()
        taken = set(
            Appointment.objects.filter(begins_at__date=day).values_list("with_whom_id", flat=True)
        )
        able = (m.user_id for m in self.members if m.queue_id == queue.pk)
        return next((user_id for user_id in able if user_id not in taken), None)

    def _receive(self, task: Task, at: datetime) -> int:
        purchase = PurchaseOrder.objects.get(task=task)
        if purchase.missing <= 0 or (purchase.expected_on and purchase.expected_on > at.date()):
            return 0
        receive_goods(
            purchase_id=purchase.pk,
            quantity=purchase.missing,
            on=at.date(),
            at=at,
            by=self.lead_of(task).pk,
        )
        return 1

    def _approve(self, task: Task, at: datetime) -> int:
        asked = Approval.objects.filter(task=task, state=Approval.State.ASKED).first()
        lead = self.lead_of(task)
        if asked is None or not may_decide(asked, lead):
            return 0
        grant_approval(
            approval_id=asked.pk,
            user_id=lead.pk,
            at=at,
            machine_now=clock.now(),
            answer="Looked at, in order.",
        )
        return 1


def _evidence(task: Task, quantity: Decimal | int) -> dict[str, Any]:
    """Whatever a step asks to be told; the serials begin with the task's number."""
    made: dict[str, Any] = {"data": {}}
    for name in task.wants:
        if name == "version":
            made[name] = task.line.product_version.number
        elif name == "serial":
            made[name] = f"S{task.pk:06d}"
        elif name == "serials":
            made[name] = [f"S{task.pk:06d}-{n + 1:03d}" for n in range(int(quantity))]
        elif name != "quantity":
            made["data"][name] = WRITTEN.get(name, "seen")
    if "quantity" in task.wants:
        made["quantity"] = str(quantity)
    return made


def _free_from(queue: Queue, at: datetime, minutes: int) -> datetime:
    """The first moment from which the queue works so long, a whole quarter of an hour."""
    needed = timedelta(minutes=minutes)
    for opens, closes in calendar_of(queue).spans_from(at):
        begins = max(opens, at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1))
        if begins + needed <= closes:
            return begins
    raise ValueError(f"{queue} never works for {minutes} minutes")
