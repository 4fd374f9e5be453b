"""Coupon, a discount over a whole account that two people make; and its grants to accounts."""

from typing import Any

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from o2b.catalog.frozen import NOT_TRUNCATED, child_of_draft, published_only
from o2b.catalog.models import Product
from o2b.catalog.models.products import Publishable, second_person
from o2b.customers.models import Account
from o2b.fields import AmountField


class CouponKind(models.TextChoices):
    """What its value is."""

    PERCENT = "percent", _("percent")
    AMOUNT = "amount", _("fixed amount")


class Every(models.IntegerChoices):
    """How many months a period of a coupon or a commitment has."""

    MONTH = 1, _("month")
    QUARTER = 3, _("quarter")
    YEAR = 12, _("year")


class Coupon(Publishable):
    """Off everything that an account is billed, or off some products; frozen once published.

    A fixed amount is given once for each period of so many `months`, counted from the first day of
    the grant; so are the `periods` for how many it is given (none: for ever). `ends_on` is the
    first day on which no period that begins gets it.
    """

    Kind = CouponKind

    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=120, help_text=_("As the customer reads it on the bill."))
    kind = models.CharField(max_length=7, choices=CouponKind.choices)
    value = AmountField(help_text=_("Percent, or an amount in the currency."))
    currency = models.CharField(max_length=3, blank=True, default="")
    months = models.PositiveSmallIntegerField(choices=Every.choices, default=Every.MONTH)
    periods = models.PositiveSmallIntegerField(null=True, blank=True)
    starts_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["code"]
        permissions = [
            ("make_coupon", "Can write coupons"),
            ("publish_coupon", "Can publish coupons that somebody else wrote"),
            ("grant_coupon", "Can grant coupons to accounts, and end them"),
        ]
        constraints = [
            second_person("coupon_second_person"),
            models.CheckConstraint(condition=Q(value__gt=0), name="coupon_above_zero"),
            models.CheckConstraint(
                condition=Q(kind="percent", value__lte=100, currency="")
                | (Q(kind="amount") & ~Q(currency="")),
                name="coupon_percent_or_amount",
            ),
            models.CheckConstraint(
                condition=Q(periods=None) | Q(periods__gt=0), name="coupon_for_a_period"
            ),
            models.CheckConstraint(
                condition=Q(starts_on=None) | Q(ends_on=None) | Q(ends_on__gt=F("starts_on")),
                name="coupon_ends_after_it_starts",
            ),
        ]
        triggers: Any = published_only("state", "retired_on")

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("billing:coupon", args=[self.code])


class CouponProduct(models.Model):
    """A product that a coupon is limited to; one without any is good for all."""

    coupon = models.ForeignKey(Coupon, on_delete=models.CASCADE, related_name="products")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["coupon", "product__code"]
        constraints = [
            models.UniqueConstraint(fields=["coupon", "product"], name="coupon_names_product_once"),
        ]
        triggers = child_of_draft(parent_table="billing_coupon", column="coupon_id")

    def __str__(self) -> str:
        return f"{self.coupon_id}: {self.product_id}"


def ended_only(*mutable: str) -> list[pgtrigger.Trigger]:
    """A row that is ended once, in these columns, and is otherwise as it was made; for ever."""
    columns = ", ".join(f"'{column}'" for column in mutable)
    return [
        pgtrigger.Trigger(
            name="only_ended",
            operation=pgtrigger.Update,
            when=pgtrigger.Before,
            func=f"""
            IF OLD.ended_at IS NOT NULL OR (to_jsonb(OLD) - ARRAY[{columns}])
                    IS DISTINCT FROM (to_jsonb(NEW) - ARRAY[{columns}]) THEN
                RAISE EXCEPTION 'o2b: a row of % is ended once, and never changed', TG_TABLE_NAME
                    USING ERRCODE = 'check_violation';
            END IF;
            RETURN NEW;
            """,
        ),
        pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
        NOT_TRUNCATED,
    ]


ENDED = ("ends_on", "ended_by_id", "ended_at", "end_reason")


class CouponGrant(models.Model):
    """A coupon that an account has: periods that begin from `starts_on` until before `ends_on`.

    Several are taken in the order in which they were granted, that of their keys.
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    coupon = models.ForeignKey(Coupon, on_delete=models.PROTECT, related_name="grants")
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, help_text=_("First day outside."))
    reason = models.CharField(max_length=250)
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    granted_at = models.DateTimeField()
    end_reason = models.CharField(max_length=250, blank=True, default="")
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["account", "pk"]
        triggers = ended_only(*ENDED)

    def __str__(self) -> str:
        return f"CG-{self.pk}"
