"""Appointments at the customer's: wanted by the task, arranged by people, kept, and the task done.

Parameters: `minutes`, `place` (default: the account's address), `queue` (whose people go there, in
whose hours; default: the task's own).
"""

from collections.abc import Mapping, Sequence

from o2b.customers.models import Account
from orders.fulfilment.handlers import Handler
from orders.fulfilment.outcomes import Failed, Job, Outcome, Waiting
from orders.kinds.parameters import checker, text, whole, whole_of, wrong
from orders.models import Appointment, Queue, Task
from orders.models.words import FailureClass, WaitsFor
from orders.visits import selectors
from orders.visits.services import MOST_MINUTES, Wish, done_with, want_visits

HOUR = 60
faults = checker(minutes=whole(1, MOST_MINUTES), place=text(2000), queue=text(50))


def appoint(jobs: Sequence[Job]) -> Mapping[int, Outcome]:
    """Visits for many tasks; asked again, how far each is."""
    found: dict[int, Outcome] = {}
    for job in jobs:
        if refused := wrong(faults, job):
            found[job.task_id] = refused
    sound = [job for job in jobs if job.task_id not in found]
    there = selectors.visits_of_tasks([job.task_id for job in sound])
    found |= _want([job for job in sound if job.task_id not in there])
    return found | {
        job.task_id: _standing(there[job.task_id]) for job in sound if job.task_id in there
    }


def _want(jobs: Sequence[Job]) -> dict[int, Outcome]:
    if not jobs:
        return {}
    named = {job.parameters["queue"] for job in jobs if job.parameters.get("queue")}
    queues = {queue.code: queue.pk for queue in Queue.objects.filter(code__in=named)}
    own = dict(
        Task.objects.filter(pk__in=[job.task_id for job in jobs]).values_list("pk", "queue_id")
    )
    places = dict(
        Account.objects.filter(pk__in={job.account_id for job in jobs}).values_list("pk", "address")
    )
    found: dict[int, Outcome] = {}
    wishes = []
    for job in jobs:
        code = job.parameters.get("queue")
        if code and code not in queues:
            reason = f"there is no queue “{code}”"
            found[job.task_id] = Failed(reason, kind=FailureClass.SET_UP)
            continue
        wishes.append(
            Wish(
                task_id=job.task_id,
                line_id=job.line_id,
                order_id=job.order_id,
                account_id=job.account_id,
                queue_id=queues[code] if code else own.get(job.task_id),
                minutes=whole_of(job.parameters.get("minutes"), HOUR),
                place=(job.parameters.get("place") or places.get(job.account_id, "")).strip(),
            )
        )
        found[job.task_id] = Waiting(WaitsFor.APPOINTMENT)
    if wishes:
        want_visits(wishes=wishes, at=jobs[0].at)
    return found


def _standing(visit: Appointment) -> Outcome:
    match visit.state:
        case Appointment.State.KEPT:
            return done_with(visit, visit.minutes)
        case Appointment.State.CANCELLED:
            return Failed("the visit was called off", kind=FailureClass.PERSON)
    return Waiting(WaitsFor.APPOINTMENT)


def appointment(job: Job) -> Outcome:
    return appoint([job])[job.task_id]


APPOINTMENT = Handler(run=appointment, run_many=appoint, instant=True, writes=True, faults=faults)
