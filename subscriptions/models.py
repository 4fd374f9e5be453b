"""Subscription, its items (the install base), and the dated versions of each item."""

from datetime import date, datetime

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, DateTimeRangeField, RangeOperators
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from o2b.catalog.models import ProductVersion, Terms
from o2b.customers.models import Account
from o2b.fields import QuantityField
from o2b.fsm import Stateful
from orders.models import Order, OrderLine


class ServiceState(models.TextChoices):
    """Whether a service is in use."""

    PENDING = "pending", _("pending")
    ACTIVE = "active", _("active")
    SUSPENDED = "suspended", _("suspended")
    ENDED = "ended", _("ended")


class InService(Stateful):
    """The life cycle that a subscription and its items share."""

    State = ServiceState

    state = FSMField(choices=State.choices, default=State.PENDING, protected=True)
    started_on = models.DateField(null=True)
    ended_on = models.DateField(null=True, help_text=_("First day out of service."))

    class Meta:
        abstract = True

    @transition(field=state, source=State.PENDING, target=State.ACTIVE)
    def activate(self, *, at: datetime, on: date) -> None:
        self.started_on = on

    @transition(field=state, source=State.ACTIVE, target=State.SUSPENDED)
    def suspend(self, *, at: datetime) -> None:
        pass

    @transition(field=state, source=State.SUSPENDED, target=State.ACTIVE)
    def resume(self, *, at: datetime) -> None:
        pass

    @transition(
        field=state, source=[State.PENDING, State.ACTIVE, State.SUSPENDED], target=State.ENDED
    )
    def end(self, *, at: datetime, on: date) -> None:
        self.ended_on = on


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

    `revision` grows with every change of its versions; billing bills the difference when it lags.
    """

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="items")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    order_line = models.OneToOneField(OrderLine, on_delete=models.PROTECT, related_name="+")
    product_version = models.ForeignKey(ProductVersion, on_delete=models.PROTECT, related_name="+")
    serial = models.CharField(max_length=120, blank=True, default="")
    revision = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["subscription", "pk"]
        indexes = [models.Index(fields=["account", "id"], name="item_by_account")]

    def __str__(self) -> str:
        return f"S-{self.subscription_id}.{self.pk}"


class ItemVersion(models.Model):
    """What an item was in a span of days (`valid`), as known in a span of moments (`recorded`).

    Never updated but to close `recorded`; no two versions of one item overlap in both.
    """

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="versions")
    product_version = models.ForeignKey(ProductVersion, on_delete=models.PROTECT, related_name="+")
    quantity = QuantityField()
    terms = models.ForeignKey(Terms, on_delete=models.PROTECT, related_name="+")
    valid = DateRangeField()
    recorded = DateTimeRangeField()

    class Meta:
        ordering = ["item", "valid"]
        constraints = [
            ExclusionConstraint(
                name="one_version_of_an_item_at_a_time",
                expressions=[
                    ("item", RangeOperators.EQUAL),
                    ("valid", RangeOperators.OVERLAPS),
                    ("recorded", RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(
                condition=models.Q(quantity__gt=0), name="item_version_quantity_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item_id} {self.valid}"


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
