"""Promises are opened with the order and keep every fact about it."""

from decimal import Decimal

import pytest

from billing.models import Breach, Promise, PromiseFact
from billing.promises.services import BreachNotOpen, note_deliveries, open_promises, resolve_breach
from orders.models import Evidence, OrderLine
from tests.billing.worlds import AT, by_hand, in_service, ordered
from tests.factories import a_product, a_user

pytestmark = pytest.mark.django_db


def test_what_was_quoted_and_ordered_is_written_once() -> None:
    order = ordered([a_product(code="fibre"), a_product(code="phone")], quantity="2")
    assert open_promises(order_id=order.pk, at=AT) == 2
    assert open_promises(order_id=order.pk, at=AT) == 0
    first, second = Promise.objects.all()
    assert (first.product, first.version, first.quantity) == ("fibre", 1, Decimal(2))
    assert second.product == "phone"
    assert sorted(first.facts.values_list("kind", "quantity")) == [
        ("ordered", Decimal(2)),
        ("quoted", Decimal(2)),
    ]


def test_a_delivery_is_a_fact_and_comes_after_its_promise() -> None:
    account = in_service([a_product()])
    order_id = OrderLine.objects.get(account=account).order_id
    assert PromiseFact.objects.filter(kind="delivered").count() == 1
    assert note_deliveries(order_id=order_id, at=AT) == 0
    assert Breach.objects.count() == 0


def test_a_wrong_delivery_is_a_breach_at_once() -> None:
    account = in_service([a_product()])
    line = OrderLine.objects.get(account=account)
    wrong = Evidence.objects.get(line=line)
    by_hand("UPDATE orders_evidence SET quantity = 5 WHERE id = %s", [wrong.pk])
    by_hand(
        "DELETE FROM billing_promisefact WHERE kind = 'delivered' AND source_id = %s", [wrong.pk]
    )
    note_deliveries(order_id=line.order_id, at=AT)
    breach = Breach.objects.get()
    assert (breach.stage, breach.field, breach.promised, breach.actual) == (
        "delivery",
        "quantity",
        "1",
        "delivered 5",
    )
    assert breach.owner_id == account.advocate_id
    me = a_user()
    resolve_breach(breach_id=breach.pk, resolution="counted again", at=AT, actor_id=me.pk)
    with pytest.raises(BreachNotOpen):
        resolve_breach(breach_id=breach.pk, resolution="no", at=AT, actor_id=me.pk)
    breach.refresh_from_db()
    assert breach.resolution == "counted again"
