"""The three packs from order to service: whole lines, done by their own people, step after step."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import Thread
from typing import Any

import pytest
from django.core import mail

from billing.desk.demo import tales
from billing.desk.demo.hands import Hands
from billing.desk.demo.tales import Tale, line
from o2b import asks, clock, events
from o2b.customers.models import Account
from o2b.models import Event, TestClock
from orders import services
from orders.gateways.rehearsal import Memory, RehearsalServer
from orders.models import (
    Approval,
    DeliveredPart,
    Evidence,
    LicenceKey,
    Order,
    OrderLine,
    PurchaseOrder,
    Task,
    TaskCost,
)
from subscriptions.models import Item
from tests.o2b.test_packs import load

pytestmark = pytest.mark.django_db

MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def server(settings: Any) -> Iterator[RehearsalServer]:
    """Somebody to ask for provisioning; what is accepted is done at once."""
    server = RehearsalServer(0, memory=Memory(async_seconds=0.01))
    settings.O2B_PROVISIONING_URL = server.url
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.stop()


def place(tale: Tale, at: datetime) -> Order:
    account = Account.objects.get(reference=tale.account)
    return services.enter_order(
        account_id=account.pk,
        lines=tale.lines,
        at=at,
        actor_id=None,
        channel="screen",
        note=tale.note,
        already=asks.held_by(account.pk),
    )


def live(pack: str, tale: Tale, *, days: int) -> Order:
    """Load the pack, place the order, and let its people work for so many days."""
    load(pack)
    told = TestClock.objects.create(name="packs", now=MONDAY)
    Account.objects.filter(reference=tale.account).update(test_clock=told)
    order = place(tale, MONDAY)
    for n in range(days):
        told.now = MONDAY + timedelta(days=n)
        told.save()
        go_on(order, tale, told.now)
    return order


def go_on(order: Order, tale: Tale, at: datetime) -> None:
    hands = Hands({order.pk: tale})
    events.drain()
    for _round in range(200):
        if not hands.work(at=at) and not hands.is_asked_outside():
            return
        events.drain()
    raise AssertionError("it goes on for ever")


def done_in_order(order: Order) -> list[str]:
    """product/key of what was done, first to last."""
    tasks = Task.objects.select_related("line__product_version__product").in_bulk(
        order.tasks.values_list("pk", flat=True)
    )
    ended = Event.objects.filter(name="task.done", order_id=order.pk).order_by("id")
    return [
        f"{tasks[pk].line.product_version.product.code}/{tasks[pk].key}"
        for pk in ended.values_list("subject_id", flat=True)
    ]


def states(order: Order) -> list[str]:
    return list(order.lines.order_by("position").values_list("state", flat=True))


def before(done: Sequence[str], first: str, second: str) -> bool:
    return done.index(first) < done.index(second)


def test_telecom_an_office_from_the_survey_to_the_phones():
    order = live("telecom", tales.OFFICE, days=30)

    assert states(order) == ["completed"] * 5
    done = done_in_order(order)
    tasks = {
        f"{t.line.product_version.product.code}/{t.key}": t
        for t in Task.objects.filter(order=order).select_related("line__product_version__product")
    }
    assert {task.state for task in tasks.values()} == {"done"}
    # What waits on what, across the lines of the office.
    for first, second in (
        ("office-connect/kick-off", "circuit/survey"),
        ("circuit/visit", "circuit/install"),
        ("circuit/activate", "voice-trunk/channels"),
        ("circuit/activate", "desk-phone-rental/ship"),
        ("voice-trunk/activate", "office-connect/hand-over"),
    ):
        assert tasks[first].pk in tasks[second].after, (first, second)
        assert before(done, first, second), (first, second)
    assert "circuit/design" not in tasks  # 100 Mbit/s need none
    purchase = PurchaseOrder.objects.get()
    assert (purchase.state, purchase.quantity, purchase.unit_cost) == ("received", 2, 180)
    assert "100 Mbit/s" in purchase.item
    install = tasks["circuit/install"]
    assert install.point_of_no_return
    assert Evidence.objects.get(task=install).serial == f"S{install.pk:06d}"
    phones = Evidence.objects.get(task=tasks["desk-phone-rental/ship"])
    assert (len(phones.serials), phones.quantity) == (12, 12)
    assert set(order.lines.values_list("delivered_fraction", flat=True)) == {Decimal(1)}
    vendor = TaskCost.objects.filter(task__key="line").values_list("amount", flat=True)
    assert sum(vendor) >= 360
    assert Item.objects.filter(order_line__order=order).count() == 5


def test_telecom_what_is_bought_is_called_off_when_the_customer_cancels():
    order = live("telecom", tales.FAIR, days=3)
    (only,) = order.lines.all()
    assert PurchaseOrder.objects.get().state == "sent"

    services.cancel_line(
        line_id=only.pk, at=MONDAY + timedelta(days=3), reason="No fair", user_id=None
    )
    go_on(order, tales.FAIR, MONDAY + timedelta(days=3))

    only.refresh_from_db()
    assert only.state == "cancelled"
    assert PurchaseOrder.objects.get().state == "cancelled"
    undone = Task.objects.filter(order=order, compensates__isnull=False).order_by("done_at", "pk")
    # The purchase was still under way: it is called off with its own task.
    assert [task.compensates.key for task in undone] == ["reserve"]


def test_telecom_phones_leave_in_parts():
    order = live("telecom", tales.PHONES, days=2)
    (only,) = order.lines.all()
    assert (only.state, only.delivered_fraction) == ("provisioning", Decimal("0.625"))
    assert DeliveredPart.objects.filter(line=only).count() == 1

    ship = Task.objects.get(order=order, key="ship")
    services.complete_task(
        task_id=ship.pk,
        user_id=ship.claimed_by_id,
        at=MONDAY + timedelta(days=2),
        version=1,
        quantity=15,
        serials=[f"R-{n}" for n in range(15)],
    )
    events.drain()

    only.refresh_from_db()
    assert (only.state, only.delivered_fraction) == ("completed", Decimal(1))
    assert Evidence.objects.filter(task=ship, is_part=True).count() == 2


def test_software_keys_at_once_and_very_many_seats_after_a_second_person():
    order = live("software", tales.KEYS, days=1)

    assert states(order) == ["completed", "completed"]
    keys = LicenceKey.objects.filter(line__order=order)
    assert keys.count() == 5
    assert {key.state for key in keys} == {"issued"}
    letters = [letter for letter in mail.outbox if "aiko@kestrel.example" in letter.to]
    assert any(key.key in letter.body for letter in letters for key in keys)

    account = Account.objects.get(reference="SW-2003")
    seats = Tale("Seats", "SW-2003", 0, (line("enterprise", 250),), leaves=frozenset({"approve"}))
    many = place(seats, clock.now(account))
    go_on(many, seats, clock.now(account))
    assert Approval.objects.get(order=many).state == "asked"
    assert not Task.objects.filter(order=many, key="tenant").exclude(state="blocked").exists()

    go_on(many, Tale("Seats", "SW-2003", 0, ()), clock.now(account))
    assert states(many) == ["completed"]
    assert Approval.objects.get(order=many).decided_by.username == "owen"
    assert LicenceKey.objects.filter(line__order=many).count() == 1


def test_software_a_pool_that_runs_dry_falls_out_with_advice():
    order = live("software", tales.CLUSTER, days=1)

    assert states(order) == ["fallout"]
    task = Task.objects.get(order=order)
    assert (task.state, task.failure_class) == ("fallout", "no_stock")
    assert LicenceKey.objects.filter(state="issued").count() == 0


def test_laboratory_from_the_kit_to_the_released_report():
    order = live("laboratory", tales.METALS, days=8)

    assert states(order) == ["completed"] * 4
    done = done_in_order(order)
    assert before(done, "sample-kit/ship", "courier/pick-up")
    assert before(done, "courier/pick-up", "assay-metals/arrive")
    assert before(done, "assay-metals/assay-5-days", "assay-metals/release")
    assert before(done, "assay-metals/release", "assay-metals/report")
    assay = Task.objects.get(order=order, key="assay-5-days")
    released = Approval.objects.get(order=order)
    evidence = Evidence.objects.get(task=assay)
    assert evidence.data["result"] == "below the limit"
    assert evidence.by_id != released.decided_by_id  # a second person
    assert released.decided_by.username == "claire"
    (letter,) = [m for m in mail.outbox if m.subject == "Metals assay: your result is released"]
    assert letter.to == ["anne.rochat@clinique-du-lac.example"]
    assert "Helvelab AG" in letter.body


def test_laboratory_a_second_opinion_rests_a_working_day():
    load("laboratory")
    first = Tale("First", "LAB-3001", 0, (line("assay-pcr", 1, target="x"), line("report", 1)))
    told = TestClock.objects.create(name="packs", now=MONDAY)
    Account.objects.filter(reference="LAB-3001").update(test_clock=told)
    go_on(place(first, MONDAY), first, MONDAY)
    again = Tale("Again", "LAB-3001", 0, (line("retest", 1), line("report", 1)))
    order = place(again, MONDAY)
    go_on(order, again, MONDAY)
    rest = Task.objects.get(order=order, key="rest")
    assert rest.waits_for == "date"

    told.now = MONDAY + timedelta(days=1)
    told.save()
    services.wake_due(machine_now=clock.now())
    go_on(order, again, told.now)

    assert states(order) == ["completed", "completed"]
    assert OrderLine.objects.filter(order=order, delivered_on=told.now.date()).count() == 1
