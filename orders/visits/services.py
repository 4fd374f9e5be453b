"""Verbs of visits: want, arrange and move, miss, keep, call off."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from o2b import events, fsm
from o2b.errors import Invalid, Refused
from o2b.people.models import User
from o2b.web.show import moment_text
from orders.fulfilment.outcomes import Done
from orders.fulfilment.services.hand import check_reason
from orders.fulfilment.services.scene import Scene
from orders.fulfilment.services.settle import settle
from orders.fulfilment.services.wake import wake, wake_those_behind
from orders.models import Appointment, OrderLine, QueueMember, Task, WaitsFor
from orders.timing.clocks import calendar_of

A = Appointment.State
OPEN = (A.WANTED, A.ARRANGED, A.MISSED)
LONGEST_TEXT = 2000
MOST_MINUTES = 24 * 60
FARTHEST = timedelta(days=730)


class VisitNotOpen(Refused):
    code = "visit_not_open"


class SlotRefused(Invalid):
    """A time at which nobody can come."""

    code = "slot_refused"


@dataclass(frozen=True, slots=True)
class Wish:
    """A visit that a task needs."""

    task_id: int
    line_id: int
    order_id: int
    account_id: int
    queue_id: int | None
    minutes: int
    place: str


@dataclass(frozen=True, slots=True)
class Slot:
    """When somebody comes, and who."""

    begins_at: datetime
    minutes: int
    with_whom_id: int | None = None
    place: str = ""
    note: str = ""

    @property
    def ends_at(self) -> datetime:
        return self.begins_at + timedelta(minutes=self.minutes)


def want_visits(*, wishes: Sequence[Wish], at: datetime) -> None:
    """Visits to be arranged, one a task; in the transaction of the tasks' outcome."""
    visits = Appointment.objects.bulk_create(
        Appointment(
            task_id=wish.task_id,
            line=OrderLine(pk=wish.line_id, order_id=wish.order_id),
            account_id=wish.account_id,
            queue_id=wish.queue_id,
            minutes=wish.minutes,
            place=wish.place,
        )
        for wish in wishes
    )
    events.record_many("appointment.wanted", visits, at=at)


@transaction.atomic
def arrange_visit(*, visit_id: int, slot: Slot, at: datetime, by: int) -> Appointment:
    """Set the time of a visit, or move it: in working hours, and nobody is in two places."""
    visit = _locked(visit_id)
    _check_slot(visit, slot, at)
    _check_person(visit, slot)
    visit.begins_at, visit.ends_at, visit.minutes = slot.begins_at, slot.ends_at, slot.minutes
    visit.with_whom_id, visit.place, visit.note = slot.with_whom_id, slot.place, slot.note
    fsm.apply(
        visit,
        "arrange",
        at=at,
        refusal=VisitNotOpen,
        actor_id=by,
        facts={"begins_at": slot.begins_at.isoformat(), "minutes": slot.minutes},
    )
    return visit


@transaction.atomic
def miss_visit(*, visit_id: int, reason: str, at: datetime, by: int) -> Appointment:
    """Nobody was there, or nobody came: it is to be arranged anew."""
    why = check_reason(reason)
    visit = _locked(visit_id)
    fsm.apply(visit, "miss", at=at, refusal=VisitNotOpen, actor_id=by, facts={"reason": why})
    return visit


@transaction.atomic
def keep_visit(*, visit_id: int, at: datetime, by: int, minutes: int | None = None) -> Appointment:
    """Somebody was there, so long: its task is done."""
    line_id = Appointment.objects.values_list("line_id", flat=True).get(pk=visit_id)
    scene = Scene.of_line(line_id)
    visit = _locked(visit_id)
    if visit.begins_at and visit.begins_at > at:
        raise VisitNotOpen(_("This visit has not begun yet."))
    if minutes is not None and not 0 <= minutes <= MOST_MINUTES:
        raise SlotRefused(_("A visit takes up to a day."), field="minutes")
    spent = visit.minutes if minutes is None else minutes
    fsm.apply(visit, "keep", at=at, refusal=VisitNotOpen, actor_id=by, facts={"minutes": spent})
    task = scene.tasks[visit.task_id]
    if task.state == Task.State.RUNNING and task.waits_for == WaitsFor.APPOINTMENT:
        settle(scene, {task.pk: done_with(visit, spent, by)}, at=at, machine_now=at, actor_id=by)
        wake(scene, at=at, actor_id=by)
        wake_those_behind(scene, at=at, actor_id=by)
    return visit


def done_with(visit: Appointment, minutes: int, by: int | None = None) -> Done:
    """What its task came to."""
    began = visit.begins_at.isoformat() if visit.begins_at else ""
    return Done(minutes=minutes, by_id=by, data={"visited_at": began})


def call_off_visits(*, line_ids: Collection[int], at: datetime) -> list[Appointment]:
    """Lines are given up: nobody goes there any more."""
    visits = Appointment.objects.filter(line__in=line_ids).select_related("line")
    return fsm.move(visits, "cancel", at=at)


def _locked(visit_id: int) -> Appointment:
    rows = Appointment.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("queue__calendar", "account", "line").get(pk=visit_id)


def _check_slot(visit: Appointment, slot: Slot, at: datetime) -> None:
    if visit.state not in OPEN:
        message = _("This visit is %(state)s.")
        raise VisitNotOpen(message % {"state": visit.get_state_display()})
    if not 1 <= slot.minutes <= MOST_MINUTES:
        raise SlotRefused(_("A visit takes a minute to a day."), field="minutes")
    if slot.begins_at <= at:
        raise SlotRefused(_("This moment has passed."), field="begins_at")
    if slot.begins_at > at + FARTHEST:
        raise SlotRefused(_("Arrange a visit within the next two years."), field="day")
    for name, text in (("place", slot.place), ("note", slot.note)):
        if len(text) > LONGEST_TEXT or "\0" in text:
            message = _("A text of up to %(longest)s characters.")
            raise SlotRefused(message % {"longest": LONGEST_TEXT}, field=name)
    _check_hours(visit, slot)


def _check_hours(visit: Appointment, slot: Slot) -> None:
    """The queue works all the while; a calendar without hours of its own always does."""
    calendar = calendar_of(visit.queue)
    begins = slot.begins_at.astimezone(UTC)
    for opens, closes in calendar.spans_from(begins):
        if opens > begins:
            break
        begins = closes
        if slot.ends_at <= closes:
            return
    raise SlotRefused(_("The queue does not work at that time."), field="begins_at")


def _check_person(visit: Appointment, slot: Slot) -> None:
    """Whoever goes there is one of us, and not somewhere else; asked with the person locked."""
    if slot.with_whom_id is None:
        return
    person = User.objects.select_for_update(no_key=True).filter(pk=slot.with_whom_id).first()
    if person is None or not person.is_active:
        raise SlotRefused(_("This person does not work here."), field="with_whom")
    if visit.queue_id and not _works_in(visit.queue_id, slot.with_whom_id):
        message = _("%(person)s does not work in the queue %(queue)s.")
        told = {"person": person, "queue": visit.queue}
        raise SlotRefused(message % told, field="with_whom")
    taken = Appointment.objects.filter(
        with_whom=person,
        state=A.ARRANGED,
        begins_at__lt=slot.ends_at,
        ends_at__gt=slot.begins_at,
    ).exclude(pk=visit.pk)
    if other := taken.select_related("account").order_by("begins_at").first():
        message = _("%(person)s is at %(customer)s from %(when)s.")
        taken_by = {"person": person, "customer": other.account}
        when = {"when": moment_text(other.begins_at)}
        raise SlotRefused(
            message % (taken_by | when), field="with_whom", url=other.get_absolute_url()
        )


def _works_in(queue_id: int, user_id: int) -> bool:
    return QueueMember.objects.filter(queue=queue_id, user=user_id).exists()
