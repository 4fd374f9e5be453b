"""Visits at the customer's, arranged for one task each."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from o2b.customers.models import Account
from o2b.fsm import Stateful
from orders.models.lines import OrderLine
from orders.models.queues import Queue
from orders.models.tasks import Task


class AppointmentState(models.TextChoices):
    """Where a visit stands."""

    WANTED = "wanted", _("to be arranged")
    ARRANGED = "arranged", _("arranged")
    KEPT = "kept", _("kept")
    MISSED = "missed", _("missed")
    CANCELLED = "cancelled", _("cancelled")


class Appointment(Stateful):
    """A time at which somebody comes to the customer, for one task."""

    State = AppointmentState

    task = models.OneToOneField(Task, on_delete=models.PROTECT, related_name="appointment")
    line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="+")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    queue = models.ForeignKey(Queue, null=True, on_delete=models.PROTECT, related_name="+")
    minutes = models.PositiveIntegerField(default=60)
    begins_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    with_whom = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("Who of us goes there."),
    )
    place = models.TextField(blank=True, default="")
    note = models.TextField(blank=True, default="")
    state = FSMField(choices=State.choices, default=State.WANTED, protected=True)

    class Meta:
        ordering = ["begins_at", "pk"]
        indexes = [models.Index(fields=["begins_at"], name="appointment_by_time")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(begins_at=None, ends_at=None)
                | models.Q(ends_at__gt=models.F("begins_at")),
                name="an_appointment_ends_after_it_begins",
            )
        ]

    def __str__(self) -> str:
        return f"{self.line_id}: {self.begins_at or self.get_state_display()}"

    def get_absolute_url(self) -> str:
        return reverse("orders:visit", args=[self.pk])

    @property
    def order_id(self) -> int:
        return self.line.order_id

    @transition(
        field=state,
        source=[AppointmentState.WANTED, AppointmentState.ARRANGED, AppointmentState.MISSED],
        target=AppointmentState.ARRANGED,
        custom={"event": "appointment.arranged"},
    )
    def arrange(self, *, at: datetime) -> None:
        pass

    @transition(
        field=state,
        source=AppointmentState.ARRANGED,
        target=AppointmentState.KEPT,
        custom={"event": "appointment.kept"},
    )
    def keep(self, *, at: datetime) -> None:
        pass

    @transition(
        field=state,
        source=AppointmentState.ARRANGED,
        target=AppointmentState.MISSED,
        custom={"event": "appointment.missed"},
    )
    def miss(self, *, at: datetime) -> None:
        pass

    @transition(
        field=state,
        source=[AppointmentState.WANTED, AppointmentState.ARRANGED, AppointmentState.MISSED],
        target=AppointmentState.CANCELLED,
        custom={"event": "appointment.cancelled"},
    )
    def cancel(self, *, at: datetime) -> None:
        pass
