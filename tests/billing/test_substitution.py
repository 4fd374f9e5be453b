"""Another version than promised: with the advocate's word no breach, and the same bill."""

from datetime import timedelta

import pytest

from billing.models import Breach, PromiseFact
from billing.promises.selectors import broken
from o2b import events
from o2b.catalog.models import ProductVersion
from o2b.catalog.services import publish_product_version
from orders import services
from orders.models import Approval, Evidence, OrderLine, Task
from orders.work import services as work
from subscriptions.models import Equipment, ItemVersion
from tests.billing.worlds import AT, bills, by_hand, drafted, finalised, ordered
from tests.factories import LONG_AGO, a_product
from tests.orders.build import a_worker
from tests.orders.build import by_hand as a_step

pytestmark = pytest.mark.django_db


def delivered(version: str | None = None, *, quantity: str = "1") -> OrderLine:
    """A line delivered by hand; as another version, if one is named, which was approved."""
    product = a_product(tasks=[a_step("version")])
    order = ordered([product], quantity=quantity)
    events.drain()
    task, worker = Task.objects.get(order=order), a_worker()
    services.claim_task(task_id=task.pk, user_id=worker.pk, at=AT)
    if version:
        two = ProductVersion.objects.create(product=product.product, number=2)
        publish_product_version(version_id=two.pk, at=LONG_AGO + timedelta(days=1))
        asked = work.ask_substitution(
            task_id=task.pk, user_id=worker.pk, version=version, reason="sold out", at=AT
        )
        work.grant_approval(
            approval_id=asked.pk, user_id=order.account.advocate_id, at=AT, machine_now=AT
        )
    services.complete_task(
        task_id=task.pk, user_id=worker.pk, at=AT, version=version or "1", serial="SN-1"
    )
    events.drain()
    return OrderLine.objects.get(order=order)


def billed(line: OrderLine) -> list[tuple[str, str, str]]:
    run = finalised(account_ids=[line.account_id])
    assert run.state == "finalised"
    return bills(line.account)


def test_the_bill_of_a_substitute_is_that_of_the_promise() -> None:
    promised, instead = delivered(), delivered("2")
    assert instead.state == "completed"
    assert billed(promised) == billed(instead)
    assert not Breach.objects.exists()
    kept = PromiseFact.objects.filter(kind="delivered", promise__order_line=instead)
    assert list(kept.values_list("version", flat=True)) == [2]  # the fact says what was delivered
    version = ItemVersion.objects.get(item__order_line=instead)
    assert version.terms_id == instead.terms_id
    piece = Equipment.objects.get(item__order_line=instead)
    assert (piece.serial, piece.product_version.number) == ("SN-1", 2)


def test_without_the_advocates_word_it_is_a_breach() -> None:
    line = delivered("2")
    by_hand("UPDATE orders_approval SET state = 'refused' WHERE line_id = %s", [line.pk])
    run = drafted(account_ids=[line.account_id])
    assert Breach.objects.filter(run=run).values_list("field", "promised", "actual").get() == (
        "version",
        "1",
        "delivered 2",
    )
    assert Approval.objects.get().state == "refused"


def test_parts_are_the_promise_when_they_add_up() -> None:
    product = a_product(tasks=[a_step("serials")])
    order = ordered([product], quantity="3")
    events.drain()
    task, worker = Task.objects.get(order=order), a_worker()
    mine = {"task_id": task.pk, "user_id": worker.pk, "at": AT}
    services.claim_task(**mine)
    services.record_part(quantity="1", serials=["a"], **mine)
    services.record_part(quantity="2", serials=["b", "c"], **mine)
    events.drain()
    line = OrderLine.objects.get(order=order)
    assert [amount for _, _, amount in billed(line)] == ["149.70"]
    assert not Breach.objects.exists()
    pieces = Equipment.objects.filter(item__order_line=line).order_by("serial")
    assert list(pieces.values_list("serial", flat=True)) == ["a", "b", "c"]
    short = Evidence.objects.filter(line=line).order_by("pk").last()
    assert short is not None
    by_hand("UPDATE orders_evidence SET quantity = 1 WHERE id = %s", [short.pk])
    found = broken(which="promise.order_line_id = %s", values=[line.pk])
    assert {(each.field, each.promised, each.actual) for each in found} == {("quantity", "3", "2")}
