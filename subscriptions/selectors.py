"""Questions about what is in service: since when, at which quantity, under which Terms."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from django.db.models import Count, OuterRef, Prefetch, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from o2b.customers.models import Account
from orders.models import Order
from subscriptions.models import Equipment, Item, ItemVersion, ServiceState, Subscription

LONGEST_KEY = 18  # digits that always fit into a bigint


def accounts_of_orders(order_ids: Iterable[int]) -> dict[int, Account]:
    """Whose clock each order obeys."""
    orders = Order.objects.filter(pk__in=order_ids).select_related("account__test_clock")
    return {order.pk: order.account for order in orders}


def known_now() -> QuerySet[ItemVersion]:
    """Versions that are believed today: nothing recorded later has replaced them."""
    return ItemVersion.objects.filter(recorded__endswith__isnull=True)


def in_service(
    *, on: date, account_id: int | None = None, subscription_id: int | None = None
) -> QuerySet[ItemVersion]:
    """What is in service on a day as known now: one version an item, its item and Terms with it."""
    versions = known_now().filter(valid__contains=on).exclude(item__state=ServiceState.SUSPENDED)
    if account_id is not None:
        versions = versions.filter(item__account_id=account_id)
    if subscription_id is not None:
        versions = versions.filter(item__subscription_id=subscription_id)
    return versions.select_related("item", "product_version__product", "terms").order_by("item_id")


def held_by(account_id: int) -> QuerySet[Item, tuple[str, Decimal]]:
    """Each product that the account has in service or will have, and how many, as known now."""
    newest = known_now().filter(item=OuterRef("pk")).order_by("-valid").values("quantity")[:1]
    return (
        Item.objects.filter(account_id=account_id)
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
    return found.filter(order_id=order_id) if order_id is not None else found


def subscription(*, subscription_id: int) -> Subscription:
    """One subscription with its account, order and quote."""
    return Subscription.objects.select_related("account__customer", "order__quote").get(
        pk=subscription_id
    )


def items_of(*, subscription_id: int) -> QuerySet[Item]:
    """Items of a subscription, each with all its versions, the newest days first."""
    versions = ItemVersion.objects.select_related("product_version__product", "terms").order_by(
        "-valid", "-recorded"
    )
    return (
        Item.objects.filter(subscription_id=subscription_id)
        .select_related("product_version__product", "order_line")
        .prefetch_related(
            Prefetch("versions", queryset=versions),
            Prefetch("equipment", Equipment.objects.select_related("product_version")),
        )
        .order_by("pk")
    )


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
