"""MinimumSpend: what an account promised to be billed at least, period by period."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from billing.models.coupons import ENDED, Every, ended_only
from o2b.customers.models import Account
from o2b.fields import AmountField


class Counted(models.TextChoices):
    """Where its periods begin."""

    CALENDAR = "calendar", _("with the calendar’s month, quarter or year")
    START = "start", _("from its first day on")


class MinimumSpend(models.Model):
    """At least so much for each period of so many `months`; what is missing is a line of its own.

    `prorated`: of a period that it holds in part, the minimum is the share of its days.
    """

    Counted = Counted

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    text = models.CharField(max_length=120, help_text=_("As the customer reads it on the bill."))
    minimum = AmountField()
    currency = models.CharField(max_length=3)
    months = models.PositiveSmallIntegerField(choices=Every.choices)
    counted = models.CharField(max_length=8, choices=Counted.choices)
    prorated = models.BooleanField()
    tax_code = models.CharField(max_length=50, blank=True, default="")
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, help_text=_("First day outside."))
    reason = models.CharField(max_length=250)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    made_at = models.DateTimeField()
    end_reason = models.CharField(max_length=250, blank=True, default="")
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["account", "pk"]
        permissions = [("set_minimum", "Can set what an account is billed at least")]
        constraints = [
            models.CheckConstraint(condition=Q(minimum__gt=0), name="minimum_spend_above_zero"),
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
                name="minimum_spend_ends_after_it_starts",
            ),
        ]
        triggers = ended_only(*ENDED)

    def __str__(self) -> str:
        return f"MC-{self.pk}"
