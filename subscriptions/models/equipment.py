"""Equipment: the pieces that stand at a customer's, by serial."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from o2b.catalog.models import ProductVersion
from o2b.customers.models import Account
from subscriptions.models.items import Item


class Equipment(models.Model):
    """One piece at the customer's, by its serial: what an item's delivery has shown."""

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="equipment")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    product_version = models.ForeignKey(
        ProductVersion,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("What stands there; a substitute may be another version than the item's."),
    )
    serial = models.CharField(max_length=120)
    installed_on = models.DateField()

    class Meta:
        ordering = ["item", "pk"]
        verbose_name_plural = "equipment"
        constraints = [
            models.UniqueConstraint(fields=["item", "serial"], name="one_piece_a_serial"),
        ]
        indexes = [models.Index(fields=["serial"], name="equipment_by_serial")]

    def __str__(self) -> str:
        return self.serial
