"""Questions about what is in service: since when, at which quantity, under which Terms."""

from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    IntegerField,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Sum,
    When,
)
from django.db.models.functions import Coalesce

from o2b.customers.models import Account
from orders.models import Order
from subscriptions.asof import Look, its_day
from subscriptions.models import (
    Equipment,
    Item,
    ItemChange,
    ItemVersion,
    ServiceState,
    Standing,
    Subscription,
)

LONGEST_KEY = 18  # digits that always fit into a bigint
REAL = Q(root__isnull=False) | Q(order_line__in_service__isnull=True)


def accounts_of_orders(order_ids: Iterable[int]) -> dict[int, Account]:
    """Whose clock each order obeys."""
    orders = Order.objects.filter(pk__in=order_ids).select_related("account__test_clock")
    return {order.pk: order.account for order in orders}


def known_now() -> QuerySet[ItemVersion]:
    """Versions that are believed today: nothing recorded later has replaced them."""
    return ItemVersion.objects.filter(recorded__endswith__isnull=True)


def known_at(moment: datetime | None) -> QuerySet[ItemVersion]:
    """Versions that were believed at a moment; without one, those that are now."""
    return known_now() if moment is None else ItemVersion.objects.filter(recorded__contains=moment)


def in_service(
    *,
    on: date,
    account_id: int | None = None,
    subscription_id: int | None = None,
    known: datetime | None = None,
) -> QuerySet[ItemVersion]:
    """What is in use on a day, as known at a moment (now): a version an item, its Terms with it."""
    versions = known_at(known).filter(valid__contains=on, standing=Standing.IN_USE)
    if account_id is not None:
        versions = versions.filter(item__account_id=account_id)
    if subscription_id is not None:
        versions = versions.filter(item__subscription_id=subscription_id)
    return versions.select_related("item", "product_version__product", "terms").order_by("item_id")


def real_items() -> QuerySet[Item]:
    """Items that somebody has; not those that only bill the leaving of another service.

    The line of such a one tells what it found in service, and it continues no other item.
    """
    return Item.objects.filter(REAL)


def held_by(account_id: int) -> QuerySet[Item, tuple[str, Decimal]]:
    """Each product that the account has in service or will have, and how many, as known now."""
    newest = known_now().filter(item=OuterRef("pk")).order_by("-valid").values("quantity")[:1]
    return (
        real_items()
        .filter(account_id=account_id)
        .exclude(state=ServiceState.ENDED)
        .order_by()
        .annotate(units=Subquery(newest))
        .values_list("product_version__product__code")
        .annotate(Sum("units"))
    )


def subscriptions_for_list() -> QuerySet[Subscription]:
    """Subscriptions with account, order and `items_active`, the number of items in use."""
    active = (
        Item.objects.filter(subscription=OuterRef("pk"), state=ServiceState.ACTIVE)
        .order_by()
        .values("subscription")
        .annotate(n=Count("pk"))
        .values("n")
    )
    return Subscription.objects.select_related("account__customer", "order").annotate(
        items_active=Coalesce(Subquery(active), 0)
    )


def subscriptions_of(
    *, account_id: int | None = None, order_id: int | None = None
) -> QuerySet[Subscription]:
    """The same of one account or one order, newest first."""
    found = subscriptions_for_list().order_by("-pk")
    if account_id is not None:
        found = found.filter(account_id=account_id)
    return found.filter(_of_order(order_id)) if order_id is not None else found


def _of_order(order_id: int) -> Q:
    """What began with the order, and what it changed."""
    changed = ItemChange.objects.filter(order_line__order=order_id).values("item")
    items = Item.objects.filter(Q(pk__in=changed) | Q(root__in=changed))
    return Q(order_id=order_id) | Q(pk__in=items.values("subscription"))


def with_worth(rows: QuerySet[Subscription], *, machine_now: datetime) -> QuerySet[Subscription]:
    """Subscriptions whose items have `served`, what they are today; in three queries whatever."""
    today = known_now().alias(day=its_day(machine_now, account="item__account"))
    versions = today.filter(valid__contains=F("day"), billed=True).select_related("terms")
    items = Item.objects.prefetch_related(Prefetch("versions", versions, to_attr="served"))
    return rows.select_related("account__test_clock").prefetch_related(
        Prefetch("items", items, to_attr="worth")
    )


def with_product(rows: QuerySet[Subscription], told: str) -> QuerySet[Subscription]:
    """Those with an item of a product, by its code or a part of its name."""
    product = "product_version__product"
    meant = Q(**{f"{product}__code__iexact": told}) | Q(**{f"{product}__name__icontains": told})
    return rows.filter(_some(Item.objects.filter(meant)))


def ending_until(rows: QuerySet[Subscription], day: date) -> QuerySet[Subscription]:
    """Those of which an item is still to end, by that day."""
    ends = real_items().exclude(state=ServiceState.ENDED).filter(ended_on__lte=day)
    return rows.filter(_some(ends))


def suspended(rows: QuerySet[Subscription], told: str) -> QuerySet[Subscription]:
    """Those with a suspended item, or without one."""
    some = _some(real_items().filter(state=ServiceState.SUSPENDED))
    return rows.filter(some if told == "yes" else ~some)


def changed_since(rows: QuerySet[Subscription], day: date) -> QuerySet[Subscription]:
    """Those of which a change was recorded on that day or later."""
    since = datetime.combine(day, time(0), UTC)
    changed = ItemChange.objects.filter(recorded_at__gte=since).values("item")
    return rows.filter(_some(Item.objects.filter(Q(pk__in=changed) | Q(root__in=changed))))


def _some(items: QuerySet[Item]) -> Exists:
    return Exists(items.filter(subscription=OuterRef("pk")))


def ending(*, machine_now: datetime) -> QuerySet[Any]:
    """Items that are still to end where they live; not what goes on with another account."""
    goes_on = (
        known_now()
        .filter(item__root=Coalesce(OuterRef("root_id"), OuterRef("pk")))
        .filter(valid__startswith__gte=OuterRef("ended_on"))
        .exclude(item=OuterRef("pk"))
    )
    return (
        real_items()
        .annotate(day=its_day(machine_now))
        .filter(ended_on__gt=F("day"))
        .exclude(state=ServiceState.ENDED)
        .filter(~Exists(goes_on))
        .select_related("account__customer", "subscription", "product_version__product")
    )


def subscription(*, subscription_id: int) -> Subscription:
    """One subscription with its account, order and quote."""
    related = ("account__customer", "account__test_clock", "order__quote")
    return Subscription.objects.select_related(*related).get(pk=subscription_id)


def items_of(*, subscription_id: int) -> QuerySet[Item]:
    """Items of a subscription, each with all its versions, the newest days first."""
    versions = ItemVersion.objects.select_related("product_version__product", "terms").order_by(
        "-valid", "-recorded"
    )
    return (
        Item.objects.filter(subscription_id=subscription_id)
        .select_related("product_version__product", "order_line", "account")
        .prefetch_related(
            Prefetch("versions", queryset=versions),
            Prefetch("equipment", Equipment.objects.select_related("product_version")),
        )
        .order_by("pk")
    )


def services_of(*, account_id: int, look: Look, first: Collection[int] = ()) -> QuerySet[Item]:
    """The account's items that are not over, each with `served`, what it is on the day.

    Those of the chains that are named `first` come before the others.
    """
    named = Q(pk__in=first) | Q(root__in=first)
    versions = known_at(look.until).filter(valid__contains=look.on).select_related("terms")
    return (
        real_items()
        .filter(account_id=account_id)
        .exclude(state=ServiceState.ENDED)
        .select_related("product_version__product", "subscription")
        .prefetch_related(Prefetch("versions", versions, to_attr="served"))
        .order_by(Case(When(named, then=0), default=1, output_field=IntegerField()), "pk")
    )


def legs_of(items: Iterable[Item]) -> dict[int, list[Item]]:
    """First of a chain → all items of the service, one an account that had it."""
    roots = {item.root_id_or_own for item in items}
    found = Item.objects.filter(Q(pk__in=roots) | Q(root__in=roots))
    chains: dict[int, list[Item]] = {}
    days = ItemVersion.objects.only("item", "valid", "recorded")
    found = found.prefetch_related(Prefetch("versions", days))
    for item in found.select_related("account", "subscription").order_by("pk"):
        chains.setdefault(item.root_id_or_own, []).append(item)
    return chains


def active() -> QuerySet[Subscription]:
    """Subscriptions in use."""
    return Subscription.objects.filter(state=ServiceState.ACTIVE)


def started_between(*, start: date, end: date) -> QuerySet[Subscription]:
    """Subscriptions that came into service in these days; `end` is the first day outside."""
    return Subscription.objects.filter(started_on__gte=start, started_on__lt=end)


def with_serial(rows: QuerySet[Subscription], *, text: str) -> QuerySet[Subscription]:
    """Those of the rows that have an item or a piece of equipment with this serial."""
    return rows.filter(_with_serial(text))


def _with_serial(text: str) -> Q:
    """The item's own serial holds the text, or one of its pieces is called so."""
    items = Item.objects.filter(serial__icontains=text)
    pieces = Equipment.objects.filter(serial=text)
    return Q(pk__in=items.values("subscription_id")) | Q(pk__in=pieces.values("item__subscription"))


def find_subscriptions(*, text: str, limit: int = 8) -> list[Subscription]:
    """By number (S-123, or S-123.4 of an item) or by the serial of an item."""
    found = _with_serial(text)
    digits = text.upper().removeprefix("S-").partition(".")[0]
    if digits.isascii() and digits.isdigit() and len(digits) <= LONGEST_KEY:
        found |= Q(pk=int(digits))
    return list(
        Subscription.objects.filter(found).select_related("account").order_by("-pk")[:limit]
    )
