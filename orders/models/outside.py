"""Outside systems, each with its circuit breaker."""

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from o2b.fsm import Stateful


class SystemState(models.TextChoices):
    """Whether an outside system is asked: closed as a circuit is when current flows."""

    CLOSED = "closed", _("asked")
    OPEN = "open", _("not asked")
    HALF_OPEN = "half_open", _("on trial")


class OutsideSystem(Stateful):
    """One system out there and its circuit breaker; while it is open, tasks that need it wait."""

    State = SystemState

    code = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=100)
    state = FSMField(choices=State.choices, default=State.CLOSED, protected=True)
    failures = models.PositiveIntegerField(default=0, help_text=_("In a row."))
    threshold = models.PositiveSmallIntegerField(
        default=5, help_text=_("So many failures in a row open the circuit.")
    )
    cool_down = models.PositiveIntegerField(
        default=60, help_text=_("Seconds until one task tries again.")
    )
    opened_at = models.DateTimeField(null=True)
    retry_at = models.DateTimeField(null=True, help_text=_("By the machine's clock."))
    last_error = models.TextField(blank=True, default="")
    by_hand = models.BooleanField(
        default=False, help_text=_("Opened by a person: it stays open until a person closes it.")
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @transition(
        field=state,
        source=[SystemState.CLOSED, SystemState.HALF_OPEN],
        target=SystemState.OPEN,
        custom={"event": "system.opened", "stamp": "opened_at"},
    )
    def trip(self, *, at: datetime) -> None:
        self.opened_at = at

    @transition(
        field=state,
        source=SystemState.OPEN,
        target=SystemState.HALF_OPEN,
        custom={"event": "system.tried"},
    )
    def try_again(self, *, at: datetime) -> None:
        pass

    @transition(
        field=state,
        source=[SystemState.OPEN, SystemState.HALF_OPEN],
        target=SystemState.CLOSED,
        custom={"event": "system.closed"},
    )
    def recover(self, *, at: datetime) -> None:
        self.failures, self.opened_at, self.retry_at = 0, None, None
        self.by_hand = False
