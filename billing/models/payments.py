"""Payment, money that came in, and its allocations to invoices; what is left is the balance."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from billing.models.frozen import NOT_ABOVE
from billing.models.invoices import Invoice
from o2b.catalog.frozen import NEVER
from o2b.customers.models import Account
from o2b.fields import AmountField

WALLET = "wallet"  # the method of what prepaid money pays; nobody records it by hand


class Payment(models.Model):
    """Money received from an account on a day; never changed.

    What a wallet pays is one too; what it is given back is one below zero.
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    legal_entity_id = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    amount = AmountField()
    received_on = models.DateField()
    method = models.CharField(max_length=20, blank=True, default="")
    reference = models.CharField(max_length=140, blank=True, default="")
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-received_on", "-pk"]
        permissions = [("record_payment", "Can record and allocate payments")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(amount__gt=0) | models.Q(amount__lt=0, method=WALLET),
                name="payment_above_zero",
            ),
        ]
        triggers = NEVER

    def __str__(self) -> str:
        return f"P-{self.pk}"


class Allocation(models.Model):
    """A part of a payment that settles an invoice; taken back by a second, negative one."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="allocations")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="allocations")
    amount = AmountField()
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=~models.Q(amount=0), name="allocation_is_not_nothing"),
        ]
        triggers = [*NEVER, NOT_ABOVE]

    def __str__(self) -> str:
        return f"{self.amount} of P-{self.payment_id}"
