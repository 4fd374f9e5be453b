"""The demo: loaded once, counted in SQL, and gone on with where it was interrupted."""

import json
from collections.abc import Callable, Iterator
from io import StringIO
from threading import Thread
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from billing.desk import patience
from billing.desk.demo import story
from billing.models import Invoice
from o2b.customers.models import Account
from o2b.models import Event, TestClock
from orders.gateways.rehearsal import RehearsalServer
from orders.models import OrderLine

pytestmark = pytest.mark.django_db

COUNTS = """
SELECT json_build_object(
    'quotes_accepted', (SELECT count(*) FROM quotes_quote WHERE state = 'accepted'),
    'orders_completed', (SELECT count(*) FROM orders_order AS o WHERE NOT EXISTS
        (SELECT 1 FROM orders_orderline AS l WHERE l.order_id = o.id AND l.state <> 'completed')),
    'subscriptions_active', (SELECT count(*) FROM subscriptions_subscription
                                WHERE state = 'active'),
    'invoices_finalised', (SELECT count(*) FROM billing_invoice),
    'billed', (SELECT sum(net)::numeric(20, 2)::text FROM billing_invoice),
    'paid', (SELECT sum(amount)::numeric(20, 2)::text FROM billing_payment),
    'parked', (SELECT count(*) FROM billing_parkedaccount))
"""


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[None]:
    """A few customers, and somebody to ask for provisioning."""
    monkeypatch.setattr(story, "A_MONTH", 4)
    monkeypatch.setattr(story, "NOW", 13)
    monkeypatch.setattr(patience, "answering", lambda: 0)
    server = RehearsalServer(0)
    settings.O2B_PROVISIONING_URL = server.url
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield
    server.stop()


def load() -> dict[str, Any]:
    said = StringIO()
    call_command("load_demo", stdout=said, stderr=StringIO())
    figures: dict[str, Any] = json.loads(said.getvalue().strip().splitlines()[-1])
    return figures


def counted() -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(COUNTS)
        found: dict[str, Any] = cursor.fetchone()[0]
    return found


def test_the_figures_are_those_of_sql_and_a_second_load_changes_nothing():
    first = load()

    assert first == counted()
    assert first["invoices_finalised"] > first["quotes_accepted"] > 12
    assert {"completed", "held", "fallout"} <= set(
        OrderLine.objects.values_list("state", flat=True)
    )
    assert not TestClock.objects.exists()
    events = Event.objects.count()

    assert load() == first
    assert Event.objects.count() == events


def test_an_interrupted_load_goes_on_where_it_stopped(monkeypatch: pytest.MonkeyPatch):
    whole: Callable[..., None] = story.Story._pay

    def interrupted(self: story.Story, **on: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(story.Story, "_pay", interrupted)
    with pytest.raises(KeyboardInterrupt):
        load()
    assert (Account.objects.count(), Invoice.objects.exists()) == (4, True)
    monkeypatch.setattr(story.Story, "_pay", whole)

    figures = load()

    assert figures == counted()
    of_the_packs = 10
    assert Account.objects.count() == 3 * 4 + 13 + of_the_packs
    assert figures["paid"] != "0.00"
