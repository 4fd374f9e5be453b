"""The benches of orders measure what they say they measure."""

import pytest

from orders.fulfilment.bench import measure, world
from orders.models import Order, Task

pytestmark = pytest.mark.django_db


def test_laying_accepts_a_real_quote_whose_plans_have_every_kind_of_step():
    made = world.build()
    told = measure.laying(made, lines=4, rounds=1)
    assert (told["laying_lines"], told["laying_tasks"]) == (4, 40)
    assert not Order.objects.exists()  # each round is rolled back
    quote = world.offer(made, lines=2)
    measure.place_order(quote_id=quote.pk, by="Ann Hall", at=measure.clock.now())
    laid = Task.objects.order_by("line", "pk")
    assert set(laid.values_list("kind", flat=True)) == {"manual", "automatic"}
    assert set(laid.values_list("queue__code", flat=True)) == {"planning", "field", None}
    both = [set(laid.filter(line__position=n).values_list("key", flat=True)) for n in (1, 2)]
    assert (both[0] - both[1], both[1] - both[0]) == ({"microwave"}, {"permit"})
    assert [task.parameters for task in laid.filter(key="wait")] == [{"days": 3}] * 2
