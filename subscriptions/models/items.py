"""Subscription, what one order put into service, and its items: the install base."""

from django.db import models
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from o2b.catalog.models import ProductVersion
from o2b.customers.models import Account
from orders.models import Order, OrderLine
from subscriptions.models.owning import BEGINS_WITH_ITS_ORDER, STAYS_WITH_ITS_ORDER
from subscriptions.models.states import InService


class Subscription(InService):
    """What one order put into service for an account; its items carry the promises."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    order = models.OneToOneField(Order, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["account", "-id"], name="subscription_by_account")]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("subscriptions:detail", args=[self.pk])

    @property
    def number(self) -> str:
        return f"S-{self.pk}"


class Item(InService):
    """One product in service: what the customer has, since when, under which promise.

    A service that was transferred is a chain of items, one an account, of which the first is the
    `root`. `revision` grows with every change of its versions; billing bills the difference when
    it lags. State, version and days are projections of the versions that turn on `next_turn_on`.
    """

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="items")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    order_line = models.OneToOneField(OrderLine, on_delete=models.PROTECT, related_name="+")
    product_version = models.ForeignKey(ProductVersion, on_delete=models.PROTECT, related_name="+")
    serial = models.CharField(max_length=120, blank=True, default="")
    revision = models.PositiveIntegerField(default=1)
    root = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="continuations"
    )
    anchor_on = models.DateField(
        null=True, help_text=_("Where the grid of its billing periods begins: with the service.")
    )
    anchor_day = models.PositiveSmallIntegerField(
        null=True, help_text=_("The bill day of the account that began it.")
    )
    next_turn_on = models.DateField(null=True, help_text=_("When it changes by itself."))
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["subscription", "pk"]
        permissions = [("check_entitlement", "Can ask what a customer may use now")]
        indexes = [
            models.Index(fields=["account", "id"], name="item_by_account"),
            models.Index(fields=["serial"], name="item_by_serial", condition=~models.Q(serial="")),
            models.Index(
                fields=["next_turn_on"],
                name="item_to_turn",
                condition=models.Q(next_turn_on__isnull=False),
            ),
            models.Index(
                fields=["account"], name="item_that_changed", condition=models.Q(revision__gt=1)
            ),
        ]
        triggers = [BEGINS_WITH_ITS_ORDER, STAYS_WITH_ITS_ORDER]

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        return f"S-{self.subscription_id}.{self.pk}"

    @property
    def root_id_or_own(self) -> int:
        """The first item of its chain."""
        return self.root_id or self.pk
