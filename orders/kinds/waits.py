"""Waits: until a day, for some days or working days, or for an event; by the account's own clock.

Parameters, one of: `until` (a day), `days`, `working_days` (of the step's queue, else Monday to
Friday without the holidays of the seller's country), `event` (a name of `o2b/flow.py`).
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q

from o2b import clock
from o2b.customers.models import Account
from o2b.flow import REACTIONS
from o2b.models import Event
from orders.fulfilment.handlers import Handler
from orders.fulfilment.outcomes import Done, Exchange, Job, Outcome, Waiting
from orders.kinds.parameters import checker, day, day_of, guarded, whole, whole_of
from orders.models import Queue
from orders.models.words import WaitsFor
from orders.rules.worktime import Calendar, standard_hours
from orders.timing.clocks import calendar_of

WAYS = ("until", "days", "working_days", "event")
LOOK_AGAIN = 300  # seconds until it looks again whether an event came that nobody told it of


def _event(value: Any) -> str:
    return "" if isinstance(value, str) and value in REACTIONS else "a name of o2b/flow.py"


_each = checker(until=day, days=whole(0, 3650), working_days=whole(0, 2500), event=_event)


def faults(parameters: Mapping[str, Any]) -> list[str]:
    """One way to wait, and a sound one."""
    said = _each(parameters)
    if not isinstance(parameters, Mapping):
        return said
    told = [way for way in WAYS if parameters.get(way) not in (None, "")]
    return said if len(told) == 1 else [*said, f"one of {', '.join(WAYS)}"]


def wait(job: Job) -> Outcome:
    """Done when the day has come, or the event; what was reckoned first stands."""
    if job.parameters.get("event"):
        return _for_event(job)
    until = _kept(job, "until") or _reckoned(job)
    if job.at >= until:
        return Done()
    exchange = Exchange({"until": until.isoformat()})
    return Waiting(WaitsFor.DATE, until=until, exchange=exchange)


def _reckoned(job: Job) -> datetime:
    """The begin of the day that is waited for, where the account lives."""
    account = Account.objects.select_related("legal_entity").get(pk=job.account_id)
    today = clock.day(account, job.at)
    said = job.parameters
    if (until := day_of(said.get("until"))) is not None:
        on = until
    elif said.get("days") not in (None, ""):
        on = today + timedelta(days=whole_of(said["days"], 0))
    else:
        on = _working_days_on(today, whole_of(said["working_days"], 0), _calendar(job, account))
    if on == today and until is None:
        return job.at
    return datetime.combine(on, time(0), ZoneInfo(account.time_zone))


def _calendar(job: Job, account: Account) -> Calendar:
    queue = Queue.objects.filter(tasks=job.task_id).select_related("calendar").first()
    if queue and queue.calendar:
        return calendar_of(queue)
    return Calendar.of(standard_hours(), country=account.legal_entity.country)


def _working_days_on(day: date, count: int, calendar: Calendar) -> date:
    """
    >>> week = Calendar.of(standard_hours())
    >>> _working_days_on(date(2026, 1, 30), 1, week), _working_days_on(date(2026, 1, 30), 0, week)
    (datetime.date(2026, 2, 2), datetime.date(2026, 1, 30))
    """
    while count:
        day += timedelta(days=1)
        count -= not calendar.is_free(day)
    return day


def _for_event(job: Job) -> Outcome:
    """Whether it was recorded for this order, or for the account and no order, since the wait."""
    since = _kept(job, "since") or job.at
    name = job.parameters["event"]
    of_order = Q(order_id=job.order_id) | Q(order_id=None, account_id=job.account_id)
    found = Event.objects.filter(of_order, name=name, at__gte=since).order_by("id").first()
    if found and (job.is_poll or found.at > since):
        return Done(data={"event": name, "event_at": found.at.isoformat()})
    exchange = Exchange({"event": name, "since": since.isoformat()})
    return Waiting(WaitsFor.EVENT, poll_after=LOOK_AGAIN, reason=name, exchange=exchange)


def _kept(job: Job, name: str) -> datetime | None:
    """A moment that an earlier look reckoned."""
    said = job.request.get(name) if job.is_poll and job.request else None
    return datetime.fromisoformat(said) if isinstance(said, str) else None


WAIT = Handler(run=guarded(faults, wait), instant=True, faults=faults)
