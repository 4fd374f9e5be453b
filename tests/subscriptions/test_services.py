"""Completed lines come into service: once, from the right day, under their own Terms."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from celery import current_app
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from psycopg2.extras import DateRange

from o2b import clock, events
from o2b import models as ground
from o2b.charging import StartRule
from o2b.models import Event, Outbox
from orders.models import Order, OrderLine
from subscriptions import services
from subscriptions.models import Item, ItemVersion, Subscription
from tests.factories import a_product, an_account
from tests.subscriptions.build import AT, a_line, an_order

pytestmark = pytest.mark.django_db


def test_completed_lines_become_items_under_their_own_terms() -> None:
    order = an_order()
    phone = a_line(order, a_product(), quantity="3", serials=["OLD-1", "", "NEW-2"])
    dsl = a_line(order, a_product(), delivered_on=date(2026, 2, 12))

    subscription = services.start_items(order_id=order.pk, at=AT)

    assert subscription is not None
    assert (subscription.state, subscription.started_on) == ("active", date(2026, 2, 10))
    assert (subscription.account_id, subscription.order_id) == (order.account_id, order.pk)
    assert list(
        Item.objects.order_by("pk").values_list(
            "order_line", "product_version", "serial", "state", "started_on", "revision", "account"
        )
    ) == [
        (
            phone.pk,
            phone.product_version_id,
            "NEW-2",
            "active",
            date(2026, 2, 10),
            1,
            order.account_id,
        ),
        (dsl.pk, dsl.product_version_id, "", "pending", date(2026, 2, 12), 1, order.account_id),
    ]
    assert list(ItemVersion.objects.order_by("pk").values_list("terms", "quantity", "valid")) == [
        (phone.terms_id, Decimal(3), DateRange(date(2026, 2, 10), None)),
        (dsl.terms_id, Decimal(1), DateRange(date(2026, 2, 12), None)),
    ]


def test_versions_are_recorded_from_the_databases_now() -> None:
    order = an_order()
    a_line(order, a_product())
    services.start_items(order_id=order.pk, at=datetime(2019, 1, 1, tzinfo=UTC))

    recorded = ItemVersion.objects.get().recorded
    assert recorded.upper is None
    assert abs((recorded.lower - clock.now()).total_seconds()) < 60


def test_a_second_start_changes_nothing() -> None:
    order = an_order()
    a_line(order, a_product())
    first = services.start_items(order_id=order.pk, at=AT)
    before = _all_rows()

    assert services.start_items(order_id=order.pk, at=AT) == first
    assert _all_rows() == before


def test_a_later_line_joins_the_same_subscription() -> None:
    order = an_order()
    a_line(order, a_product())
    first = services.start_items(order_id=order.pk, at=AT)
    a_line(order, a_product(), delivered_on=date(2026, 1, 5))
    a_line(order, a_product(), delivered_on=date(2026, 3, 5))

    assert services.start_items(order_id=order.pk, at=AT) == first
    subscription = Subscription.objects.get()
    assert subscription.items.count() == 3
    assert subscription.started_on == date(2026, 1, 5)
    assert _news() == [
        ("subscription.started", {"on": "2026-02-10"}),
        ("subscription.items_started", {"items": [Item.objects.order_by("pk")[0].pk]}),
        (
            "subscription.items_started",
            {"items": list(Item.objects.order_by("pk").values_list("pk", flat=True)[1:])},
        ),
    ]


@pytest.mark.parametrize(
    "state",
    [s for s in OrderLine.State.values if s != OrderLine.State.COMPLETED],
)
def test_only_completed_lines_start(state: str) -> None:
    order = an_order()
    a_line(order, a_product(), state=state)

    assert services.start_items(order_id=order.pk, at=AT) is None
    assert (Subscription.objects.count(), Item.objects.count()) == (0, 0)
    assert not Event.objects.exists()


def test_an_unknown_order_is_not_there() -> None:
    with pytest.raises(Order.DoesNotExist):
        services.start_items(order_id=10**15, at=AT)


@pytest.mark.parametrize(
    ("rule", "start_on", "starts"),
    [
        (StartRule.ON_DELIVERY, None, date(2026, 2, 10)),
        (StartRule.ON_DELIVERY, date(2026, 1, 1), date(2026, 2, 10)),
        (StartRule.EACH_PART, None, date(2026, 2, 10)),
        (StartRule.ON_DATE, date(2026, 1, 1), date(2026, 1, 1)),  # before it was ordered
        (StartRule.ON_DATE, date(2026, 2, 10), date(2026, 2, 10)),
        (StartRule.ON_DATE, date(2026, 6, 1), date(2026, 6, 1)),
        (StartRule.ON_DATE, None, date(2026, 2, 10)),
    ],
)
def test_the_start_rule_names_the_day(rule: StartRule, start_on: date | None, starts: date) -> None:
    order = an_order()
    a_line(order, a_product(), start_rule=rule, start_on=start_on)

    services.start_items(order_id=order.pk, at=AT)

    item = Item.objects.get()
    is_on = starts <= AT.date()
    assert (item.state, item.started_on) == ("active" if is_on else "pending", starts)
    assert item.next_turn_on == (None if is_on else starts)
    assert item.versions.get().valid == DateRange(starts, None)
    assert item.subscription.started_on == starts


@pytest.mark.parametrize(
    ("zone", "delivered_at", "starts"),
    [
        ("Pacific/Auckland", datetime(2026, 2, 10, 23, 30, tzinfo=UTC), date(2026, 2, 11)),
        ("Pacific/Auckland", datetime(2026, 2, 10, 10, 59, tzinfo=UTC), date(2026, 2, 10)),
        ("America/Los_Angeles", datetime(2026, 2, 10, 7, 59, tzinfo=UTC), date(2026, 2, 9)),
        ("UTC", datetime(2026, 2, 10, 23, 30, tzinfo=UTC), date(2026, 2, 10)),
    ],
)
def test_service_starts_on_the_accounts_own_day(
    zone: str, delivered_at: datetime, starts: date
) -> None:
    account = an_account(time_zone=zone)
    order = an_order(account)
    version = a_product()
    line = a_line(order, version, state=OrderLine.State.PROVISIONING, delivered_on=None)
    line.deliver(at=delivered_at, on=clock.day(account, delivered_at))
    line.complete(at=delivered_at)
    line.save()

    services.start_items(order_id=order.pk, at=delivered_at)

    assert Item.objects.get().started_on == starts


def test_the_cost_of_an_order_does_not_grow_with_its_lines() -> None:
    def queries(lines: int) -> int:
        order = an_order()
        version = a_product()
        for n in range(lines):
            a_line(order, version, serials=[f"SN-{n}"])
        with CaptureQueriesContext(connection) as captured:
            services.start_items(order_id=order.pk, at=AT)
        return len([q for q in captured if "SAVEPOINT" not in q["sql"]])

    assert (queries(1), queries(12)) == (14, 14)


def test_the_reaction_runs_once_on_the_accounts_clock(drain: Callable[[], int]) -> None:
    moment = datetime(2026, 5, 1, 8, tzinfo=UTC)
    test_clock = ground.TestClock.objects.create(name="may", now=moment)
    order = an_order(an_account(test_clock=test_clock))
    line = a_line(order, a_product())
    events.record("order_line.completed", line, at=AT)

    owed = Outbox.objects.get()
    assert (owed.task, owed.key) == ("subscriptions.start_items", order.pk)
    row = owed.pk
    for _ in range(2):
        current_app.tasks[owed.task](key=order.pk, outbox_id=row)

    assert Item.objects.count() == 1
    assert Event.objects.get(name="subscription.started").at == moment
    assert not Outbox.objects.filter(pk=row).exists()


def test_two_versions_of_an_item_never_overlap() -> None:
    order = an_order()
    a_line(order, a_product())
    services.start_items(order_id=order.pk, at=AT)
    version = ItemVersion.objects.get()
    again = ItemVersion(
        item=version.item,
        product_version=version.product_version,
        quantity=2,
        terms=version.terms,
        valid=DateRange(date(2026, 12, 31), None),
        recorded=version.recorded,
    )

    refused = pytest.raises(IntegrityError, match="one_version_of_an_item_at_a_time")
    with refused, transaction.atomic():
        again.save()
    assert ItemVersion.objects.count() == 1


def _all_rows() -> list[list[tuple[object, ...]]]:
    models = (Subscription, Item, ItemVersion, Event, Outbox)
    return [list(model._base_manager.order_by("pk").values_list()) for model in models]


def _news() -> list[tuple[str, dict[str, object]]]:
    return list(
        Event.objects.filter(name__startswith="subscription.")
        .order_by("pk")
        .values_list("name", "facts")
    )
