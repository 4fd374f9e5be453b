"""ClockStep: a test clock on its way, day by day, to a moment that somebody asked for."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from o2b.clocks.rules import days_between
from o2b.fsm import Stateful
from o2b.models import TestClock


class StepState(models.TextChoices):
    """Where a step stands."""

    RUNNING = "running", _("running")
    FAILED = "failed", _("failed")
    DONE = "done", _("done")
    STOPPED = "stopped", _("stopped")


S = StepState


class ClockStep(Stateful):
    """From one moment to a later one. The row is the truth: whoever takes it up goes on from it."""

    State = StepState
    OPEN = (S.RUNNING, S.FAILED)

    clock = models.ForeignKey(TestClock, on_delete=models.CASCADE, related_name="+")
    begun_at = models.DateTimeField(help_text=_("What the clock showed when it began."))
    until = models.DateTimeField()
    # The clock is set first and its work done then: the moment up to which all of it is done.
    lived_until = models.DateTimeField(null=True)
    reactions = models.PositiveIntegerField(default=0)
    state = FSMField(choices=State.choices, default=State.RUNNING, protected=True)
    error = models.TextField(blank=True, default="")
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    asked_at = models.DateTimeField(db_default=Now())
    touched_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["clock"],
                condition=models.Q(state__in=["running", "failed"]),
                name="one_open_step_a_clock",
            ),
            models.CheckConstraint(
                condition=models.Q(until__gt=models.F("begun_at")), name="step_goes_forward"
            ),
        ]
        indexes = [models.Index(fields=["clock", "-id"], name="step_by_clock")]

    def __str__(self) -> str:
        return f"{self.begun_at:%Y-%m-%d} → {self.until:%Y-%m-%d}"

    @property
    def is_running(self) -> bool:
        return self.state == S.RUNNING

    @property
    def is_open(self) -> bool:
        """Nothing else may move the clock meanwhile."""
        return self.state in self.OPEN

    @property
    def days(self) -> int:
        return days_between(self.begun_at, self.until)

    @property
    def days_done(self) -> int:
        return days_between(self.begun_at, self.lived_until) if self.lived_until else 0

    # The life cycle, in the order in which a step lives it.

    @transition(
        field=state, source=S.RUNNING, target=S.FAILED, custom={"event": "test_clock.step_failed"}
    )
    def fail(self, *, at: datetime, error: str) -> None:
        self.error = error

    @transition(
        field=state,
        source=[S.RUNNING, S.FAILED],
        target=S.RUNNING,
        custom={"event": "test_clock.step_went_on"},
    )
    def go_on(self, *, at: datetime) -> None:
        self.error = ""

    @transition(
        field=state,
        source=[S.RUNNING, S.FAILED],
        target=S.STOPPED,
        custom={"event": "test_clock.step_stopped"},
    )
    def stop(self, *, at: datetime) -> None:
        pass

    @transition(
        field=state, source=S.RUNNING, target=S.DONE, custom={"event": "test_clock.step_done"}
    )
    def finish(self, *, at: datetime) -> None:
        pass
