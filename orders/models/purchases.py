"""What we order of vendors for a task, and what of it has arrived."""

from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from o2b.catalog.frozen import NEVER
from o2b.customers.models import Account
from o2b.fields import AmountField, QuantityField
from o2b.fsm import Stateful
from orders.models.lines import OrderLine
from orders.models.tasks import Task


class PurchaseState(models.TextChoices):
    """Where an order to a vendor stands."""

    SENT = "sent", _("sent")
    PARTLY = "partly", _("partly received")
    RECEIVED = "received", _("received")
    CANCELLED = "cancelled", _("cancelled")


class PurchaseOrder(Stateful):
    """What we ordered of a vendor for one task: document, expected day, cost, received in parts."""

    State = PurchaseState

    task = models.OneToOneField(Task, on_delete=models.PROTECT, related_name="purchase")
    line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="+")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    vendor = models.CharField(max_length=200)
    vendor_email = models.EmailField(blank=True, default="")
    item = models.CharField(max_length=200)
    quantity = QuantityField()
    received = QuantityField(default=0)
    unit_cost = AmountField(default=0)
    currency = models.CharField(max_length=3)
    state = FSMField(choices=State.choices, default=State.SENT, protected=True)
    sent_at = models.DateTimeField()
    expected_on = models.DateField(null=True)
    note = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(received__gte=0, received__lte=models.F("quantity")),
                name="no_more_received_than_ordered",
            )
        ]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("orders:purchase", args=[self.pk])

    @property
    def number(self) -> str:
        return f"PO-{self.pk}"

    @property
    def order_id(self) -> int:
        return self.line.order_id

    @property
    def missing(self) -> Decimal:
        return self.quantity - self.received

    @transition(
        field=state,
        source=[PurchaseState.SENT, PurchaseState.PARTLY],
        target=PurchaseState.PARTLY,
        custom={"event": "purchase.partly_received"},
    )
    def receive_part(self, *, at: datetime) -> None:
        pass

    @transition(
        field=state,
        source=[PurchaseState.SENT, PurchaseState.PARTLY],
        target=PurchaseState.RECEIVED,
        custom={"event": "purchase.received"},
    )
    def receive_rest(self, *, at: datetime) -> None:
        pass

    @transition(
        field=state,
        source=[PurchaseState.SENT, PurchaseState.PARTLY],
        target=PurchaseState.CANCELLED,
        custom={"event": "purchase.cancelled"},
    )
    def cancel(self, *, at: datetime) -> None:
        pass


class PurchaseReceipt(models.Model):
    """So many arrived; never updated."""

    purchase = models.ForeignKey(PurchaseOrder, on_delete=models.PROTECT, related_name="receipts")
    quantity = QuantityField()
    serials = ArrayField(models.CharField(max_length=120), default=list)
    on = models.DateField()
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["pk"]
        triggers = NEVER

    def __str__(self) -> str:
        return f"{self.purchase_id}: {self.quantity} on {self.on}"
