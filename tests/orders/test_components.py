"""The technical parts of a line: kept as its plan came out, shown on the line and beside a task."""

import pytest
from django.urls import reverse

from orders.laying.steps import PlanFails
from orders.models import Order, OrderLine
from quotes.inputs import LineInput
from tests.factories import a_user
from tests.orders.build import a_product, an_account, by_hand, entered, logged_in

pytestmark = pytest.mark.django_db

ROUTER = {
    "key": "router",
    "name": "Router",
    "quantity": "=quantity * 2",
    "characteristics": {"speed": "=speed", "model": "R7"},
}
LINE = {"key": "line"}


def an_access(components):
    return a_product(
        tasks=[by_hand(component="router"), by_hand(key="b", component="line")],
        components=components,
        characteristics=[{"name": "speed", "type": "integer", "minimum": 1, "maximum": 1000}],
    )


def an_order(components):
    version = an_access(components)
    asked = [LineInput(version.product.code, 3, {"speed": 250})]
    return entered(an_account(), lines=asked)


def test_the_parts_are_kept_as_they_come_out_for_the_line():
    line = an_order([ROUTER, LINE]).lines.get()
    assert line.components == [
        {
            "key": "router",
            "name": "Router",
            "quantity": 6,
            "characteristics": {"speed": 250, "model": "R7"},
        },
        {"key": "line", "name": "line", "quantity": 1, "characteristics": {}},
    ]
    names = [task.component_name for task in line.tasks.order_by("pk")]
    assert names == ["Router", "line"]


def test_a_plan_without_parts_leaves_none():
    line = entered(an_account(), a_product(tasks=[by_hand()])).lines.get()
    assert line.components == []
    assert line.tasks.get().component_name == ""


def test_parts_that_fail_refuse_the_order_and_nothing_is_written():
    wrong = {"key": "router", "quantity": "=1 / (speed - 250)"}
    with pytest.raises(PlanFails) as refused:
        an_order([wrong, LINE])
    assert refused.value.field == "lines[0]"
    assert not Order.objects.exists()
    assert not OrderLine.objects.exists()


def test_they_are_shown_on_the_line_and_beside_the_task():
    order = an_order([ROUTER, LINE])
    task = order.tasks.get(component="router")
    client = logged_in(a_user("order team"))
    page = client.get(reverse("orders:line", args=[task.line_id])).text
    assert "<b>Router</b> × 6 · Model: R7 · Speed: 250" in page
    assert "<b>line</b> × 1" in page
    assert page.count(" · Router") == 1
    assert client.get(order.get_absolute_url()).text.count(" · Router") == 1
    page = client.get(reverse("orders:task", args=[task.pk])).text
    assert "<dt>Component</dt><dd>Router</dd>" in page
