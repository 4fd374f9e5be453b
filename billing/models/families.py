"""Families in runs and on documents: whose lines are on whose bill, and what each comes to."""

from django.db import models

from billing.models.invoices import Invoice
from billing.models.runs import BillRun
from billing.models.shards import Shard
from billing.models.summing import PARTS_ADD_UP
from o2b.catalog.frozen import NEVER
from o2b.customers.models import Account
from o2b.fields import AmountField


class FamilyMember(models.Model):
    """An account of a family in a run, as families were when it was opened; the payer is one, too.

    All of a family lie in one shard. A run without families has no row here.
    """

    run = models.ForeignKey(BillRun, on_delete=models.CASCADE, related_name="+", db_index=False)
    shard = models.ForeignKey(Shard, null=True, on_delete=models.CASCADE, related_name="+")
    account = models.ForeignKey(
        Account, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    payer = models.ForeignKey(
        Account, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )

    class Meta:
        ordering = ["run", "payer", "account"]
        constraints = [
            models.UniqueConstraint(fields=["run", "account"], name="one_family_an_account"),
        ]
        indexes = [models.Index(fields=["run", "payer"], name="family_of_run")]

    def __str__(self) -> str:
        return f"{self.account_id} of {self.payer_id}"


class InvoicePart(models.Model):
    """What one account of a family comes to on a document: its lines and its adjustments.

    Only documents of families have parts; all parts of one add up to it.
    """

    invoice = models.ForeignKey(
        Invoice, on_delete=models.PROTECT, related_name="parts", db_index=False
    )
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    net = AmountField()
    tax = AmountField()
    line_count = models.PositiveIntegerField()

    class Meta:
        ordering = ["invoice", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["invoice", "account"], name="one_part_an_account"),
        ]
        indexes = [models.Index(fields=["account", "-invoice"], name="part_by_account")]
        triggers = [*NEVER, PARTS_ADD_UP]

    def __str__(self) -> str:
        return f"{self.account_id} on {self.invoice_id}"
