"""Task, one step of a line's plan, with its life cycle, its times and its price."""

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from o2b.customers.models import Account
from o2b.fields import AmountField
from o2b.fsm import Stateful
from orders.models.lines import OrderLine
from orders.models.orders import Order
from orders.models.queues import Queue
from orders.models.words import FailureClass, Jeopardy, TaskState, WaitsFor

T = TaskState
# Waits that touch nothing outside: a cancelled line need not see them through.
HARMLESS = frozenset(
    {
        WaitsFor.DATE,
        WaitsFor.EVENT,
        WaitsFor.PAYMENT,
        WaitsFor.CREDIT,
        WaitsFor.APPROVAL,
        WaitsFor.APPOINTMENT,
        WaitsFor.CUSTOMER,
    }
)


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
    component = models.SlugField(max_length=60, blank=True, default="")
    skills = ArrayField(models.SlugField(max_length=40), default=list)
    wants = models.JSONField(default=list, help_text=_("Evidence fields that completion asks for."))
    checklist = models.JSONField(default=list, help_text=_("What is to be ticked off, as texts."))
    ticked = ArrayField(models.PositiveSmallIntegerField(), default=list)
    after = ArrayField(
        models.BigIntegerField(), default=list, help_text=_("Tasks of the order that come first.")
    )
    waiting_on = models.PositiveSmallIntegerField(default=0)
    minutes = models.PositiveIntegerField(default=0, help_text=_("Planned minutes of work."))
    estimate = models.PositiveIntegerField(
        default=0, help_text=_("Working minutes that it usually takes until it is done.")
    )
    maximum = models.PositiveIntegerField(
        default=0, help_text=_("Working minutes after which it is late; 0: never.")
    )
    planned_cost = AmountField(default=0)
    costing = models.JSONField(
        default=dict, help_text=_("Hourly rate, equipment and vendor, as planned.")
    )
    weight = models.DecimalField(
        max_digits=8, decimal_places=3, default=0, help_text=_("Its share of what is delivered.")
    )
    point_of_no_return = models.BooleanField(default=False)
    compensation = models.JSONField(
        null=True, help_text=_("The step that undoes it, as its plan has it, if one does.")
    )
    compensates = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="undone_by"
    )
    state = FSMField(choices=State.choices, default=State.BLOCKED, protected=True)
    waits_for = models.CharField(
        max_length=12,
        choices=WaitsFor.choices,
        blank=True,
        default="",
        help_text=_("What a running task waits for, while no worker holds it."),
    )
    resume_at = models.DateTimeField(
        null=True, help_text=_("When the wait is over, by the account's clock.")
    )
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    priority = models.SmallIntegerField(default=0, help_text=_("Its order's; the highest first."))
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
    failure_class = models.CharField(
        max_length=12, choices=FailureClass.choices, blank=True, default=""
    )
    system = models.SlugField(
        max_length=60, blank=True, default="", help_text=_("The outside system that it asks.")
    )
    jeopardy = models.CharField(max_length=6, choices=Jeopardy.choices, default=Jeopardy.GREEN)
    amber_at = models.DateTimeField(null=True, help_text=_("By the account's clock."))
    red_at = models.DateTimeField(null=True, help_text=_("By the account's clock."))
    jeopardy_since = models.DateTimeField(null=True)
    request = models.JSONField(null=True, help_text=_("What was last asked of the outside."))
    response = models.JSONField(null=True, help_text=_("What the outside last answered."))

    class Meta:
        ordering = ["order", "line", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["line", "key"], name="one_task_a_key"),
        ]
        indexes = [
            models.Index(
                fields=["queue", "-priority", "id"],
                name="task_to_claim",
                condition=models.Q(kind="manual", state="ready"),
            ),
            models.Index(
                fields=["claimed_by", "id"],
                name="task_claimed",
                condition=models.Q(state="claimed"),
            ),
            models.Index(
                fields=["resume_at"],
                name="task_to_resume",
                condition=models.Q(state="running") & ~models.Q(waits_for=""),
            ),
            models.Index(
                fields=["amber_at", "red_at"],
                name="task_in_time",
                condition=models.Q(amber_at__isnull=False)
                & models.Q(state__in=["ready", "claimed", "running", "failed", "fallout"]),
            ),
            models.Index(
                fields=["order", "id"],
                name="task_to_run",
                condition=models.Q(kind="automatic", state__in=["ready", "running", "failed"]),
            ),
            models.Index(
                fields=["id"], name="task_in_fallout", condition=models.Q(state="fallout")
            ),
            models.Index(
                fields=["system"],
                name="task_of_system",
                condition=models.Q(state__in=["ready", "running"]) & ~models.Q(system=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.line_id}/{self.key})"

    @property
    def component_name(self) -> str:
        """What the part that it makes is called on its line."""
        names = {part["key"]: part["name"] for part in self.line.components}
        return str(names.get(self.component, self.component))

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
        source=[T.BLOCKED, T.READY, T.CLAIMED, T.RUNNING, T.FAILED, T.FALLOUT],
        target=T.CANCELLED,
        custom={"event": "task.cancelled"},
    )
    def cancel(self, *, at: datetime) -> None:
        """A running one only while it waits for nothing that the outside does (`HARMLESS`)."""

    @transition(
        field=state,
        source=[T.READY, T.CLAIMED, T.FAILED, T.FALLOUT],
        target=T.SKIPPED,
        custom={"event": "task.skipped", "stamp": "done_at"},
    )
    def skip(self, *, at: datetime, reason: str) -> None:
        self.done_at, self.failure = at, reason

    @transition(
        field=state, source=T.FALLOUT, target=T.CLAIMED, custom={"event": "task.taken_by_hand"}
    )
    def take_by_hand(self, *, at: datetime, by: int) -> None:
        self.claimed_at, self.claimed_by_id = at, by

    @transition(
        field=state,
        source=T.DONE,
        target=T.COMPENSATING,
        custom={"event": "task.compensating"},
    )
    def compensate(self, *, at: datetime) -> None:
        pass

    @transition(
        field=state,
        source=T.COMPENSATING,
        target=T.COMPENSATED,
        custom={"event": "task.compensated"},
    )
    def compensated(self, *, at: datetime) -> None:
        pass
