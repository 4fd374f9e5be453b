"""Bills below the minimum of who pays them, as a run found them: not issued, they wait."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from billing.models.runs import BillRun
from billing.models.shards import Shard
from o2b.customers.models import Account
from o2b.fields import AmountField


class CarriedBill(models.Model):
    """What an account would have been billed by a run; the next one drafts it again.

    Nothing hangs on it: bills are made by difference. It says how much waits, and since when. Of a
    family each account has its own row, and `whole` is what all would have come to together.
    """

    run = models.ForeignKey(BillRun, on_delete=models.CASCADE, related_name="+")
    shard = models.ForeignKey(Shard, on_delete=models.CASCADE, related_name="+")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    payer = models.ForeignKey(
        Account,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        help_text=_("Of a family: whose document it would have been on."),
    )
    currency = models.CharField(max_length=3)
    net = AmountField()
    tax = AmountField()
    total = AmountField()
    whole = AmountField(null=True, help_text=_("Of a family: the total of that document."))
    minimum = AmountField()
    since = models.DateField(help_text=_("The day on which the oldest part of it was due."))

    class Meta:
        ordering = ["run", "account"]
        constraints = [
            models.UniqueConstraint(fields=["run", "account"], name="one_carried_bill_a_run"),
            models.CheckConstraint(
                condition=models.Q(total=models.F("net") + models.F("tax"))
                & (
                    models.Q(payer=None, whole=None)
                    & models.Q(total__gte=0, total__lt=models.F("minimum"))
                    | models.Q(payer__isnull=False, whole__isnull=False)
                    & models.Q(whole__gte=0, whole__lt=models.F("minimum"))
                ),
                name="a_carried_bill_is_below_its_minimum",
            ),
        ]
        indexes = [
            models.Index(fields=["account", "-id"], name="carried_by_account"),
            models.Index(
                fields=["payer", "-id"],
                name="carried_by_payer",
                condition=models.Q(payer__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.total} {self.currency} of account {self.account_id}"
