"""Amounts that belong to a document and to no charge's price: discounts and true-ups."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from billing.models.charges import Charge
from billing.models.frozen import ADJUSTS
from billing.models.invoices import Invoice
from o2b.catalog.frozen import NEVER
from o2b.fields import AmountField


class AdjustmentKind(models.TextChoices):
    """What a document is adjusted by; `source_id` is the key of the grant or the minimum."""

    COUPON = "coupon", _("discount")
    MINIMUM = "minimum", _("minimum")


class DraftAdjustment(models.Model):
    """An adjustment to be."""

    run_id = models.BigIntegerField()
    shard_id = models.BigIntegerField()
    account_id = models.BigIntegerField()
    invoice_id = models.BigIntegerField()
    position = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=AdjustmentKind.choices)
    source_id = models.BigIntegerField()
    charge_id = models.BigIntegerField(null=True)
    period_start = models.DateField()
    period_end = models.DateField()
    revision = models.PositiveSmallIntegerField()
    amount = AmountField()
    tax_code = models.CharField(max_length=50, blank=True, default="")
    tax_rate = models.DecimalField(max_digits=9, decimal_places=6, default=0)
    tax = AmountField(default=0)
    text = models.CharField(max_length=250)
    basis = models.JSONField()

    class Meta:
        ordering = ["shard_id", "account_id", "position"]
        indexes = [
            models.Index(fields=["shard_id", "account_id"], name="draft_adjustment_by_shard")
        ]

    def __str__(self) -> str:
        return f"draft of {self.kind} {self.source_id}"


class InvoiceAdjustment(models.Model):
    """What a coupon takes off a charge's period, or what a minimum asks for beyond what was billed.

    Revision n gives the target as it is now less all that revisions before it gave. `amount` has
    its sign: a discount is below zero. It is written before the lines of its document.
    """

    Kind = AdjustmentKind

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="adjustments")
    position = models.PositiveIntegerField()
    account_id = models.BigIntegerField()
    kind = models.CharField(max_length=10, choices=AdjustmentKind.choices)
    source_id = models.BigIntegerField()
    charge = models.ForeignKey(
        Charge, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    period_start = models.DateField()
    period_end = models.DateField()
    revision = models.PositiveSmallIntegerField()
    amount = AmountField(help_text="Net.")
    tax_code = models.CharField(max_length=50, blank=True, default="")
    tax_rate = models.DecimalField(max_digits=9, decimal_places=6, default=0)
    tax = AmountField(default=0)
    text = models.CharField(max_length=250)
    basis = models.JSONField(
        help_text="What it was computed from beyond its source; see billing.adjustments.rules."
    )

    class Meta:
        ordering = ["invoice", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "source_id", "charge", "period_start", "revision"],
                nulls_distinct=False,
                name="no_adjustment_given_twice",
            ),
            models.CheckConstraint(
                condition=models.Q(kind="coupon", charge__isnull=False)
                | models.Q(kind="minimum", charge=None),
                name="a_coupon_reduces_a_charge",
            ),
        ]
        indexes = [models.Index(fields=["account_id"], name="adjustment_by_account")]
        triggers = [*NEVER, ADJUSTS]

    def __str__(self) -> str:
        return f"{self.invoice_id}/{self.kind} {self.position}"
