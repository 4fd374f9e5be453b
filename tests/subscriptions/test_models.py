"""The life cycle that subscriptions and items share; an item is of who ordered it."""

import pytest
from django.db import IntegrityError, transaction

from o2b.fsm import Stateful, law
from orders.models import Order
from subscriptions.models import Item, Subscription
from tests.billing.worlds import in_service, ordered
from tests.factories import a_product, an_account, monthly


@pytest.mark.parametrize("model", [Subscription, Item])
def test_the_law(model: type[Stateful]) -> None:
    assert law(model) == {
        ("pending", "activate", "active"),
        ("active", "suspend", "suspended"),
        ("suspended", "resume", "active"),
        ("pending", "end", "ended"),
        ("active", "end", "ended"),
        ("suspended", "end", "ended"),
    }


def an_item() -> Item:
    return Item.objects.get(account=in_service([a_product(charges=[monthly("5.00")])]))


def an_item_under(order: Order, item: Item, **told: object) -> Item:
    """Another item like this one, under an order whose lines have none yet."""
    subscription = Subscription.objects.create(account=item.account, order=order)
    line = order.lines.get()
    return Item(
        subscription=subscription,
        account=item.account,
        order_line=line,
        product_version=line.product_version,
        **told,
    )


@pytest.mark.django_db
def test_an_item_without_a_root_stands_under_an_order_of_its_own_account() -> None:
    item = an_item()
    foreign = ordered([a_product(charges=[monthly("5.00")])], account=an_account())
    with pytest.raises(IntegrityError, match="order of another account"), transaction.atomic():
        an_item_under(foreign, item).save()
    own = ordered([a_product(charges=[monthly("5.00")])], account=item.account)
    an_item_under(own, item).save()
    with transaction.atomic():
        an_item_under(foreign, item, root=item).save()  # a transfer's: it continues another
    assert Item.objects.count() == 3


@pytest.mark.django_db
def test_an_item_stays_under_an_order_of_its_own_account() -> None:
    item, other = an_item(), an_item()
    foreign = ordered([a_product(charges=[monthly("5.00")])], account=other.account)
    changes: list[dict[str, object]] = [
        {"account": other.account},
        {"order_line": foreign.lines.get()},
        {"subscription": other.subscription},
    ]
    for change in changes:
        with pytest.raises(IntegrityError, match="order of another account"), transaction.atomic():
            Item.objects.filter(pk=item.pk).update(**change)
    with pytest.raises(IntegrityError, match="order of another account"), transaction.atomic():
        Item.objects.bulk_create([an_item_under(foreign, item)])
    Item.objects.filter(pk=item.pk).update(account=other.account, root=other)
    with pytest.raises(IntegrityError, match="order of another account"), transaction.atomic():
        Item.objects.filter(pk=item.pk).update(root=None)
    item.refresh_from_db()
    assert (item.account, item.root) == (other.account, other)
