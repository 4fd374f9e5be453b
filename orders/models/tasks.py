"""Task, one step of a line's plan; the queues where people take them; the evidence they leave."""

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from o2b.catalog.frozen import NEVER
from o2b.catalog.models import ProductVersion
from o2b.customers.models import Account
from o2b.fields import QuantityField
from o2b.fsm import Stateful
from orders.models.orders import Order, OrderLine


class Queue(models.Model):
    """Where manual work of one kind waits."""

    code = models.SlugField(unique=True)
    name = models.CharField(max_length=100)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class QueueMember(models.Model):
    """Who works in a queue."""

    queue = models.ForeignKey(Queue, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["queue", "user"], name="one_membership")]

    def __str__(self) -> str:
        return f"{self.user} in {self.queue}"


class TaskState(models.TextChoices):
    """Where a task stands."""

    BLOCKED = "blocked", _("blocked")
    READY = "ready", _("ready")
    CLAIMED = "claimed", _("claimed")
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")
    FALLOUT = "fallout", _("fallout")
    SKIPPED = "skipped", _("skipped")
    CANCELLED = "cancelled", _("cancelled")
    COMPENSATING = "compensating", _("compensating")
    COMPENSATED = "compensated", _("compensated")


T = TaskState


class Task(Stateful):
    """One step: ready when nothing that it waits on is left (`waiting_on` = 0)."""

    State = TaskState

    class Kind(models.TextChoices):
        MANUAL = "manual", _("by hand")
        AUTOMATIC = "automatic", _("automatic")

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="tasks")
    line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="tasks")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    key = models.SlugField(max_length=60)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    queue = models.ForeignKey(Queue, null=True, on_delete=models.PROTECT, related_name="tasks")
    handler = models.CharField(max_length=60, blank=True, default="")
    parameters = models.JSONField(default=dict)
    wants = models.JSONField(default=list, help_text=_("Evidence fields that completion asks for."))
    after = ArrayField(models.SlugField(max_length=60), default=list)
    waiting_on = models.PositiveSmallIntegerField(default=0)
    minutes = models.PositiveIntegerField(default=0, help_text=_("Estimated minutes of work."))
    state = FSMField(choices=State.choices, default=State.BLOCKED, protected=True)
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True, help_text=_("Not before this moment (back-off)."))
    leased_until = models.DateTimeField(null=True)
    ready_at = models.DateTimeField(null=True)
    claimed_at = models.DateTimeField(null=True)
    began_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    worker = models.CharField(
        max_length=120, blank=True, default="", help_text=_("host:pid of the process that ran it.")
    )
    failure = models.TextField(blank=True, default="")
    request = models.JSONField(null=True, help_text=_("What was last asked of the outside."))
    response = models.JSONField(null=True, help_text=_("What the outside last answered."))

    class Meta:
        ordering = ["order", "line", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["line", "key"], name="one_task_a_key"),
        ]
        indexes = [
            models.Index(
                fields=["queue", "id"],
                name="task_to_claim",
                condition=models.Q(kind="manual", state="ready"),
            ),
            models.Index(
                fields=["order", "id"],
                name="task_to_run",
                condition=models.Q(kind="automatic", state__in=["ready", "running", "failed"]),
            ),
            models.Index(
                fields=["id"], name="task_in_fallout", condition=models.Q(state="fallout")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.line_id}/{self.key})"

    @transition(
        field=state,
        source=T.BLOCKED,
        target=T.READY,
        custom={"event": "task.ready", "stamp": "ready_at"},
    )
    def make_ready(self, *, at: datetime) -> None:
        self.ready_at = at

    @transition(
        field=state,
        source=T.READY,
        target=T.CLAIMED,
        custom={"event": "task.claimed", "stamp": "claimed_at"},
    )
    def claim(self, *, at: datetime, by: int) -> None:
        self.claimed_at, self.claimed_by_id = at, by

    @transition(field=state, source=T.CLAIMED, target=T.READY, custom={"event": "task.released"})
    def release(self, *, at: datetime) -> None:
        self.claimed_at, self.claimed_by_id = None, None

    @transition(field=state, source=T.READY, target=T.RUNNING, custom={"stamp": "began_at"})
    def run(self, *, at: datetime) -> None:
        self.began_at = at

    @transition(
        field=state,
        source=[T.CLAIMED, T.RUNNING],
        target=T.DONE,
        custom={"event": "task.done", "stamp": "done_at"},
    )
    def finish(self, *, at: datetime) -> None:
        self.done_at = at

    @transition(
        field=state,
        source=[T.CLAIMED, T.RUNNING],
        target=T.FAILED,
        custom={"event": "task.failed"},
    )
    def fail(self, *, at: datetime, reason: str) -> None:
        self.failure = reason

    @transition(
        field=state,
        source=[T.FAILED, T.FALLOUT],
        target=T.READY,
        custom={"event": "task.retried", "stamp": "ready_at"},
    )
    def retry(self, *, at: datetime) -> None:
        self.ready_at, self.failure = at, ""
        self.claimed_by_id = None

    @transition(field=state, source=T.FAILED, target=T.FALLOUT, custom={"event": "task.fell_out"})
    def fall_out(self, *, at: datetime) -> None:
        pass

    @transition(
        field=state,
        source=[T.BLOCKED, T.READY, T.CLAIMED, T.FAILED, T.FALLOUT],
        target=T.CANCELLED,
        custom={"event": "task.cancelled"},
    )
    def cancel(self, *, at: datetime) -> None:
        pass

    @transition(
        field=state,
        source=[T.READY, T.FAILED, T.FALLOUT],
        target=T.SKIPPED,
        custom={"event": "task.skipped"},
    )
    def skip(self, *, at: datetime, reason: str) -> None:
        self.failure = reason

    @transition(field=state, source=T.DONE, target=T.COMPENSATING)
    def compensate(self, *, at: datetime) -> None:
        pass

    @transition(field=state, source=T.COMPENSATING, target=T.COMPENSATED)
    def compensated(self, *, at: datetime) -> None:
        pass


class Evidence(models.Model):
    """A fact of delivery: which version, which serial, how many, said by whom; never updated."""

    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="evidence")
    line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="evidence")
    product_version = models.ForeignKey(ProductVersion, on_delete=models.PROTECT, related_name="+")
    quantity = QuantityField()
    serial = models.CharField(max_length=120, blank=True, default="")
    data = models.JSONField(default=dict)
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["pk"]
        verbose_name_plural = "evidence"
        triggers = NEVER
        indexes = [models.Index(fields=["serial"], name="evidence_by_serial")]

    def __str__(self) -> str:
        return f"{self.product_version} {self.serial}".strip()
