"""Commitment: for how long a service is agreed, what comes then, what leaving earlier costs."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from o2b.catalog.frozen import NEVER
from orders.models import OrderLine
from subscriptions.models.items import Item


class Renewal(models.TextChoices):
    """What happens when a commitment ends. Sources: Zuora (renewal terms), Salesforce Revenue."""

    SAME = "same", _("renews at the same price")
    UPLIFT = "uplift", _("renews with an uplift")
    CURRENT = "current", _("renews at the price list of that day")
    MONTHLY = "monthly", _("goes on from month to month")
    END = "end", _("ends")


class LeavingFee(models.TextChoices):
    """What ending within a commitment costs. Sources: Chargebee, Zuora (early termination)."""

    NONE = "none", _("nothing")
    REMAINING = "remaining", _("all that remains")
    PERCENT = "percent", _("a percentage of what remains")
    FIXED = "fixed", _("a fixed amount")


class Commitment(models.Model):
    """One agreed term of a service; the one with the highest number holds. Written once.

    Without `ends_on` it goes on until somebody ends it, with notice.
    """

    Renewal = Renewal
    LeavingFee = LeavingFee

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="commitments")
    number = models.PositiveSmallIntegerField()
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, help_text=_("The first day after it."))
    months = models.PositiveSmallIntegerField(null=True, help_text=_("How long a renewal is."))
    renewal = models.CharField(max_length=8, choices=Renewal.choices)
    uplift_percent = models.DecimalField(max_digits=7, decimal_places=4, default=0)
    notice_days = models.PositiveSmallIntegerField(default=0)
    leaving_fee = models.CharField(
        max_length=9, choices=LeavingFee.choices, default=LeavingFee.NONE
    )
    leaving_value = models.DecimalField(
        max_digits=19, decimal_places=4, default=0, help_text=_("Percent, or an amount.")
    )
    order_line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["item", "number"]
        constraints = [
            models.UniqueConstraint(fields=["item", "number"], name="one_commitment_a_number"),
            models.CheckConstraint(
                condition=models.Q(ends_on__isnull=True)
                | models.Q(ends_on__gt=models.F("starts_on")),
                name="a_commitment_ends_after_it_starts",
            ),
        ]
        indexes = [
            models.Index(
                fields=["ends_on"],
                name="commitment_by_end",
                condition=models.Q(ends_on__isnull=False),
            ),
        ]
        triggers = NEVER

    def __str__(self) -> str:
        return f"{self.item_id}: {self.starts_on} to {self.ends_on or '…'}"
