"""Accepting is ordering: one order a quote, whoever accepts and however often."""

import threading
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from o2b.customers.models import Account
from o2b.models import Outbox
from orders import services
from orders.laying.services import NoPlan
from orders.models import Order, Task
from quotes.services import AccountClosed, QuoteExpired, QuoteNotOpen, withdraw_quote
from tests.factories import a_quote
from tests.orders.build import (
    ACTIVATE,
    INSTALL,
    NOON,
    a_product,
    a_sent_quote,
    an_account,
    happened,
    states,
    written,
)

pytestmark = pytest.mark.django_db


def test_the_order_is_the_offer():
    quote = a_sent_quote(products=[a_product(), a_product(tasks=INSTALL)], quantity="3")
    order = services.place_order(quote_id=quote.pk, by="Ann Hall", at=NOON)
    quote.refresh_from_db()
    assert (quote.state, quote.accepted_by, order.quote_id) == ("accepted", "Ann Hall", quote.pk)
    assert (order.channel, order.kind, order.placed_at) == ("quote", "new", NOON)
    for offered, ordered in zip(quote.lines.all(), order.lines.all(), strict=True):
        for field in ("product_version", "quantity", "terms", "book_version", "contract"):
            assert getattr(offered, field) == getattr(ordered, field), field
        assert ordered.quote_line == offered
    assert states(order) == (["scheduled"] * 2, ["ready", "ready", "blocked"])
    waiting = Task.objects.filter(order=order).values_list("key", "waiting_on", "queue__code")
    assert list(waiting) == [("activate", 0, None), ("install", 0, "field"), ("activate", 1, None)]
    assert happened(order) == ["order.placed", "order_line.scheduled", "order_line.scheduled"]
    owed = Outbox.objects.filter(key=order.pk).values_list("task", flat=True)
    assert sorted(owed) == [
        "billing.open_promises",
        "care.tell_placed",
        "orders.advance_order",
        "orders.forecast_orders",
    ]


def test_a_start_day_goes_along():
    quote = a_sent_quote(start_on=date(2026, 3, 1))
    order = services.place_order(quote_id=quote.pk, by="Ann", at=NOON)
    assert (order.start_on, order.lines.get().start_on) == (date(2026, 3, 1), date(2026, 3, 1))
    assert order.lines.get().terms.start_rule == "on_date"


def test_twice_tells_the_order():
    quote = a_sent_quote()
    order = services.place_order(quote_id=quote.pk, by="Ann", at=NOON)
    before = written()
    with pytest.raises(services.AlreadyOrdered) as refused:
        services.place_order(quote_id=quote.pk, by="Ann", at=NOON)
    assert refused.value.order_id == order.pk
    assert refused.value.extra == {"order_id": order.pk, "url": f"/orders/{order.pk}/"}
    assert (refused.value.code, refused.value.status) == ("already_ordered", 409)
    assert written() == before


def test_refusals_write_nothing():
    closed = a_sent_quote()
    Account.objects.filter(pk=closed.account_id).update(state="closed")
    expired = a_sent_quote(valid_until=date(2026, 2, 1))
    withdrawn = a_sent_quote()
    withdraw_quote(quote_id=withdrawn.pk, at=NOON)
    late = datetime(2026, 2, 2, tzinfo=UTC)
    cases = [
        (closed.pk, NOON, AccountClosed),
        (expired.pk, late, QuoteExpired),
        (withdrawn.pk, NOON, QuoteNotOpen),
        (a_quote().pk, NOON, QuoteNotOpen),
        (10**9, NOON, quote_missing()),
    ]
    before = written()
    for quote_id, at, refusal in cases:
        with pytest.raises(refusal):
            services.place_order(quote_id=quote_id, by="Ann", at=at)
        assert written() == before, refusal


def quote_missing():
    return a_quote().DoesNotExist


def test_a_product_without_a_plan_is_refused():
    version = a_product()
    quote = a_sent_quote(products=[a_product(), version])
    plan = version.product.plans.get()
    plan.retire(on=date(2026, 1, 1))
    plan.save()
    before = written()
    with pytest.raises(NoPlan) as refused:
        services.place_order(quote_id=quote.pk, by="Ann", at=NOON)
    assert refused.value.field == "lines[1].product"
    assert written() == before


def test_queries_do_not_grow_with_lines():
    counts = []
    for lines in (1, 12):
        products = [a_product(tasks=[*ACTIVATE]) for _ in range(lines)]
        quote = a_sent_quote(products=products)
        with CaptureQueriesContext(connection) as asked:
            services.place_order(quote_id=quote.pk, by="Ann", at=NOON)
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 23


@pytest.mark.django_db(transaction=True)
def test_two_tabs_at_the_same_moment_give_one_order():
    quote = a_sent_quote(account=an_account())
    said = at_once(8, lambda: services.place_order(quote_id=quote.pk, by="Ann", at=NOON))
    order = Order.objects.get()
    assert sorted(type(answer).__name__ for answer in said) == ["AlreadyOrdered"] * 7 + ["Order"]
    assert {a.order_id for a in said if isinstance(a, services.AlreadyOrdered)} == {order.pk}
    assert Task.objects.count() == 1


def at_once(times, act):
    """What each of many threads gets that do the same at the same moment."""
    barrier = threading.Barrier(times)
    answers: list[Any] = []

    def run():
        try:
            barrier.wait()
            answers.append(act())
        except Exception as exc:
            answers.append(exc)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers
