"""Questions about what is in service: since when, at which quantity, under which Terms."""

from collections.abc import Sequence
from datetime import date

from django.db.models import Count, Prefetch, Q, QuerySet

from o2b.customers.models import Account
from orders.models import Order
from subscriptions.models import Item, ItemVersion, ServiceState, Subscription


def account_of_order(*, order_id: int) -> Account:
    """Whose clock an order obeys."""
    return Order.objects.select_related("account__test_clock").get(pk=order_id).account


def known_now() -> QuerySet[ItemVersion]:
    """Versions that are believed today: nothing recorded later has replaced them."""
    return ItemVersion.objects.filter(recorded__endswith__isnull=True)


def in_service(
    *, on: date, account_id: int | None = None, subscription_id: int | None = None
) -> QuerySet[ItemVersion]:
    """What is in service on a day as known now: one version an item."""
    versions = known_now().filter(valid__contains=on).exclude(item__state=ServiceState.SUSPENDED)
    if account_id is not None:
        versions = versions.filter(item__account_id=account_id)
    if subscription_id is not None:
        versions = versions.filter(item__subscription_id=subscription_id)
    return versions.select_related("item", "product_version__product", "terms").order_by("item_id")


def subscriptions_for_list() -> QuerySet[Subscription]:
    """Subscriptions with their account and the number of items in service."""
    return Subscription.objects.select_related("account__customer", "order").annotate(
        items_active=Count("items", filter=Q(items__state=ServiceState.ACTIVE)),
    )


def subscriptions_of_account(*, account_id: int) -> QuerySet[Subscription]:
    """The same, of one account, newest first."""
    return subscriptions_for_list().filter(account_id=account_id).order_by("-pk")


def subscription(*, subscription_id: int) -> Subscription:
    """One subscription with all that its page shows of it."""
    return Subscription.objects.select_related("account__customer", "order__quote").get(
        pk=subscription_id
    )


def items_of(*, subscription_ids: Sequence[int]) -> QuerySet[Item]:
    """Items with their versions, newest knowledge first, and the Terms of each."""
    versions = (
        ItemVersion.objects.select_related("product_version__product", "terms")
        .prefetch_related("terms__charges")
        .order_by("-valid", "-recorded")
    )
    return (
        Item.objects.filter(subscription_id__in=subscription_ids)
        .select_related("product_version__product", "order_line", "subscription")
        .prefetch_related(Prefetch("versions", queryset=versions))
        .order_by("pk")
    )


def started_since(*, day: date) -> QuerySet[Subscription]:
    """Subscriptions that came into service on that day or later."""
    return Subscription.objects.filter(started_on__gte=day)


def find_subscriptions(*, text: str, limit: int = 8) -> list[Subscription]:
    """By number (S-123) or by the serial of an item."""
    digits = text.strip().upper().removeprefix("S-").partition(".")[0]
    found = Q(pk__in=Item.objects.filter(serial__icontains=text).values("subscription_id"))
    if digits.isascii() and digits.isdigit() and len(digits) < 19:
        found |= Q(pk=int(digits))
    return list(
        Subscription.objects.filter(found).select_related("account").order_by("-pk")[:limit]
    )
