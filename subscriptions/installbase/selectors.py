"""Questions of the install base: every item as it was on a day, and one item with all it is."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import (
    DateField,
    DateTimeField,
    Exists,
    F,
    Func,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Value,
)
from django.db.models.functions import Cast, Coalesce

from o2b.catalog.models import Product, ProductVersion
from o2b.models import Event
from orders.models import LicenceKey
from subscriptions.installbase.rules import MASK
from subscriptions.models import Equipment, Item, ItemChange, ItemVersion, ServiceState, Standing
from subscriptions.selectors import REAL, known_now

S = ServiceState
MOST_EVENTS = 60
# Of a version; Terms are long, and a list of them does not need what is in them.
SHOWN = (
    "item",
    "valid",
    "standing",
    "billed",
    "quantity",
    "described",
    "terms__id",
    "order_line__characteristics",
    "product_version__number",
    "product_version__product__code",
    "product_version__product__name",
    "product_version__product__unit",
)
EQUIPMENT, LICENCE, NEITHER = "equipment", "licence", "neither"


def items_for_list(*, on: date | None, machine_now: datetime) -> QuerySet[Any]:
    """What anybody has, with the versions that are believed now, to be shown as it is on a day.

    Without a day on today, where its account lives. What only bills the leaving of another service
    nobody has: its line tells what it found in service, and it continues no other item.
    """
    return _items_on(on, machine_now).filter(REAL)


def _items_on(on: date | None, machine_now: datetime) -> QuerySet[Any]:
    """Every item with all that a row shows of it."""
    its_now = Coalesce(F("account__test_clock__now"), Value(machine_now))
    local = Func(
        F("account__time_zone"), its_now, function="timezone", output_field=DateTimeField()
    )
    day = Value(on, DateField()) if on else Cast(local, DateField())
    related = ("product_version__product", "terms", "order_line")
    believed = known_now().select_related(*related).only(*SHOWN).order_by("valid")
    return (
        Item.objects.annotate(day=day)
        .select_related(
            "account__customer",
            "account__test_clock",
            "subscription",
            "order_line",
            "product_version__product",
            "root",
        )
        .prefetch_related(
            Prefetch("versions", believed, to_attr="believed"),
            "equipment",
            "root__equipment",
        )
    )


# Today an item's own columns tell what its versions do; another day is asked of the versions.


def by_state(items: QuerySet[Any], state: str, *, on: date | None) -> QuerySet[Any]:
    """Items that stand so on a day: in use, suspended, over, or not begun."""
    if on is None:
        return items.filter(state=state)
    then, begun = _versions_on(on), known_now().filter(valid__startswith__lte=on)
    match state:
        case S.ACTIVE:
            return items.filter(pk__in=_items_of(then.filter(standing=Standing.IN_USE)))
        case S.SUSPENDED:
            return items.filter(pk__in=_items_of(then.filter(standing=Standing.SUSPENDED)))
        case S.PENDING:
            return items.filter(pk__in=_items_of(known_now())).exclude(pk__in=_items_of(begun))
    never = ~Q(pk__in=_items_of(known_now()))
    return items.filter(Q(pk__in=_items_of(begun)) | never).exclude(pk__in=_items_of(then))


def _versions_on(on: date) -> QuerySet[ItemVersion]:
    return known_now().filter(valid__contains=on)


def _items_of(versions: QuerySet[ItemVersion]) -> QuerySet[Any, Any]:
    return versions.order_by().values("item")


def _was(items: QuerySet[Any], meant: Q, on: date | None) -> QuerySet[Any]:
    """Items that are such a thing on a day; out of service, those that ever were."""
    if on is None:
        return items.filter(meant)
    then = _versions_on(on)
    ever = ~Q(pk__in=_items_of(then)) & Q(pk__in=_items_of(known_now().filter(meant)))
    return items.filter(Q(pk__in=_items_of(then.filter(meant))) | ever)


def by_product(items: QuerySet[Any], told: str, *, on: date | None) -> QuerySet[Any]:
    """By the code of the product, or a part of its name."""
    meant = Q(code__iexact=told) | Q(name__icontains=told)
    versions = ProductVersion.objects.filter(product__in=Product.objects.filter(meant))
    return _was(items, Q(product_version__in=list(versions.values_list("pk", flat=True))), on)


def by_version(items: QuerySet[Any], told: str, *, on: date | None) -> QuerySet[Any]:
    """By the number of the product's version; words are no number, and nothing is of them."""
    number = told.lower().removeprefix("v")
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        return items.none()
    return _was(items, Q(product_version__number=int(number)), on)


def by_account(items: QuerySet[Any], told: str) -> QuerySet[Any]:
    """By the account's number, or a part of its name."""
    return items.filter(Q(account__reference__iexact=told) | Q(account__name__icontains=told))


def by_country(items: QuerySet[Any], code: str) -> QuerySet[Any]:
    return items.filter(account__customer__country=code)


def by_serial(items: QuerySet[Any], told: str) -> QuerySet[Any]:
    """By a part of a serial, or a whole licence key."""
    return items.filter(with_serial(told))


def with_serial(told: str) -> Q:
    """Items with the text in a serial of theirs, or of the one that they continue."""
    pieces = Equipment.objects.filter(serial__icontains=told).values("item")
    licensed = LicenceKey.objects.filter(key=told).values("line")
    return (
        Q(serial__icontains=told)
        | Q(pk__in=pieces)
        | Q(root__in=pieces)
        | Q(order_line__in=licensed)
        | Q(root__order_line__in=licensed)
    )


def by_kind(items: QuerySet[Any], kind: str) -> QuerySet[Any]:
    """With equipment, with licences, or with neither."""
    first = Coalesce(OuterRef("root"), OuterRef("pk"))
    line = Coalesce(OuterRef("root__order_line"), OuterRef("order_line"))
    equipment = Exists(Equipment.objects.filter(item=first).exclude(serial__startswith=MASK))
    licence = Exists(LicenceKey.objects.filter(line=line))
    return items.filter(
        {EQUIPMENT: equipment, LICENCE: licence, NEITHER: ~equipment & ~licence}[kind]
    )


def countries() -> list[str]:
    """Where customers with something in service are."""
    codes = Item.objects.order_by().values_list("account__customer__country", flat=True)
    return sorted(filter(None, codes.distinct()))


@dataclass(frozen=True, slots=True)
class Whole:
    """One item with all that belongs to it."""

    item: Any
    versions: list[ItemVersion]
    changes: list[ItemChange]
    licences: list[LicenceKey]
    bundle: Item | None
    parts: list[Item]
    chain: list[Item]
    events: list[Event]


def item(*, item_id: int, on: date | None, machine_now: datetime) -> Whole:
    """One item with its versions, facts, pieces, parts and events; a missing one is a 404."""
    found = (
        _items_on(on, machine_now)
        .select_related("subscription__order", "order_line__order", "account__advocate")
        .get(pk=item_id)
    )
    root = found.root or found
    related = ("product_version__product", "terms")
    versions = ItemVersion.objects.filter(item=found).select_related(*related)
    changes = ItemChange.objects.filter(item=root).select_related(
        *related, "order_line__order", "withdraws", "account"
    )
    licences = LicenceKey.objects.filter(line=root.order_line_id).order_by("number")
    events = Event.objects.filter(subject_type="subscriptions.item", subject_id=found.pk)
    return Whole(
        item=found,
        versions=list(versions.order_by("-valid", "-recorded")),
        changes=list(changes.order_by("revision")),
        licences=list(licences),
        bundle=_items(order_line=root.order_line.parent_id).first(),
        parts=list(_items(order_line__parent=root.order_line_id)),
        chain=_chain(root),
        events=list(events.select_related("actor").order_by("-at", "-pk")[:MOST_EVENTS]),
    )


def _items(**which: Any) -> QuerySet[Item]:
    related = ("product_version__product", "account", "subscription")
    return Item.objects.filter(**which).select_related(*related).order_by("pk")


def _chain(root: Item) -> list[Item]:
    """All items of one service, one an account that had it; none where it was never transferred."""
    later = list(_items(root=root.pk))
    return [*_items(pk=root.pk), *later] if later else []
