"""Orders for a later day: nothing is begun before it, and it comes where the account lives."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from o2b.customers.models import TestClock
from o2b.errors import Refused
from o2b.models import Event, Outbox
from orders import services
from orders.models import Order, Task
from tests.factories import ACTIVATE
from tests.orders.build import (
    INSTALL,
    NOON,
    a_product,
    a_sent_quote,
    advance,
    an_account,
    entered,
    happened,
    states,
    team,
    written,
)

pytestmark = pytest.mark.django_db

LATER = date(2026, 2, 10)


def test_nothing_is_begun_before_the_day():
    order = entered(an_account(), a_product(tasks=INSTALL), work_from=LATER)
    assert order.work_from == LATER
    assert states(order) == (["accepted"], ["blocked", "blocked"])
    assert advance(order) == 0
    assert services.begin_due_orders(machine_now=datetime(2026, 2, 9, 23, 59, tzinfo=UTC)) == 0
    assert states(order)[0] == ["accepted"]
    assert services.begin_due_orders(machine_now=datetime(2026, 2, 10, 0, 1, tzinfo=UTC)) == 1
    assert states(order) == (["scheduled"], ["ready", "blocked"])
    assert services.begin_due_orders(machine_now=datetime(2026, 2, 10, 0, 2, tzinfo=UTC)) == 0
    assert happened(order) == [
        "order.placed",
        "order_line.scheduled",
        "task.ready",
        "order.woken",
    ]
    assert Outbox.objects.filter(event_name="order.woken", key=order.pk).count() == 1


def test_a_start_of_billing_alone_lets_work_begin_now():
    order = entered(an_account(), a_product(), start_on=LATER)
    assert states(order) == (["scheduled"], ["ready"])


@pytest.mark.parametrize("day", [NOON.date(), NOON.date() - timedelta(days=3)])
def test_work_from_today_or_before_begins_now(day):
    order = entered(an_account(), a_product(), work_from=day)
    assert states(order) == (["scheduled"], ["ready"])


@pytest.mark.parametrize(
    ("zone", "moment", "begun"),
    [
        ("Pacific/Auckland", datetime(2026, 2, 9, 11, 30, tzinfo=UTC), 1),
        ("America/Los_Angeles", datetime(2026, 2, 10, 7, 30, tzinfo=UTC), 0),
        ("America/Los_Angeles", datetime(2026, 2, 10, 8, 30, tzinfo=UTC), 1),
    ],
)
def test_the_day_is_the_accounts_own(zone, moment, begun):
    entered(an_account(time_zone=zone), a_product(), work_from=LATER)
    assert services.begin_due_orders(machine_now=moment) == begun


def test_a_test_clock_alone_lets_the_day_come():
    clock = TestClock.objects.create(name="stepped", now=NOON)
    order = entered(an_account(test_clock=clock), a_product(), work_from=LATER)
    machine_now = datetime(2030, 1, 1, tzinfo=UTC)
    assert services.begin_due_orders(machine_now=machine_now) == 0
    clock.now = datetime(2026, 2, 10, 9, tzinfo=UTC)
    clock.save()
    assert services.begin_due_orders(machine_now=machine_now) == 1
    order.refresh_from_db()
    assert order.lines.get().scheduled_at == clock.now


def test_many_orders_begin_in_the_queries_of_one():
    account, product = an_account(), a_product(tasks=INSTALL)

    def begin() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            services.begin_due_orders(machine_now=datetime(2026, 2, 11, tzinfo=UTC))
        return len(queries)

    entered(account, product, work_from=LATER)
    one = begin()
    for _each in range(6):
        entered(account, product, work_from=LATER)
    assert begin() == one
    assert {state for order in Order.objects.all() for state in states(order)[0]} == {"scheduled"}


def test_what_has_not_begun_is_cancelled_at_once():
    order = entered(an_account(), a_product(), work_from=LATER)
    results = services.cancel_order(order_id=order.pk, at=NOON, reason="Changed their mind")
    assert [(r.done, r.state) for r in results] == [(True, "cancelled")]
    assert states(order) == (["cancelled"], ["cancelled"])
    assert services.begin_due_orders(machine_now=datetime(2026, 3, 1, tzinfo=UTC)) == 0


def test_the_day_is_moved_with_a_reason():
    order = entered(an_account(), a_product(), work_from=LATER)
    moved = services.change_work_from(
        order_id=order.pk, work_from=date(2026, 3, 1), at=NOON, reason="The house is not ready"
    )
    assert moved.work_from == date(2026, 3, 1)
    event = Event.objects.get(name="order.rescheduled")
    assert event.facts == {
        "before": "2026-02-10",
        "after": "2026-03-01",
        "reason": "The house is not ready",
    }
    assert services.begin_due_orders(machine_now=datetime(2026, 2, 11, tzinfo=UTC)) == 0
    services.change_work_from(order_id=order.pk, work_from=None, at=NOON, reason="Ready after all")
    assert states(order) == (["scheduled"], ["ready"])
    assert happened(order)[-1] == "order.woken"


BAD_MOVES: list[tuple[dict[str, Any], str, str]] = [
    ({"work_from": LATER}, "work_from_unchanged", "work_from"),
    ({"work_from": date(2300, 1, 1)}, "day_invalid", "work_from"),
    ({"work_from": date(2026, 2, 12), "reason": " "}, "reason_missing", "reason"),
    ({"work_from": date(2026, 2, 12), "reason": "\0"}, "reason_missing", "reason"),
]


@pytest.mark.parametrize(("fault", "code", "field"), BAD_MOVES)
def test_a_day_that_cannot_be_is_refused(fault, code, field):
    order = entered(an_account(), a_product(), work_from=LATER, promised_on=date(2026, 2, 20))
    before = written()
    asked = {"order_id": order.pk, "at": NOON, "reason": "Why not"} | fault
    with pytest.raises(Refused) as refused:
        services.change_work_from(**asked)
    assert (refused.value.code, refused.value.field) == (code, field)
    order.refresh_from_db()
    assert (order.work_from, written()) == (LATER, before)


def test_what_has_begun_has_its_day():
    order = entered(an_account(), a_product())
    before = written()
    with pytest.raises(services.OrderBegun):
        services.change_work_from(order_id=order.pk, work_from=LATER, at=NOON, reason="Wait")
    assert written() == before


BAD: list[tuple[dict[str, Any], str]] = [
    ({"work_from": date(1900, 1, 1)}, "work_from"),
    ({"work_from": date(2999, 1, 1)}, "work_from"),
    ({"promised_on": date(2026, 1, 30)}, "promised_on"),
    ({"promised_on": date(9999, 12, 31)}, "promised_on"),
    ({"promised_on": date(2026, 2, 9), "work_from": LATER}, "promised_on"),
    ({"priority": 7}, "priority"),
    ({"priority": True}, "priority"),
    ({"priority": "high"}, "priority"),
]


@pytest.mark.parametrize(("fault", "field"), BAD)
def test_days_and_priority_are_refused_by_field(fault, field):
    account, product = an_account(), a_product()
    before = written()
    with pytest.raises(Refused) as refused:
        entered(account, product, **fault)
    assert (refused.value.field, refused.value.status) == (field, 422)
    assert written() == before


def test_a_quote_may_be_ordered_for_a_later_day():
    quote = a_sent_quote(products=[a_product(tasks=ACTIVATE)])
    order = services.place_order(
        quote_id=quote.pk, by="Ann", at=NOON, work_from=LATER, promised_on=date(2026, 2, 12)
    )
    assert (order.work_from, order.promised_on) == (LATER, date(2026, 2, 12))
    assert states(order) == (["accepted"], ["blocked"])


def test_the_page_takes_days_and_priority_and_shows_what_is_wrong_beside_them():
    account, product = an_account(), a_product()
    client = team()
    sent = {
        "account": account.reference,
        "lines": "1",
        "lines-0-product": product.product.code,
        "lines-0-quantity": "1",
        "do": "place",
        "work_from": "2199-01-01",
        "promised_on": "2020-01-01",
        "priority": "1",
    }
    before = written()
    page = client.post(reverse("orders:new"), sent)
    assert (page.status_code, written()) == (422, before)
    assert "No calendar of ours reaches this day." in page.text
    for bad in ({"work_from": "soon"}, {"priority": "9"}, {"promised_on": "\0"}):
        assert client.post(reverse("orders:new"), sent | bad).status_code == 422
    assert written() == before
    good = {"work_from": "2090-01-01", "promised_on": "2090-02-01"}
    assert client.post(reverse("orders:new"), sent | good).status_code == 302
    order = Order.objects.get()
    assert (order.work_from, order.promised_on, order.priority) == (
        date(2090, 1, 1),
        date(2090, 2, 1),
        1,
    )
    assert Task.objects.get().priority == 1
    detail = client.get(order.get_absolute_url()).text
    assert "work from 1 Jan 2090" in detail
    assert "Work from another day" in detail
