"""Licence keys: free in a pool or made at once, given to one task, revoked with its line."""

from datetime import datetime

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from o2b.fsm import Stateful
from orders.models.lines import OrderLine
from orders.models.tasks import Task


class LicencePool(models.Model):
    """Keys bought beforehand; plans name the pool."""

    code = models.SlugField(unique=True)
    name = models.CharField(max_length=100)
    warn_below = models.PositiveIntegerField(default=0, help_text=_("Tell when fewer are left."))
    warned_at = models.DateTimeField(
        null=True, editable=False, help_text=_("Told already; forgotten when keys are added.")
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("orders:licence-pool", args=[self.pk])


class LicenceState(models.TextChoices):
    """Where a key stands."""

    FREE = "free", _("free")
    ISSUED = "issued", _("issued")
    REVOKED = "revoked", _("revoked")


class LicenceKey(Stateful):
    """One key: free in a pool or made at once, given to one task, revoked when its line ends."""

    State = LicenceState

    pool = models.ForeignKey(LicencePool, null=True, on_delete=models.PROTECT, related_name="keys")
    key = models.CharField(max_length=120, unique=True)
    state = FSMField(choices=State.choices, default=State.FREE, protected=True)
    task = models.ForeignKey(Task, null=True, on_delete=models.PROTECT, related_name="licences")
    number = models.PositiveIntegerField(
        default=1, help_text=_("Which of the task's keys, where each unit gets its own.")
    )
    line = models.ForeignKey(OrderLine, null=True, on_delete=models.PROTECT, related_name="+")
    issued_at = models.DateTimeField(null=True)
    shown_at = models.DateTimeField(null=True, help_text=_("It is shown once."))
    mailed_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(
                fields=["pool", "id"], name="licence_free", condition=models.Q(state="free")
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="free", task=None) | ~models.Q(state="free"),
                name="a_free_key_is_nobodys",
            ),
            models.UniqueConstraint(fields=["task", "number"], name="a_task_is_given_a_key_once"),
        ]

    def __str__(self) -> str:
        return f"…{self.key[len(self.key) - min(5, len(self.key) // 4) :]}"

    @property
    def order_id(self) -> int | None:
        return self.line.order_id if self.line else None

    @property
    def account_id(self) -> int | None:
        return self.line.account_id if self.line else None

    @transition(
        field=state,
        source=LicenceState.FREE,
        target=LicenceState.ISSUED,
        custom={"event": "licence.issued", "stamp": "issued_at"},
    )
    def issue(self, *, at: datetime) -> None:
        self.issued_at = at

    @transition(
        field=state,
        source=LicenceState.ISSUED,
        target=LicenceState.REVOKED,
        custom={"event": "licence.revoked", "stamp": "revoked_at"},
    )
    def revoke(self, *, at: datetime) -> None:
        self.revoked_at = at
