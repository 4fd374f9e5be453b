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


class Waiting(models.TextChoices):
    """Why an event cannot be counted yet."""

    UNKNOWN_SUBJECT = "unknown_subject", _("nobody has this subject on that day")
    AMBIGUOUS_SUBJECT = "ambiguous_subject", _("several services have this subject on that day")
    UNKNOWN_EVENT = "unknown_event", _("the event that it corrects is not counted yet")
    BEYOND_LIMIT = "beyond_limit", _("its pool is a hard limit and has no units left for it")
    # Found out while it waited; its id is taken, so that it waits for somebody to dismiss it.
    OTHER_ACCOUNT = "other_account", _("on that day the subject belongs to another account")
    IN_THE_FUTURE = "in_the_future", _("it lies in the future")
    ALREADY_CORRECTED = "already_corrected", _("the event is corrected already by another")
    OF_A_RETRACTION = "of_a_retraction", _("a retraction cannot be corrected")
