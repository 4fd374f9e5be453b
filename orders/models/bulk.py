"""Orders that came together in one sheet: the sheet, and what became of each of its rows."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from orders.models.orders import Order


class BulkOrder(models.Model):
    """One sheet of orders: tried (a dry run) or placed; its bytes are known by their digest."""

    file_name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    is_dry_run = models.BooleanField(default=False)
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    rows = models.PositiveIntegerField(default=0)
    lines_placed = models.PositiveIntegerField(default=0)
    orders_placed = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["sha256"],
                name="a_sheet_is_placed_once",
                condition=models.Q(is_dry_run=False),
            )
        ]

    def __str__(self) -> str:
        return self.file_name

    def get_absolute_url(self) -> str:
        return reverse("orders:bulk", args=[self.pk])

    @property
    def looked_at(self) -> int:
        """How many of its rows are done with."""
        return self.lines_placed + self.rejected

    @property
    def is_over(self) -> bool:
        return self.looked_at >= self.rows


class Outcome(models.TextChoices):
    """What became of a row."""

    WAITING = "waiting", _("not looked at yet")
    FIT = "fit", _("can be ordered")
    PLACED = "placed", _("ordered")
    REFUSED = "refused", _("refused")


class BulkRow(models.Model):
    """What became of one row of a sheet: an order's line, or why not."""

    Outcome = Outcome

    bulk = models.ForeignKey(BulkOrder, on_delete=models.CASCADE, related_name="results")
    number = models.PositiveIntegerField(help_text=_("As the sheet counts: the header is 1."))
    key = models.CharField(
        max_length=100,
        blank=True,
        default="",
        help_text=_("The order's reference in the sheet; rows with the same one are one order."),
    )
    told = ArrayField(
        models.TextField(), default=list, help_text=_("What stands in its cells: column=text.")
    )
    outcome = models.CharField(max_length=8, choices=Outcome.choices, default=Outcome.WAITING)
    order = models.ForeignKey(Order, null=True, on_delete=models.PROTECT, related_name="+")
    field = models.CharField(max_length=60, blank=True, default="")
    problem = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["bulk", "number"]
        constraints = [
            models.UniqueConstraint(fields=["bulk", "number"], name="one_result_a_row"),
        ]
        indexes = [
            models.Index(fields=["bulk", "outcome", "number"], name="bulk_row_by_outcome"),
            models.Index(
                fields=["key"],
                name="bulk_row_ordered",
                condition=models.Q(outcome="placed") & ~models.Q(key=""),
            ),
        ]

    def __str__(self) -> str:
        return f"row {self.number}: {self.problem or self.order}"
