"""What work leaves behind, never updated: evidence, parts delivered, cost, and each attempt."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from o2b.catalog.frozen import NEVER
from o2b.catalog.models import ProductVersion
from o2b.fields import AmountField, QuantityField
from orders.models.lines import OrderLine
from orders.models.tasks import Task
from orders.models.words import FailureClass


class Evidence(models.Model):
    """A fact of delivery: which version, which serials, how many, said by whom."""

    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="evidence")
    line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="evidence")
    product_version = models.ForeignKey(ProductVersion, on_delete=models.PROTECT, related_name="+")
    quantity = QuantityField()
    serial = models.CharField(max_length=120, blank=True, default="")
    serials = ArrayField(
        models.CharField(max_length=120),
        default=list,
        help_text=_("Each piece of equipment, where there are several."),
    )
    is_part = models.BooleanField(
        default=False, help_text=_("Delivered in parts: all parts of a task count together.")
    )
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


class DeliveredPart(models.Model):
    """From this day on so much of a line is delivered: the sum so far, 0 to 1."""

    line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="delivered_parts")
    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="+")
    fraction = models.DecimalField(max_digits=9, decimal_places=8)
    on = models.DateField(help_text=_("The account's own day."))
    at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["pk"]
        triggers = NEVER
        constraints = [
            models.CheckConstraint(
                condition=models.Q(fraction__gte=0, fraction__lte=1),
                name="a_part_is_no_more_than_all",
            )
        ]

    def __str__(self) -> str:
        return f"{self.line}: {self.fraction} on {self.on}"


class TaskCost(models.Model):
    """What a task has cost us: minutes at a rate, a purchase, a piece of equipment."""

    class Kind(models.TextChoices):
        LABOUR = "labour", _("labour")
        PURCHASE = "purchase", _("purchase")
        EQUIPMENT = "equipment", _("equipment")

    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="costs")
    line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="costs")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    amount = AmountField()
    currency = models.CharField(max_length=3)
    minutes = models.PositiveIntegerField(default=0)
    note = models.CharField(max_length=200, blank=True, default="")
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["pk"]
        triggers = NEVER

    def __str__(self) -> str:
        return f"{self.task_id}: {self.kind} {self.amount} {self.currency}"


class Attempt(models.Model):
    """One try at an automatic task: who, when, what was asked and answered, how it ended."""

    class Outcome(models.TextChoices):
        DONE = "done", _("done")
        WAITING = "waiting", _("waits for an answer")
        AGAIN = "again", _("to be tried again")
        FAILED = "failed", _("failed")

    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="tries")
    number = models.PositiveSmallIntegerField()
    worker = models.CharField(max_length=120, blank=True, default="")
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    failure_class = models.CharField(
        max_length=12, choices=FailureClass.choices, blank=True, default=""
    )
    reason = models.TextField(blank=True, default="")
    request = models.JSONField(null=True)
    response = models.JSONField(null=True)
    at = models.DateTimeField(help_text=_("By the account's clock."))
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["pk"]
        triggers = NEVER

    def __str__(self) -> str:
        return f"{self.task_id}: attempt {self.number}, {self.outcome}"
