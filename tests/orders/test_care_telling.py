"""What the advocate hears as an order goes, and the letter that its customer gets."""

import email
from email import policy
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.db import connection
from django.test.utils import CaptureQueriesContext

from o2b import clock, events
from o2b.customers.models import Contact
from o2b.models import Outbox
from o2b.people.models import Notice
from orders.care import links, services
from orders.care.services.letters import mail_tracking_links
from orders.fulfilment.services import claim_task, fail_task
from orders.models import Order, OrderLine, Queue, Task
from orders.services import place_order
from tests.factories import a_product, a_sent_quote, a_user
from tests.orders.build import ACTIVATE, INSTALL, LATER, NOON, a_placed_order, a_worker, by_hand
from tests.orders.careful import an_order, heard, under_a_clock

pytestmark = pytest.mark.django_db


def placed_now(**account: Any) -> Order:
    """An order of this moment, by the machine's clock."""
    owner = under_a_clock(**account)
    quote = a_sent_quote(account=owner, products=[a_product(tasks=INSTALL)], at=clock.now())
    return place_order(quote_id=quote.pk, by="Ann Hall", at=clock.now())


def test_accepted_and_delivered_each_order_once() -> None:
    order = an_order(lines=5)
    mara, name = order.account.advocate, order.account.name
    events.drain()
    assert heard(mara) == [
        f"Order {order} of {name} is accepted: 5 lines",
        f"Order {order} of {name} is delivered: all 5 lines",
    ]
    accepted, delivered = Notice.objects.filter(user=mara).order_by("pk")
    assert (accepted.topic, accepted.url) == ("accepted", f"/orders/{order.pk}/")
    assert (delivered.topic, delivered.tone) == ("delivered", "good")
    assert accepted.text.endswith(" and 2 more")
    services.tell_placed(order_ids=[order.pk], machine_now=NOON)
    services.tell_delivered(order_ids=[order.pk])
    assert len(heard(mara)) == 2


def test_parts_are_told_as_they_come() -> None:
    order = an_order(tasks=ACTIVATE, lines=2)
    mara, name = order.account.advocate, order.account.name
    first, second = OrderLine.objects.filter(order=order).order_by("position")
    done = {"state": "completed", "delivered_at": LATER, "delivered_on": LATER.date()}
    OrderLine.objects.filter(pk=first.pk).update(**done)
    services.tell_delivered(order_ids=[order.pk])
    assert heard(mara) == [f"Order {order} of {name}: 1 of 2 lines are delivered"]
    OrderLine.objects.filter(pk=second.pk).update(state="cancelled")
    services.tell_delivered(order_ids=[order.pk])
    assert len(heard(mara)) == 1
    assert Notice.objects.get().text == str(first.product_version.product)


def test_fallout_is_told_to_the_advocate_and_the_owner_of_the_queue_each_time() -> None:
    owner = a_user()
    Queue.objects.create(code="field", name="Field", owner=owner)
    order = an_order(tasks=[by_hand("serial")])
    mara, ada = order.account.advocate, a_worker()
    events.drain()
    task = Task.objects.get(order=order)
    claim_task(task_id=task.pk, user_id=ada.pk, at=LATER)
    fail_task(task_id=task.pk, user_id=ada.pk, reason="The duct is full", at=LATER)
    events.drain()
    told = f"Order {order} of {order.account.name}: a line fell out"
    assert (heard(mara)[1:], heard(owner)) == ([told], [told])
    notice = Notice.objects.get(user=owner)
    assert (notice.tone, notice.at) == ("bad", LATER)
    assert "The duct is full" in notice.text
    services.tell_fallen(order_ids=[order.pk])
    assert heard(owner) == [told]


def test_a_batch_costs_the_same_whatever_its_size() -> None:
    orders = [an_order(lines=2) for _ in range(6)]
    Contact.objects.create(customer=orders[0].account.customer, name="Ann", email="ann@example.com")
    counts = []
    for batch in (orders[:1], orders):
        keys = [order.pk for order in batch]
        with CaptureQueriesContext(connection) as asked:
            services.tell_placed(order_ids=keys, machine_now=NOON)
            services.tell_delivered(order_ids=keys)
        counts.append(len(asked))
    assert counts[1] <= counts[0]
    assert Notice.objects.count() == 6


def test_the_customer_gets_the_link_in_their_language() -> None:
    order = placed_now()
    customer = order.account.customer
    customer.country = "AT"
    customer.save()
    Contact.objects.create(customer=customer, name="Bo", email="bo@example.com")
    Contact.objects.create(customer=customer, name="Ann", email="ann@example.com", signs=True)
    events.drain()
    (letter,) = [m for m in mail.outbox if m.to == ["ann@example.com"]]
    assert links.address(order.pk) in letter.body
    assert str(order.account.advocate) in letter.body
    assert letter.extra_headers["Message-ID"] == f"<order-{order.pk}-accepted@localhost>"
    assert not Outbox.objects.filter(task="care.mail_tracking_links").exists()
    email.message_from_bytes(letter.message().as_bytes(), policy=policy.default)


def test_nobody_is_mailed_without_an_address_or_about_history() -> None:
    placed_now()
    old = an_order()
    Contact.objects.create(customer=old.account.customer, name="Ann", email="ann@example.com")
    events.drain()
    assert mail.outbox == []


def test_the_letter_stays_owed_while_the_server_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    order = placed_now()
    Contact.objects.create(customer=order.account.customer, name="Ann", email="ann@example.com")
    services.tell_placed(order_ids=[order.pk], machine_now=clock.now())
    owed = Outbox.objects.get(task="care.mail_tracking_links")

    def away(_: EmailMessage, **__: Any) -> int:
        raise TimeoutError("timed out")

    with monkeypatch.context() as patch:
        patch.setattr(EmailMessage, "send", away)
        with pytest.raises(Exception, match="timed out"):
            mail_tracking_links(owed={order.pk: [owed.pk]}, machine_now=clock.now())
    assert Outbox.objects.filter(pk=owed.pk).exists()
    assert mail_tracking_links(owed={order.pk: [owed.pk]}, machine_now=clock.now()) == 1
    assert not Outbox.objects.filter(pk=owed.pk).exists()
    assert len(mail.outbox) == 1


def test_an_order_without_lines_or_orders_that_are_not_there() -> None:
    services.tell_placed(order_ids=[10**9], machine_now=NOON)
    services.tell_delivered(order_ids=[10**9])
    services.tell_fallen(order_ids=[10**9])
    a_placed_order()
    assert not Notice.objects.exists()
