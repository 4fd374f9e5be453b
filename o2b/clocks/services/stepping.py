"""Let a test clock live day by day to a later moment; a step that was interrupted goes on."""

import time
from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from o2b import events, fsm
from o2b.clocks import rules
from o2b.clocks.models import ClockStep
from o2b.clocks.services.days import DayFailed, live_moment
from o2b.customers.models import Account
from o2b.errors import Invalid, Refused
from o2b.models import TestClock

A_MESSAGE = 15.0  # seconds that one message lives days for: shorter than its lease
ALONE_WITHIN = 20.0


class ClockSetBack(Invalid):
    """Time goes forward only."""

    code = "clock_set_back"


class StepTooLong(Invalid):
    code = "clock_step_too_long"


class ClockMoving(Refused):
    """Another step is on its way."""

    code = "clock_moving"


class ClockStepFailed(Refused):
    """A day was begun and could not be ended; it comes before all others."""

    code = "clock_step_failed"


class StepNotOpen(Refused):
    code = "clock_step_not_open"


class HouseBusy(Refused):
    """Work by the clock does not come to an end, so no day can begin."""

    code = "house_busy"


@transaction.atomic
def ask_step(
    *,
    clock_id: int,
    to: datetime | None = None,
    days: int = 0,
    months: int = 0,
    actor_id: int | None = None,
) -> ClockStep:
    """Begin a step that workers carry out, to a moment or by days and months."""
    begun = _begin(clock_id, to, days, months, actor_id)
    events.record("test_clock.step_asked", begun, at=begun.begun_at, actor_id=actor_id)
    return begun


def step(
    *,
    clock_id: int,
    to: datetime | None = None,
    days: int = 0,
    months: int = 0,
    actor_id: int | None = None,
) -> ClockStep:
    """The same in this process, to its end; a day that fails leaves the step failed."""
    with transaction.atomic():
        begun = _begin(clock_id, to, days, months, actor_id)
        events.record("test_clock.step_begun", begun, at=begun.begun_at, actor_id=actor_id)
    return live(step_id=begun.pk)


def go_on(*, step_id: int, owed: Collection[int], seconds: float = A_MESSAGE) -> ClockStep:
    """Live some of the days, and owe the rest to another message."""
    lived = live(step_id=step_id, seconds=seconds)
    with transaction.atomic():
        events.done(owed)
        if lived.is_running:
            events.record("test_clock.step_went_on", lived, at=lived.clock.now)
    return lived


def live(*, step_id: int, seconds: float = float("inf")) -> ClockStep:
    """Live the days of a step that are left, as many as there is time for."""
    until = time.monotonic() + seconds
    while _live_a_day(step_id) and time.monotonic() < until:
        pass
    return ClockStep.objects.select_related("clock").get(pk=step_id)


@transaction.atomic
def resume_step(*, clock_id: int, actor_id: int | None = None) -> ClockStep:
    """Try the day again that failed, or call for a step again that nobody carries on."""
    return _steer(clock_id, "go_on", actor_id)


@transaction.atomic
def stop_step(*, clock_id: int, actor_id: int | None = None) -> ClockStep:
    """Go no further. The day that was begun is ended by the next step."""
    return _steer(clock_id, "stop", actor_id)


def refuse_moving(clock_id: int) -> None:
    """Refuse whatever must not happen while a step is on its way. Hold the clock locked."""
    under_way = ClockStep.objects.filter(clock=clock_id, state__in=ClockStep.OPEN).first()
    if under_way is None:
        return
    if under_way.is_running:
        raise ClockMoving(_("The clock is moving; wait until it stands, or stop it."))
    message = _("A day of this clock failed: try it again, or stop the step.")
    raise ClockStepFailed(message, error=under_way.error)


def _begin(
    clock_id: int, to: datetime | None, days: int, months: int, actor_id: int | None
) -> ClockStep:
    clock = TestClock.objects.select_for_update(no_key=True).get(pk=clock_id)
    refuse_moving(clock_id)
    field = "to" if to else "months" if months else "days"
    until = to or rules.ahead(clock.now, days=_some(days, field), months=_some(months, field))
    _check(clock.now, until, field)
    return ClockStep.objects.create(
        clock=clock, begun_at=clock.now, until=until, asked_by_id=actor_id
    )


def _some(n: int, field: str) -> int:
    """A number that the calendar can be asked with; what is too many of it is too long too."""
    if n > rules.MOST_DAYS:
        raise _too_long(field)
    if n < 0:
        raise ClockSetBack(_("A clock goes forward only."), field=field)
    return n


def _check(now: datetime, until: datetime, field: str) -> None:
    if until <= now:
        message = _("A clock goes forward only; this one stands at %(now)s.")
        raise ClockSetBack(message % {"now": f"{now:%Y-%m-%d %H:%M} UTC"}, field=field)
    if rules.days_between(now, until) > rules.MOST_DAYS:
        raise _too_long(field)
    if until >= rules.LAST:
        message = _("A clock ends with the year %(year)s.")
        raise StepTooLong(message % {"year": rules.LAST.year - 1}, field=field)


def _too_long(field: str) -> StepTooLong:
    message = _("A step has %(most)s days at most; take several.")
    return StepTooLong(message % {"most": rules.MOST_DAYS}, field=field)


def _live_a_day(step_id: int) -> bool:
    """Move on if the present moment is done with, and live it; False when it was the last.

    What happens when: the clock is set in one transaction, its work has its own, and that all of
    it is done is noted last. So after a kill in the middle the day is lived again from its start,
    and what was done of it is done already.
    """
    with events.alone(patience_seconds=ALONE_WITHIN) as mine:
        if not mine:
            raise HouseBusy(_("Other work by the clock does not come to an end; try again."))
        clock = _move(step_id)
        if clock is None:
            return False
        try:
            ran = live_moment(clock_id=clock.pk)
        except DayFailed as failure:
            _fail(step_id, clock.now, str(failure))
            return False
        return _note(step_id, clock.now, ran)


@transaction.atomic
def _move(step_id: int) -> TestClock | None:
    """The clock at the moment to live now; None when the step is over."""
    mine = _locked(step_id)
    if not mine.is_running:
        return None
    clock = mine.clock
    if mine.lived_until == clock.now:
        theirs = Account.objects.filter(test_clock=clock.pk).order_by("time_zone")
        zones = theirs.values_list("time_zone", flat=True).distinct()
        clock.now = rules.next_stop(clock.now, begun=mine.begun_at, until=mine.until, zones=zones)
        clock.save(update_fields=["now"])
    return clock


@transaction.atomic
def _note(step_id: int, now: datetime, ran: int) -> bool:
    """A moment is lived; True when there are more."""
    mine = _locked(step_id)
    ClockStep.objects.filter(pk=step_id).update(
        lived_until=now, reactions=F("reactions") + ran, touched_at=Now()
    )
    if mine.is_running and now >= mine.until:
        mine.refresh_from_db()
        fsm.apply(mine, "finish", at=now, refusal=StepNotOpen)
    return mine.is_running


@transaction.atomic
def _fail(step_id: int, now: datetime, error: str) -> None:
    mine = _locked(step_id)
    if mine.is_running:  # else somebody stopped it meanwhile
        fsm.apply(mine, "fail", at=now, refusal=StepNotOpen, error=error.replace("\0", "")[:2000])


def _steer(clock_id: int, verb: str, actor_id: int | None) -> ClockStep:
    clock = TestClock.objects.select_for_update(no_key=True).get(pk=clock_id)
    steps = ClockStep.objects.select_for_update(of=("self",)).select_related("clock")
    under_way = steps.filter(clock=clock_id, state__in=ClockStep.OPEN).first()
    if under_way is None:
        raise StepNotOpen(_("No step of this clock is on its way."))
    fsm.apply(under_way, verb, at=clock.now, refusal=StepNotOpen, actor_id=actor_id)
    return under_way


def _locked(step_id: int) -> ClockStep:
    """The clock first, then its step, as everybody does."""
    of_step = ClockStep.objects.filter(pk=step_id).values("clock")
    clock = TestClock.objects.select_for_update(no_key=True).get(pk__in=of_step)
    mine = ClockStep.objects.select_for_update(of=("self",)).get(pk=step_id)
    mine.clock = clock
    return mine
