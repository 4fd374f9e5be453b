"""The standing order that tops up a pool when it runs low, and the orders that it placed."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from o2b.catalog.models import Product
from o2b.fields import QuantityField
from orders.models import Order
from subscriptions.models.pools import Pool

MOST_A_MONTH = 31


class PoolRefill(models.Model):
    """When less than `below` is left, so many of a product are ordered; not oftener than told.

    `set_by` answers for the orders. `fault` says why the last try failed; it is tried again on the
    day after `tried_on`.
    """

    pool = models.OneToOneField(Pool, on_delete=models.PROTECT, related_name="refill")
    below = QuantityField(help_text=_("In units of the meter."))
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    quantity = QuantityField()
    most_a_month = models.PositiveSmallIntegerField(default=1)
    active = models.BooleanField(default=True, db_default=True)
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField()
    tried_on = models.DateField(null=True)
    fault = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(below__gt=0, quantity__gt=0), name="pool_refill_above_zero"
            ),
            models.CheckConstraint(
                condition=Q(most_a_month__gte=1, most_a_month__lte=MOST_A_MONTH),
                name="pool_refill_some_a_month",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], name="pool_refill_active", condition=Q(active=True)),
        ]

    def __str__(self) -> str:
        return f"refill of {self.pool_id}"


class PoolRefillOrder(models.Model):
    """An order that a refill placed. Until it is settled, the fall that it answers has an answer:

    it settles once what is left stands at the limit again, or the refill is told anew.
    """

    refill = models.ForeignKey(PoolRefill, on_delete=models.PROTECT, related_name="orders")
    order = models.OneToOneField(Order, on_delete=models.PROTECT, related_name="+")
    left = QuantityField(help_text=_("What was left when it was placed."))
    placed_on = models.DateField()
    settled = models.BooleanField(default=False, db_default=False)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["refill"], condition=Q(settled=False), name="one_answer_a_fall"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} for {self.refill_id}"
