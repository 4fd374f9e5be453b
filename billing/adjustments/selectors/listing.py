"""Coupons, grants and minimums as lists, panels and the API show them."""

from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from billing.models import Coupon, CouponGrant, InvoiceAdjustment, MinimumSpend
from billing.models.adjustments import AdjustmentKind
from o2b.catalog.models.products import Lifecycle
from o2b.customers.models import Account


def coupons_with_products() -> QuerySet[Coupon]:
    """All, with the products that they are limited to."""
    return Coupon.objects.select_related("prepared_by", "published_by").prefetch_related(
        "products__product"
    )


def coupons_for_list() -> QuerySet[Any]:
    """All, with how many accounts have each by now."""
    running = Q(grants__ends_on=None)
    return Coupon.objects.annotate(running=Count("grants", filter=running))


def coupon_named(code: str) -> int:
    """Its key; Coupon.DoesNotExist."""
    return Coupon.objects.only("pk").get(code=code).pk


def coupons_to_grant(account: Account) -> QuerySet[Coupon]:
    """Published ones of its currency that it does not have."""
    has = CouponGrant.objects.filter(account=account, ends_on=None)
    rows = Coupon.objects.filter(
        state=Lifecycle.PUBLISHED, currency__in=["", account.currency]
    ).exclude(pk__in=has.values("coupon"))
    return rows.order_by("name")


def grants_for_list() -> QuerySet[CouponGrant]:
    """All with whom and what they name, the newest first."""
    return CouponGrant.objects.select_related(
        "account__test_clock", "coupon", "granted_by", "ended_by"
    ).order_by("-pk")


def minimums_for_list() -> QuerySet[MinimumSpend]:
    """All with whom they name, the newest first."""
    return MinimumSpend.objects.select_related(
        "account__test_clock", "made_by", "ended_by"
    ).order_by("-pk")


def given_by(kind: AdjustmentKind, source_ids: list[int]) -> dict[int, Decimal]:
    """Source → net of all that it gave; below zero for discounts."""
    rows = InvoiceAdjustment.objects.filter(kind=kind, source_id__in=source_ids).order_by()
    return dict(
        rows.values("source_id").annotate(sum=Sum("amount")).values_list("source_id", "sum")
    )


def of_account(account: Account, *, today: date) -> dict[str, list[Any]]:
    """Its coupons in the order in which they are taken, and its minimums; each with `given`."""
    grants: list[Any] = list(grants_for_list().filter(account=account).order_by("pk"))
    held: list[Any] = list(minimums_for_list().filter(account=account).order_by("pk"))
    for kind, rows in ((AdjustmentKind.COUPON, grants), (AdjustmentKind.MINIMUM, held)):
        sums = given_by(kind, [row.pk for row in rows]) if rows else {}
        for row in rows:
            row.given = sums.get(row.pk, Decimal(0))
            row.runs = row.ends_on is None or row.ends_on > today
    return {"grants": grants, "minimums": held}
