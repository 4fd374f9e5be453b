"""ItemChange: the dated facts of a service; all versions of its items are derived from them."""

from typing import Any

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from o2b.catalog.frozen import NEVER
from o2b.catalog.models import ProductVersion, Terms
from o2b.customers.models import Account
from o2b.fields import QuantityField
from orders.models import OrderLine
from subscriptions.models.items import Item


class Act(models.TextChoices):
    """What a change does; the start of a service is told by its item.

    A part says how much is delivered from a day on. Deliveries tell it, nobody orders it.
    """

    PART = "part", _("delivered in part")
    TERMS = "terms", _("other Terms")
    REPLACE = "replace", _("another version, same Terms")
    QUANTITY = "quantity", _("another quantity")
    SUSPEND = "suspend", _("suspended")
    RESUME = "resume", _("resumed")
    MOVE = "move", _("moved to another address")
    TRANSFER = "transfer", _("transferred")
    END = "end", _("ended")
    WITHDRAW = "withdraw", _("taken back")


# What may be asked for; all else is told by deliveries.
ORDERED = [choice for choice in Act.choices if choice[0] != Act.PART]


class SuspensionBilling(models.TextChoices):
    """How a suspension is billed."""

    FULL = "full", _("in full")
    NONE = "none", _("not at all")
    FEE = "fee", _("a holding fee")


def _when(act: str, **fields: Any) -> models.Q:
    return ~models.Q(act=act) | models.Q(**fields)


class ItemChange(models.Model):
    """One fact of a service: what holds from a day on, and which order line changed it.

    It stands on the first item of the chain, whoever has the service since. Written once.
    """

    Act = Act

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="changes")
    revision = models.PositiveIntegerField(help_text=_("The item's revision that it made."))
    act = models.CharField(max_length=8, choices=Act.choices)
    on = models.DateField(help_text=_("The first day on which it holds."))
    product_version = models.ForeignKey(
        ProductVersion, null=True, on_delete=models.PROTECT, related_name="+"
    )
    terms = models.ForeignKey(Terms, null=True, on_delete=models.PROTECT, related_name="+")
    quantity = QuantityField(null=True)
    delivered = models.DecimalField(
        max_digits=9, decimal_places=8, null=True, help_text=_("How much is delivered, at most 1.")
    )
    billing = models.CharField(
        max_length=4, choices=SuspensionBilling.choices, blank=True, default=""
    )
    account = models.ForeignKey(Account, null=True, on_delete=models.PROTECT, related_name="+")
    withdraws = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="+")
    order_line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500, blank=True, default="")
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["item", "revision"]
        constraints = [
            models.UniqueConstraint(fields=["item", "revision"], name="one_change_a_revision"),
            models.CheckConstraint(
                condition=models.Q(act__in=Act.values), name="item_change_of_a_known_act"
            ),
            models.CheckConstraint(
                condition=_when(Act.TERMS, terms__isnull=False)
                & _when(Act.PART, delivered__isnull=False, delivered__gt=0, delivered__lte=1)
                & _when(Act.REPLACE, product_version__isnull=False)
                & _when(Act.QUANTITY, quantity__isnull=False)
                & (~models.Q(act=Act.SUSPEND) | ~models.Q(billing=""))
                & _when(Act.TRANSFER, account__isnull=False)
                & _when(Act.WITHDRAW, withdraws__isnull=False),
                name="item_change_says_what",
            ),
            models.CheckConstraint(
                condition=models.Q(quantity__isnull=True) | models.Q(quantity__gt=0),
                name="item_change_quantity_positive",
            ),
        ]
        triggers = NEVER

    def __str__(self) -> str:
        return f"{self.act} of {self.item_id} on {self.on}"
