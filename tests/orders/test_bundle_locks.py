"""Who works on one line of a bundle never stands in the way of who looks at the others."""

import threading

import pytest
from django.db import connection, transaction

from orders.fulfilment.services.scene import Scene
from orders.models import OrderLine
from tests.orders.build import a_placed_order

pytestmark = pytest.mark.django_db(transaction=True)


def change_twice(pk: int, faults: list[Exception]) -> None:
    """As a part does that is delivered and completed at once: its foreign keys are looked up."""
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '1500ms'")
            line = OrderLine.objects.get(pk=pk)
            for reason in ("begun", "ended"):
                line.reason = reason
                line.save()
    except Exception as fault:
        faults.append(fault)
    finally:
        connection.close()


def test_a_part_ends_while_the_line_of_its_bundle_is_locked():
    head, part = a_placed_order(lines=2).lines.order_by("pk")
    OrderLine.objects.filter(pk=part.pk).update(parent=head)
    faults: list[Exception] = []

    with transaction.atomic():
        Scene.of_line(head.pk)
        other = threading.Thread(target=change_twice, args=(part.pk, faults))
        other.start()
        other.join()

    assert faults == []
    part.refresh_from_db()
    assert part.reason == "ended"
