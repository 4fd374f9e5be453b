"""Forecasts, promised days, and orders whose promise is in danger."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from o2b.models import Event
from o2b.people.models import Notice
from orders import services
from orders.fulfilment.services import refusals as no
from orders.models import Order, Task
from orders.timing import services as timing
from orders.timing.selectors import OWN_NEWS, in_time
from orders.timing.services.forecasts import DayImpossible, NothingToPromise
from tests.factories import an_account
from tests.orders.build import (
    ACTIVATE,
    LATER,
    a_placed_order,
    a_product,
    a_worker,
    entered,
    written,
)
from tests.orders.time_build import (
    MONDAY,
    a_timed_account,
    after,
    an_office_queue,
    step,
    timed,
    watch,
)

pytestmark = pytest.mark.django_db


def forecast(order: Order, machine_now: Any = MONDAY) -> Order:
    timing.forecast_orders(order_ids=[order.pk], machine_now=machine_now)
    return Order.objects.get(pk=order.pk)


def an_order(*tasks: Any, **given: Any) -> Order:
    """Entered on Monday, 9:00, for an account under a test clock."""
    fields: dict[str, Any] = {"at": MONDAY} | given
    account = fields.pop("account", None) or a_timed_account()
    return entered(account, a_product(tasks=list(tasks) or [timed()]), **fields)


def test_placing_an_order_promises_the_day_of_its_forecast(drain: Callable[[], int]):
    an_office_queue()
    order = an_order(timed("a", estimate=9 * 60), timed("b", estimate=9 * 60, after=["a"]))
    drain()
    order.refresh_from_db()
    # Monday from 9 to 17 and Tuesday to 9; then nine hours: until Wednesday, 9:00.
    assert order.forecast_at == after(days=2)
    assert (order.promised_on, order.jeopardy) == (date(2026, 2, 4), "green")
    assert order.forecast_when_promised == order.forecast_at
    event = Event.objects.get(name="order.promised")
    assert (event.facts, event.at) == ({"on": "2026-02-04"}, MONDAY)
    assert forecast(order).forecast_at == after(days=2)
    assert Event.objects.filter(name__in=["order.promised", "order.forecast"]).count() == 1


def test_the_promised_day_is_the_accounts_own():
    account = a_timed_account(time_zone="Pacific/Auckland")
    order = forecast(an_order(timed(estimate=180), account=account))  # 12:00 UTC: tomorrow there
    assert order.promised_on == date(2026, 2, 3)


def test_a_day_that_was_promised_stays():
    order = an_order()
    Order.objects.update(promised_on=date(2026, 3, 1))
    order = forecast(order)
    assert (order.promised_on, order.forecast_when_promised) == (
        date(2026, 3, 1),
        after(minutes=100),
    )


def test_the_longest_line_decides_and_machines_take_no_time():
    account = a_timed_account()
    products = [a_product(tasks=[timed(estimate=n)]) for n in (30, 300)]
    order = forecast(entered(account, *products, a_product(), at=MONDAY))
    assert order.forecast_at == after(hours=5)


def test_a_day_to_begin_on_holds_the_forecast_back():
    order = an_order(timed(estimate=60), work_from=date(2026, 2, 9))
    order = forecast(order)
    assert order.forecast_at == after(days=6, hours=16)  # Monday a week later, 1:00
    assert order.promised_on == date(2026, 2, 9)


def test_cancelled_lines_are_left_out_and_nothing_left_is_no_forecast():
    account = a_timed_account()
    products = [a_product(tasks=[timed(estimate=n)]) for n in (30, 300)]
    order = entered(account, *products, at=MONDAY)
    forecast(order)
    short, long = order.lines.order_by("pk")
    services.cancel_line(line_id=long.pk, at=MONDAY, reason="x")
    assert forecast(order).forecast_at == after(minutes=30)
    services.cancel_line(line_id=short.pk, at=MONDAY, reason="x")
    order = forecast(order)
    assert (order.forecast_at, order.jeopardy, order.promised_on) == (
        None,
        "green",
        date(2026, 2, 2),
    )


def dangers() -> list[tuple[str, Any]]:
    found = Event.objects.filter(name__in=["order.amber", "order.red"]).order_by("id")
    return [(event.name, event.facts) for event in found]


def test_the_advocate_hears_that_the_promise_is_in_danger(drain: Callable[[], int]):
    """No task is late, but the forecast eats the slack and then passes the promised day."""
    order = forecast(an_order(timed("a", estimate=600), timed("b", estimate=60, after=["a"])))
    step(order.account, after(hours=13.9))
    forecast(order)
    forecast(order)
    drain()
    step(order.account, after(hours=14))
    forecast(order)
    drain()
    days = {"promised": "2026-02-02"}
    assert dangers() == [
        ("order.amber", {"on": "2026-02-02"} | days),
        ("order.red", {"on": "2026-02-03"} | days),
    ]
    advocate, words = order.account.advocate_id, "Forecast for %s Feb 2026, promised for 2 Feb 2026"
    told = Notice.objects.filter(topic="jeopardy").order_by("pk")
    assert [(n.user_id, n.title, n.tone, n.text) for n in told] == [
        (
            advocate,
            f"{order}: the promised day {what}",
            tone,
            f"{order.account.customer} · {words % day}",
        )
        for what, tone, day in (("is in danger", "warn", 2), ("will be missed", "bad", 3))
    ]
    assert {name for name, _ in dangers()} < set(OWN_NEWS)  # or each would ask for the next


def test_who_promises_an_impossible_day_is_heard_of(drain: Callable[[], int]):
    order = forecast(an_order(timed(estimate=3 * 24 * 60)))
    drain()
    promised = {"order_id": order.pk, "reason": "they insist", "at": MONDAY}
    timing.promise_day(day=date(2026, 2, 3), **promised)
    timing.promise_day(day=date(2026, 2, 4), **promised)
    drain()
    assert dangers() == [("order.red", {"on": "2026-02-05", "promised": "2026-02-03"})]
    assert Notice.objects.get(topic="jeopardy").user_id == order.account.advocate_id


def test_a_task_that_is_late_moves_the_forecast_and_the_promise_breaks():
    order = forecast(an_order(timed("a", estimate=600), timed("b", estimate=60, after=["a"])))
    assert (order.forecast_at, order.promised_on) == (after(hours=11), date(2026, 2, 2))
    step(order.account, after(hours=12))  # a should have ended at 19:00; it is 21:00
    order = forecast(order)
    assert (order.forecast_at, order.jeopardy) == (after(hours=13), "green")
    step(order.account, after(hours=13.9))  # most of what lay between 20:00 and midnight is gone
    order = forecast(order)
    assert order.jeopardy == "amber"
    step(order.account, after(hours=14))
    order = forecast(order)
    assert (order.forecast_at, order.jeopardy) == (after(hours=15), "red")
    facts = Event.objects.filter(name="order.forecast").order_by("id").values_list("facts")
    assert [fact for (fact,) in facts] == [
        {"on": "2026-02-02", "jeopardy": "amber"},
        {"on": "2026-02-03", "jeopardy": "red"},
    ]


def test_an_order_is_as_bad_as_the_worst_of_its_tasks():
    order = an_order()
    Order.objects.update(promised_on=date(2026, 3, 1))
    step(order.account, after(minutes=90))
    watch()
    assert forecast(order).jeopardy == "amber"
    worker = a_worker()
    task = Task.objects.get()
    services.claim_task(task_id=task.pk, user_id=worker.pk, at=after(minutes=95))
    services.complete_task(task_id=task.pk, user_id=worker.pk, at=after(minutes=95))
    order = forecast(order)
    assert (order.jeopardy, order.forecast_at) == ("green", after(minutes=95))


def test_while_the_customer_is_awaited_the_forecast_takes_them_to_answer_now():
    order = an_order(timed(estimate=100))
    line = order.lines.get()
    timing.wait_for_customer(line_id=line.pk, reason="keys", at=after(minutes=40))
    step(order.account, after(days=2))
    assert forecast(order).forecast_at == after(days=2, minutes=60)
    timing.customer_answered(line_id=line.pk, at=after(days=2))
    assert forecast(order).forecast_at == after(days=2, minutes=60)


def test_lines_that_wait_on_each_other_are_one_way():
    account = a_timed_account()
    first = a_product(code="line", tasks=[timed("lay", estimate=120)])
    second = a_product(code="router", tasks=[timed("mount", estimate=60, after=["line/lay"])])
    order = entered(account, first, second, at=MONDAY)
    seen = in_time([order], machine_now=MONDAY)[order.pk]
    assert seen.path.ends_at == after(hours=3)
    assert seen.path.critical == set(Task.objects.values_list("pk", flat=True))


# promising


def test_another_day_is_promised_with_its_reason():
    order, user = forecast(an_order()), a_worker()
    before = order.promised_on
    timing.promise_day(
        order_id=order.pk,
        day=date(2026, 2, 20),
        reason="they move later",
        at=MONDAY,
        user_id=user.pk,
    )
    order.refresh_from_db()
    assert (before, order.promised_on) == (date(2026, 2, 2), date(2026, 2, 20))
    event = Event.objects.filter(name="order.promised").latest("id")
    assert event.facts == {"on": "2026-02-20", "was": "2026-02-02", "reason": "they move later"}
    assert event.actor_id == user.pk


def test_a_day_that_cannot_be_kept_is_red_at_once():
    order = forecast(an_order(timed(estimate=5 * 24 * 60)))
    timing.promise_day(order_id=order.pk, day=date(2026, 2, 3), reason="they insist", at=MONDAY)
    order.refresh_from_db()
    assert order.jeopardy == "red"


@pytest.mark.parametrize(
    ("day", "reason", "refusal", "field"),
    [
        (date(2026, 2, 1), "x", DayImpossible, "promised_on"),
        (date(9999, 12, 31), "x", DayImpossible, "promised_on"),
        (date(2026, 2, 9), " ", no.ReasonMissing, "reason"),
        (date(2026, 2, 9), "a\0", no.ReasonMissing, "reason"),
    ],
)
def test_promises_that_are_refused(day, reason, refusal, field):
    order = forecast(an_order())
    before = written()
    with pytest.raises(refusal) as caught:
        timing.promise_day(order_id=order.pk, day=day, reason=reason, at=MONDAY)
    assert caught.value.field == field
    assert written() == before
    assert Order.objects.get().promised_on == order.promised_on


def test_nothing_to_promise_where_nothing_is_to_come():
    order = forecast(an_order())
    services.cancel_line(line_id=order.lines.get().pk, at=MONDAY, reason="x")
    before = written()
    with pytest.raises(NothingToPromise):
        timing.promise_day(order_id=order.pk, day=date(2026, 2, 9), reason="x", at=MONDAY)
    assert written() == before


# renewal


def stale(order: Order, **given: float) -> None:
    """As if nothing had happened since, and the forecast were as old as this."""
    newest = Event.objects.filter(order_id=order.pk).latest("id").recorded_at
    made_at = newest + timedelta(minutes=5) - timedelta(**given)
    Order.objects.filter(pk=order.pk).update(forecast_made_at=made_at)


def test_only_orders_in_which_something_happened_are_forecast_anew():
    order, other = an_order(), an_order()
    for each in (order, other):
        forecast(each)
        stale(each)
    newest = Event.objects.latest("id").recorded_at + timedelta(minutes=6)
    assert timing.renew_forecasts(machine_now=newest) == 0
    stale(order, minutes=6)
    assert timing.renew_forecasts(machine_now=newest) == 1
    order.refresh_from_db()
    assert order.forecast_made_at == newest
    assert timing.renew_forecasts(machine_now=newest) == 0


def test_late_orders_drift_and_are_looked_at_now_and_then():
    order = forecast(an_order())
    step(order.account, after(days=2))
    assert forecast(order).jeopardy == "red"
    stale(order)
    made_at = Order.objects.get().forecast_made_at
    assert made_at is not None
    assert timing.renew_forecasts(machine_now=made_at + timedelta(minutes=9)) == 0
    step(order.account, after(days=3))
    assert timing.renew_forecasts(machine_now=made_at + timedelta(minutes=11)) == 1
    assert Order.objects.get().forecast_at == after(days=3)


def test_an_order_that_is_over_is_in_no_danger():
    order = forecast(an_order())
    step(order.account, after(days=2))
    forecast(order)
    services.cancel_line(line_id=order.lines.get().pk, at=after(days=2), reason="x")
    now = Event.objects.latest("id").recorded_at
    assert timing.renew_forecasts(machine_now=now) == 1
    assert Order.objects.get().jeopardy == "green"


def test_queries_grow_neither_with_orders_nor_with_tasks():
    account = an_account()
    counts = []
    for lines in (1, 8):
        orders = [
            entered(account, *[a_product(tasks=[timed(), *ACTIVATE]) for _ in range(lines)])
            for _ in range(lines)
        ]
        with CaptureQueriesContext(connection) as seen:
            timing.forecast_orders(order_ids=[o.pk for o in orders], machine_now=LATER)
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_an_order_from_a_quote_is_forecast_too(drain: Callable[[], int]):
    order = a_placed_order(tasks=ACTIVATE)
    drain()
    order.refresh_from_db()
    assert order.forecast_made_at is not None
    assert order.forecast_at is not None
    assert (order.promised_on, order.jeopardy) == (order.forecast_at.date(), "green")
