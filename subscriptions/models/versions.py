"""ItemVersion: what an item was on which days, as known when; derived from its changes."""

from decimal import Decimal

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, DateTimeRangeField, RangeOperators
from django.db import models
from django.utils.translation import gettext_lazy as _

from o2b.catalog.models import ProductVersion, Terms
from o2b.fields import QuantityField
from orders.models import OrderLine
from subscriptions.models.items import Item

# The one update that is allowed says that a version is not believed any more.
ONLY_CLOSED = pgtrigger.Trigger(
    name="only_closed",
    operation=pgtrigger.Update,
    when=pgtrigger.Before,
    func="""
    IF (to_jsonb(OLD) - 'recorded') IS DISTINCT FROM (to_jsonb(NEW) - 'recorded')
            OR NOT upper_inf(OLD.recorded) OR lower(OLD.recorded) <> lower(NEW.recorded) THEN
        RAISE EXCEPTION 'o2b: of a version only the end of its record can be told';
    END IF;
    RETURN NEW;
    """,
)
# A rebuild puts back what it takes.
KEPT = pgtrigger.Trigger(
    name="kept",
    operation=pgtrigger.Delete,
    when=pgtrigger.Before,
    func="""
    IF COALESCE(current_setting('o2b.rebuilds', true), '') <> 'on' THEN
        RAISE EXCEPTION 'o2b: a version that was known is kept';
    END IF;
    RETURN OLD;
    """,
)


class Standing(models.TextChoices):
    """Whether an item is in use on the days of a version."""

    IN_USE = "in_use", _("in use")
    SUSPENDED = "suspended", _("suspended")


class ItemVersion(models.Model):
    """What an item was in a span of days (`valid`), as known in a span of moments (`recorded`).

    Never updated but to close `recorded`; no two versions of one item overlap in both.
    """

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="versions")
    product_version = models.ForeignKey(ProductVersion, on_delete=models.PROTECT, related_name="+")
    quantity = QuantityField()
    delivered = models.DecimalField(
        max_digits=9,
        decimal_places=8,
        default=Decimal(1),
        db_default=Decimal(1),
        help_text=_("How much of what was promised is there, at most 1: so much of it is paid."),
    )
    terms = models.ForeignKey(Terms, on_delete=models.PROTECT, related_name="+")
    valid = DateRangeField()
    recorded = DateTimeRangeField()
    standing = models.CharField(max_length=9, choices=Standing.choices, default=Standing.IN_USE)
    billed = models.BooleanField(default=True, help_text=_("Whether these days are billed."))
    order_line = models.ForeignKey(
        OrderLine,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        help_text=_("The line whose characteristics describe it."),
    )
    described = models.JSONField(
        null=True,
        help_text=_("What describes it, where changes of other days say a part of that."),
    )
    opens = models.BooleanField(
        default=True, help_text=_("Its Terms hold for the first time: what they cost once is due.")
    )

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
            models.CheckConstraint(
                condition=models.Q(delivered__gt=0, delivered__lte=1),
                name="item_version_delivered_in_part_or_all",
            ),
        ]
        indexes = [
            models.Index(  # what holds by today's knowledge, as every shard of a bill run asks
                fields=["item"],
                condition=models.Q(recorded__upper_inf=True),
                name="version_known_now",
            ),
        ]
        triggers = [ONLY_CLOSED, KEPT]

    def __str__(self) -> str:
        return f"{self.item_id} {self.valid}"
