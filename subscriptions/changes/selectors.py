"""Facts of services as people read them: which order told them, what was before, what is ahead."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    DateField,
    DateTimeField,
    Exists,
    ExpressionWrapper,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce

from o2b.catalog.models import ProductVersion
from subscriptions.models import Act, Item, ItemChange
from subscriptions.selectors import known_now, real_items

A_DAY = timedelta(days=1)
KEY = BigIntegerField()
FINAL = (Act.END, Act.TRANSFER)
CHAIN = OuterRef(OuterRef("item"))  # of a fact, two queries outside
# What a list says of the item by which somebody has a service.
OF_LEG = {
    "leg_subscription": "subscription_id",
    "leg_product": "product_version__product__name",
    "leg_zone": "account__time_zone",
    "leg_account": "account__name",
    "leg_reference": "account__reference",
    "leg_customer": "account__customer__name",
}


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
    own = real_items().filter(account_id=account_id)
    roots = Q(item__in=own) | Q(item__in=own.values("root"))
    found: dict[int, list[Any]] = {}
    for fact in _standing(facts()).filter(roots, on__gt=today).order_by("on", "revision"):
        found.setdefault(fact.item_id, []).append(fact)
    return found


def planned(*, machine_now: datetime) -> QuerySet[Any]:
    """Facts whose day is still to come where who has the service then lives.

    With each comes the item by which they have it (`leg`), and what a list says of that.
    """
    its_now = Coalesce(F("item__account__test_clock__now"), Value(machine_now))
    zone = F("leg_zone")
    local = Func(zone, its_now, function="timezone", output_field=DateTimeField())
    return (
        with_leg(_standing(facts()))
        .filter(item__order_line__in_service__isnull=True)
        .annotate(day=Cast(local, DateField()))
        .filter(on__gt=F("day"))
        .select_related("item__account__customer", "item__subscription")
    )


def with_leg(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Facts with the item by which the service is had on their day; until a final one's day."""
    # Both columns stand in one table, so that indexes find the items of the chain.
    legs = Item.objects.filter(Q(pk=CHAIN) | Q(root=CHAIN)).order_by()
    begun = known_now().filter(
        item__in=legs.values("pk"), valid__startswith__lt=OuterRef("first_outside")
    )
    next_day = ExpressionWrapper(F("on") + Value(A_DAY), DateTimeField())
    until = Case(When(act__in=FINAL, then=F("on")), default=Cast(next_day, DateField()))
    leg = Coalesce(
        Subquery(begun.order_by("-valid").values("item")[:1]), F("item_id"), output_field=KEY
    )
    item = Item.objects.filter(pk=OuterRef("leg"))
    told = {name: Subquery(item.values(path)[:1]) for name, path in OF_LEG.items()}
    return rows.annotate(first_outside=until).annotate(leg=leg).annotate(**told)


def _standing(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Facts that were not taken back."""
    return rows.filter(is_gone=False).exclude(act=Act.WITHDRAW)
