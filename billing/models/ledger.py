"""The journal: each posting names both its sides, so that it cannot be out of balance."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from billing.models.complete import POSTED_ONCE
from billing.models.invoices import Invoice
from billing.models.payments import Payment
from billing.models.walletlots import WalletLot
from o2b.catalog.frozen import NEVER
from o2b.fields import AmountField


class LedgerAccount(models.TextChoices):
    """The accounts that billing posts to."""

    RECEIVABLE = "receivable", _("receivable")
    REVENUE = "revenue", _("revenue")
    DEFERRED = "deferred", _("deferred revenue")
    TAX = "tax", _("tax payable")
    BANK = "bank", _("bank")
    PREPAID = "prepaid", _("prepaid credit")


class Posting(models.Model):
    """An amount from one ledger account (credit) to another (debit), more than zero.

    Partitioned by month of `on`; in Postgres its key is (id, on).
    """

    on = models.DateField()
    legal_entity_id = models.BigIntegerField()
    account_id = models.BigIntegerField()
    invoice = models.ForeignKey(
        Invoice, null=True, on_delete=models.PROTECT, related_name="postings"
    )
    payment = models.ForeignKey(
        Payment, null=True, on_delete=models.PROTECT, related_name="postings", db_index=False
    )
    lot = models.ForeignKey(
        WalletLot, null=True, on_delete=models.PROTECT, related_name="postings", db_index=False
    )
    debit = models.CharField(max_length=10, choices=LedgerAccount.choices)
    credit = models.CharField(max_length=10, choices=LedgerAccount.choices)
    currency = models.CharField(max_length=3)
    amount = AmountField()
    # In the seller's currency, where that is another one and its books are kept in it.
    entity_amount = AmountField(null=True)
    rate = models.DecimalField(max_digits=20, decimal_places=10, null=True)
    rate_on = models.DateField(null=True, help_text="The day of the rate.")
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["on", "pk"]
        constraints = [
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="posting_above_zero"),
            models.CheckConstraint(
                condition=~models.Q(debit=models.F("credit")), name="posting_has_two_sides"
            ),
            models.CheckConstraint(
                condition=models.Q(debit__in=LedgerAccount.values, credit__in=LedgerAccount.values),
                name="posting_to_known_accounts",
            ),
            models.CheckConstraint(
                condition=models.Q(invoice__isnull=False)
                | models.Q(payment__isnull=False)
                | models.Q(lot__isnull=False),
                name="posting_has_a_document",
            ),
            models.CheckConstraint(
                condition=models.Q(entity_amount=None, rate=None, rate_on=None)
                | models.Q(entity_amount__gte=0, rate__gt=0, rate_on__isnull=False),
                name="posting_is_valued_at_a_dated_rate",
            ),
        ]
        triggers = [*NEVER, POSTED_ONCE]

    def __str__(self) -> str:
        return f"{self.debit} from {self.credit}: {self.amount} {self.currency}"
