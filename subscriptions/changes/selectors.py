"""Facts of services as people read them: which order told them, what was before, what is ahead."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from django.db.models import BigIntegerField, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from o2b.catalog.models import ProductVersion
from subscriptions.asof import its_day
from subscriptions.models import Act, Item, ItemChange


def facts() -> QuerySet[Any]:
    """Every fact with its order line, the version that it found, and whether it was taken back."""
    found = Cast(KeyTextTransform("product_version", "order_line__in_service"), BigIntegerField())
    before = ProductVersion.objects.filter(pk=OuterRef("found"))
    return (
        ItemChange.objects.annotate(found=found)
        .annotate(
            before_name=Subquery(before.values("product__name")[:1]),
            before_number=Subquery(before.values("number")[:1]),
            is_gone=Exists(ItemChange.objects.filter(withdraws=OuterRef("pk"))),
        )
        .select_related(
            "account",
            "withdraws",
            "terms",
            "order_line__order__placed_by",
            "order_line__product_version__product",
        )
        .order_by("revision")
    )


def facts_of(roots: Collection[int], *, until: datetime | None = None) -> dict[int, list[Any]]:
    """First of a chain → its facts in the order in which they came, as known at a moment (now)."""
    rows = facts().filter(item__in=roots)
    if until is not None:
        later = ItemChange.objects.filter(withdraws=OuterRef("pk"), recorded_at__lte=until)
        rows = rows.filter(recorded_at__lte=until).annotate(is_gone=Exists(later))
    found: dict[int, list[Any]] = {}
    for fact in rows:
        found.setdefault(fact.item_id, []).append(fact)
    return found


def ahead_of(account_id: int, *, today: date) -> dict[int, list[Any]]:
    """First of a chain → what is still to change of the account's services, the next first."""
    own = Item.objects.filter(account_id=account_id)
    roots = Q(item__in=own) | Q(item__in=own.values("root"))
    found: dict[int, list[Any]] = {}
    for fact in _standing(facts()).filter(roots, on__gt=today).order_by("on", "revision"):
        found.setdefault(fact.item_id, []).append(fact)
    return found


def planned(*, machine_now: datetime) -> QuerySet[Any]:
    """Facts whose day is still to come where the service lives."""
    return (
        _standing(facts())
        .annotate(day=its_day(machine_now, account="item__account"))
        .filter(on__gt=F("day"))
        .select_related(
            "item__account__customer", "item__subscription", "item__product_version__product"
        )
    )


def _standing(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Facts that were not taken back."""
    return rows.filter(is_gone=False).exclude(act=Act.WITHDRAW)
