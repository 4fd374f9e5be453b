"""Staging: what a run will write if it is approved; plain rows, thrown away or copied."""

from django.db import models

from billing.models.invoices import Kind
from o2b.fields import AmountField, QuantityField


class DraftInvoice(models.Model):
    """An invoice to be; it has its key already, drawn from the sequence of Invoice."""

    id = models.BigIntegerField(primary_key=True)
    run_id = models.BigIntegerField()
    shard_id = models.BigIntegerField()
    account_id = models.BigIntegerField()
    kind = models.CharField(max_length=11, choices=Kind.choices)
    currency = models.CharField(max_length=3)
    net = AmountField()
    tax = AmountField()
    total = AmountField()
    due_on = models.DateField()
    line_count = models.PositiveIntegerField()
    split = models.CharField(max_length=14, db_default="", default="", blank=True)
    about = models.CharField(max_length=250, db_default="", default="", blank=True)
    reverses_id = models.BigIntegerField(null=True, help_text="The invoice that it takes back.")

    class Meta:
        ordering = ["account_id", "id"]
        indexes = [models.Index(fields=["shard_id", "account_id"], name="draft_invoice_by_shard")]

    def __str__(self) -> str:
        return f"draft of account {self.account_id}"


class DraftUsage(models.Model):
    """Marks as a charge's draft has seen them: of usage that came late, of a part that changed."""

    shard_id = models.BigIntegerField()
    account_id = models.BigIntegerField()
    charge_id = models.BigIntegerField()
    seen_usage = models.PositiveIntegerField(null=True)
    seen_share = models.PositiveIntegerField(null=True)

    class Meta:
        indexes = [models.Index(fields=["shard_id", "account_id"], name="draft_usage_by_shard")]

    def __str__(self) -> str:
        return f"C-{self.charge_id} saw {self.seen_usage}"


class DraftLine(models.Model):
    """A line to be; without an invoice it only says how its charge stands afterwards.

    The last row of a charge (`last`) carries that standing. Nobody asks for a row by its id, so
    Postgres keeps no index of it.
    """

    run_id = models.BigIntegerField()
    shard_id = models.BigIntegerField()
    account_id = models.BigIntegerField()
    invoice_id = models.BigIntegerField(null=True)
    position = models.PositiveIntegerField()
    charge_id = models.BigIntegerField()
    seen_revision = models.PositiveIntegerField()
    last = models.BooleanField()
    billed_through = models.DateField(null=True)
    next_due_on = models.DateField(null=True)
    period_start = models.DateField(null=True)
    period_end = models.DateField(null=True)
    served_from = models.DateField(null=True)
    served_to = models.DateField(null=True)
    segment = models.PositiveSmallIntegerField(null=True)
    revision = models.PositiveSmallIntegerField(null=True)
    quantity = QuantityField(max_digits=30, null=True)
    amount = AmountField(null=True)
    tax_code = models.CharField(max_length=50, blank=True, default="")
    tax_rate = models.DecimalField(max_digits=9, decimal_places=6, default=0)
    tax = AmountField(default=0)
    cause = models.CharField(max_length=10, blank=True, default="")
    text = models.CharField(max_length=250, blank=True, default="")
    basis = models.JSONField(null=True, blank=True)
    reverses = models.PositiveSmallIntegerField(null=True)

    class Meta:
        ordering = ["shard_id", "account_id", "position"]
        indexes = [models.Index(fields=["shard_id", "account_id"], name="draft_line_by_shard")]

    def __str__(self) -> str:
        return f"draft line of charge {self.charge_id}"
