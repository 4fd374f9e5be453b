"""What customers ask and complain about on the way, and who answers: the advocate first."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from o2b.customers.models import Account
from o2b.fsm import Stateful
from orders.models.lines import OrderLine
from orders.models.orders import Order


class Question(models.Model):
    """What the customer asks on the tracking page, and what the advocate answered."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="questions")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=120)
    text = models.TextField()
    asked_at = models.DateTimeField()
    answer = models.TextField(blank=True, default="")
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(
                fields=["account", "id"],
                name="question_open",
                condition=models.Q(answered_at=None),
            )
        ]

    def __str__(self) -> str:
        return self.text[:60]


class ComplaintState(models.TextChoices):
    """Where a complaint stands."""

    OPEN = "open", _("open")
    IN_HAND = "in_hand", _("in hand")
    RESOLVED = "resolved", _("resolved")


class Complaint(Stateful):
    """Something is not as it was promised, says the customer: a line, an owner, a clock, an end."""

    State = ComplaintState

    class Source(models.TextChoices):
        TRACKING = "tracking", _("tracking page")
        INVOICE = "invoice", _("invoice")
        STAFF = "staff", _("taken down by us")

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="complaints")
    line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="complaints")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    source = models.CharField(max_length=8, choices=Source.choices)
    about = models.CharField(
        max_length=80, blank=True, default="", help_text=_("The invoice's number, for example.")
    )
    name = models.CharField(max_length=120, blank=True, default="")
    text = models.TextField()
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField(help_text=_("By when it is answered, by the account's clock."))
    warned_at = models.DateTimeField(null=True)
    state = FSMField(choices=State.choices, default=State.OPEN, protected=True)
    resolution = models.TextField(blank=True, default="")
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(
                fields=["due_at"], name="complaint_due", condition=~models.Q(state="resolved")
            )
        ]

    def __str__(self) -> str:
        return f"{self.line}: {self.text[:60]}"

    @transition(
        field=state,
        source=ComplaintState.OPEN,
        target=ComplaintState.IN_HAND,
        custom={"event": "complaint.taken"},
    )
    def take(self, *, at: datetime) -> None:
        pass

    @transition(
        field=state,
        source=[ComplaintState.OPEN, ComplaintState.IN_HAND],
        target=ComplaintState.RESOLVED,
        custom={"event": "complaint.resolved", "stamp": "resolved_at"},
    )
    def resolve(self, *, at: datetime, by: int, resolution: str) -> None:
        self.resolved_at, self.resolved_by_id, self.resolution = at, by, resolution

    @transition(
        field=state,
        source=ComplaintState.RESOLVED,
        target=ComplaintState.OPEN,
        custom={"event": "complaint.reopened"},
    )
    def reopen(self, *, at: datetime) -> None:
        self.resolved_at, self.resolved_by_id, self.resolution = None, None, ""
