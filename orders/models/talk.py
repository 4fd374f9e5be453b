"""What people say and decide about work: comments, files, approvals."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from o2b.catalog.frozen import NEVER
from o2b.catalog.models import ProductVersion
from o2b.customers.models import Account
from o2b.fsm import Stateful
from orders.models.lines import OrderLine
from orders.models.orders import Order
from orders.models.tasks import Task


class Comment(models.Model):
    """What somebody wrote beside a task or an order; never updated."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="comments")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    task = models.ForeignKey(Task, null=True, on_delete=models.PROTECT, related_name="comments")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    mentions = models.JSONField(default=list, help_text=_("Keys of the people named with @."))
    at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["pk"]
        triggers = NEVER

    def __str__(self) -> str:
        return self.text[:60]


class TaskFile(models.Model):
    """A file kept as evidence: a photo, a measurement, a signed form; never changed."""

    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="files")
    name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    body = models.BinaryField()
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["pk"]
        triggers = NEVER

    def __str__(self) -> str:
        return self.name


class ApprovalState(models.TextChoices):
    """Where a question to somebody else stands."""

    ASKED = "asked", _("asked")
    GRANTED = "granted", _("granted")
    REFUSED = "refused", _("refused")
    WITHDRAWN = "withdrawn", _("withdrawn")


class Approval(Stateful):
    """A step that a second person must allow: skip a task, deliver another version, go on."""

    State = ApprovalState

    class Kind(models.TextChoices):
        SKIP = "skip", _("skip a task")
        SUBSTITUTION = "substitution", _("deliver another version")
        STEP = "step", _("a step of the plan")

    kind = models.CharField(max_length=12, choices=Kind.choices)
    line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="approvals")
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="+")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    task = models.ForeignKey(Task, null=True, on_delete=models.PROTECT, related_name="approvals")
    to_version = models.ForeignKey(
        ProductVersion, null=True, on_delete=models.PROTECT, related_name="+"
    )
    reason = models.TextField()
    state = FSMField(choices=State.choices, default=State.ASKED, protected=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    asked_at = models.DateTimeField()
    of_whom = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("Who is asked; empty: whoever may approve work."),
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    answer = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["task", "kind"],
                name="one_open_question_a_task",
                condition=models.Q(state="asked", task__isnull=False),
            ),
            models.CheckConstraint(
                condition=models.Q(decided_by=None)
                | models.Q(asked_by=None)
                | ~models.Q(decided_by=models.F("asked_by")),
                name="a_second_person_decides",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.get_state_display()})"

    @transition(
        field=state,
        source=ApprovalState.ASKED,
        target=ApprovalState.GRANTED,
        custom={"event": "approval.granted", "stamp": "decided_at"},
    )
    def grant(self, *, at: datetime, by: int, answer: str = "") -> None:
        self.decided_at, self.decided_by_id, self.answer = at, by, answer

    @transition(
        field=state,
        source=ApprovalState.ASKED,
        target=ApprovalState.REFUSED,
        custom={"event": "approval.refused", "stamp": "decided_at"},
    )
    def refuse(self, *, at: datetime, by: int, answer: str = "") -> None:
        self.decided_at, self.decided_by_id, self.answer = at, by, answer

    @transition(
        field=state,
        source=ApprovalState.ASKED,
        target=ApprovalState.WITHDRAWN,
        custom={"event": "approval.withdrawn", "stamp": "decided_at"},
    )
    def withdraw(self, *, at: datetime) -> None:
        self.decided_at = at
