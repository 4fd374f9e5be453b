"""The install base knows every piece by its serial: parts add up, a correction replaces."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.models import Evidence, OrderLine, Task
from subscriptions import selectors, services
from subscriptions.models import Equipment, Subscription
from tests.factories import a_product, a_user
from tests.orders.build import logged_in
from tests.subscriptions.build import AT, a_line, an_order

pytestmark = pytest.mark.django_db


def shown(line: OrderLine, key: str, *serials: str, by: bool = False, part: bool = False) -> None:
    task = Task.objects.filter(line=line, key=key).first() or Task.objects.create(
        order=line.order, line=line, account_id=line.account_id, key=key, kind="manual"
    )
    Evidence.objects.create(
        task=task,
        line=line,
        product_version=line.product_version,
        quantity=len(serials),
        serials=list(serials),
        is_part=part,
        by=a_user() if by else None,
        at=AT,
    )


def pieces(line: OrderLine) -> list[str]:
    services.start_items(order_id=line.order_id, at=AT)
    found = Equipment.objects.filter(item__order_line=line).order_by("serial")
    return list(found.values_list("serial", flat=True))


def test_parts_of_all_tasks_add_up() -> None:
    line = a_line(an_order(), a_product(), quantity="3")
    shown(line, "a", "S1", "S2", part=True)
    shown(line, "a", "S3", part=True)
    shown(line, "b", "S3", "S4")
    assert pieces(line) == ["S1", "S2", "S3", "S4"]


def test_a_correction_replaces_and_people_go_before_machines() -> None:
    line = a_line(an_order(), a_product(), quantity="1", serials=["OLD", "NEW"])
    assert pieces(line) == ["NEW"]
    other = a_line(an_order(), a_product())
    shown(other, "machine", "M-1")
    shown(other, "person", "P-1", by=True)
    assert pieces(other) == ["P-1"]


def test_one_query_for_all_and_none_twice() -> None:
    order = an_order()
    for _ in range(3):
        shown(a_line(order, a_product()), "a", "S")
    with CaptureQueriesContext(connection) as captured:
        services.start_items(order_id=order.pk, at=AT)
    wrote = [q["sql"] for q in captured if q["sql"].startswith('INSERT INTO "subscriptions_equ')]
    assert len(wrote) == 1
    services.start_items(order_id=order.pk, at=AT)
    assert Equipment.objects.count() == 3


def test_the_page_and_the_search_know_them() -> None:
    line = a_line(an_order(), a_product(), quantity="2")
    shown(line, "a", "SN-1", "SN-2")
    pieces(line)
    subscription = Subscription.objects.get()
    text = logged_in(a_user("sales")).get(subscription.get_absolute_url()).text
    assert ("2 pieces of equipment" in text, "SN-1" in text, "SN-2" in text) == (True, True, True)
    assert selectors.find_subscriptions(text="SN-2") == [subscription]
