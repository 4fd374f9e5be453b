"""Work for tests: tasks claimed, tasks of several pieces, people who lead."""

from typing import Any

from o2b.people.models import User
from orders import services
from orders.models import Order, OrderLine, Queue, QueueMember, Task
from tests.factories import a_product, a_sent_quote, a_user, an_account
from tests.orders.build import LATER, NOON, a_worker, by_hand


def an_order_of(quantity: str = "1", *wants: str, **given: Any) -> Order:
    """An order of one line with one step by hand that asks for this."""
    product = a_product(tasks=[by_hand(*wants, **given)])
    quote = a_sent_quote(account=an_account(), products=[product], quantity=quantity)
    return services.place_order(quote_id=quote.pk, by="Ann Hall", at=NOON)


def claimed(quantity: str = "1", *wants: str, **given: Any) -> tuple[Task, User]:
    """Its task, claimed by somebody of the queue."""
    order, user = an_order_of(quantity, *wants, **given), a_worker()
    task = Task.objects.get(order=order)
    return services.claim_task(task_id=task.pk, user_id=user.pk, at=LATER), user


def a_lead(queue: str = "field") -> User:
    """Somebody who leads the order team and works in the queue, too."""
    user = a_user("order lead")
    made = Queue.objects.get_or_create(code=queue, defaults={"name": queue})[0]
    QueueMember.objects.create(queue=made, user=user)
    return user


def skilled(*skills: str, capacity: int = 0, queue: str = "field") -> User:
    user = a_worker(queue)
    QueueMember.objects.filter(user=user).update(skills=list(skills), capacity=capacity)
    return user


def line_of(task: Task) -> OrderLine:
    return OrderLine.objects.get(pk=task.line_id)


def state_of(task: Task) -> str:
    return str(Task.objects.values_list("state", flat=True).get(pk=task.pk))
