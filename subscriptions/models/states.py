"""Whether a service is in use: the life cycle that subscriptions and their items share."""

from datetime import date, datetime

from django.db import models
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from o2b.fsm import Stateful


class ServiceState(models.TextChoices):
    """Whether a service is in use."""

    PENDING = "pending", _("pending")
    ACTIVE = "active", _("active")
    SUSPENDED = "suspended", _("suspended")
    ENDED = "ended", _("ended")


class InService(Stateful):
    """The life cycle that a subscription and its items share."""

    State = ServiceState

    state = FSMField(choices=State.choices, default=State.PENDING, protected=True)
    started_on = models.DateField(null=True)
    ended_on = models.DateField(null=True, help_text=_("First day out of service."))

    class Meta:
        abstract = True

    @transition(field=state, source=State.PENDING, target=State.ACTIVE)
    def activate(self, *, at: datetime, on: date) -> None:
        self.started_on = on

    @transition(field=state, source=State.ACTIVE, target=State.SUSPENDED)
    def suspend(self, *, at: datetime) -> None:
        pass

    @transition(field=state, source=State.SUSPENDED, target=State.ACTIVE)
    def resume(self, *, at: datetime) -> None:
        pass

    @transition(
        field=state, source=[State.PENDING, State.ACTIVE, State.SUSPENDED], target=State.ENDED
    )
    def end(self, *, at: datetime, on: date) -> None:
        self.ended_on = on
