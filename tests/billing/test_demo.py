"""The demo: loaded once, counted in SQL, and gone on with where it was interrupted."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from threading import Thread
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from billing.desk import patience
from billing.desk.demo import cast, consumption, finance, lives, packs, papers, story, tales, years
from billing.models import (
    BillRun,
    CarriedBill,
    Invoice,
    InvoiceAdjustment,
    InvoiceLine,
    InvoicePart,
    InvoiceSending,
    PayerAgreement,
)
from o2b import clock
from o2b.catalog.models import Meter
from o2b.clocks.services import step
from o2b.customers.models import Account
from o2b.models import Event, TestClock
from o2b.people.models import Notice, Topic, User
from orders.gateways.rehearsal import Memory, RehearsalServer
from orders.models import (
    Appointment,
    BulkOrder,
    Comment,
    Complaint,
    Order,
    OrderLine,
    OutsideSystem,
    PurchaseOrder,
    Question,
    Task,
)
from quotes.models import Quote
from subscriptions.models import (
    Commitment,
    Item,
    ItemVersion,
    UsageEvent,
    UsagePending,
    UsageRejected,
    UsageTotal,
)
from subscriptions.usage.services import recount_usage

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
    'parked', (SELECT count(*) FROM billing_parkedaccount),
    'orders_placed', (SELECT count(*) FROM orders_order),
    'tasks_done', (SELECT count(*) FROM orders_task WHERE state = 'done'),
    'lines_in_fallout', (SELECT count(*) FROM orders_orderline WHERE state = 'fallout'),
    'approvals_asked', (SELECT count(*) FROM orders_approval WHERE state = 'asked'))
"""


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[None]:
    """A few customers, and somebody to ask for provisioning."""
    monkeypatch.setattr(story, "A_MONTH", 4)
    monkeypatch.setattr(story, "NOW", 13)
    monkeypatch.setattr(patience, "answering", lambda: 0)
    server = RehearsalServer(0, memory=Memory(async_seconds=0.05))
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
    one_customer_is_ready_for_the_next_years()
    the_packs_stories_end_and_some_stand_as_on_an_ordinary_day()
    services_live_on()
    usage_came_in()
    lines_share_a_pool()
    finance_did_more_than_bill()
    events = Event.objects.count()

    assert load() == first
    assert Event.objects.count() == events
    its_next_years_can_be_stepped_through()


WITH_PAPERS = 2  # one with split bills, one with a minimum


def finance_did_more_than_bill() -> None:
    """Payers, a family, bills mailed and one that could not be, one taken back."""
    agreed = PayerAgreement.objects.order_by("pk").values_list("state", flat=True)
    assert list(agreed) == ["agreed", "asked"]
    assert InvoiceAdjustment.objects.filter(kind="coupon").exists()
    assert InvoicePart.objects.exists()
    family = Account.objects.filter(billed_to_parent=True)
    assert family.count() == 2
    assert not Invoice.objects.filter(account__in=family).exists()
    sent = set(InvoiceSending.objects.values_list("state", flat=True))
    assert sent == {"filed", "mailed", "stuck"}
    split = Invoice.objects.filter(account__reference=papers.SPLIT).values_list("about", flat=True)
    assert set(split) == {number for number, _, _ in papers.ORDERED}
    assert CarriedBill.objects.filter(account__reference=papers.SMALL).exists()
    assert Invoice.objects.filter(account__reference=papers.SMALL, net="24.00").exists()
    reversal = BillRun.objects.get(reverses_invoice__isnull=False)
    assert (reversal.state, reversal.reason) == ("finalised", finance.TAKEN_BACK)
    assert BillRun.objects.get(kind=BillRun.Kind.REHEARSAL).state == "rehearsed"
    review = BillRun.objects.get(state="to_approve")
    assert (review.on, review.scope) == (clock.today(), "bill day 1")
    account_id = Order.objects.get(note=lives.LATE).account_id
    changed = InvoiceLine.objects.filter(account_id=account_id, cause="change")
    assert changed.exists()  # the month that was told late is corrected by the bill of the next one


def usage_came_in() -> None:
    """Of every metered service until yesterday, with something on each desk."""
    assert UsageTotal.objects.filter(day=clock.today() - timedelta(days=1)).exists()
    assert UsagePending.objects.get().subject == consumption.STRANGER
    assert {row.code for row in UsageRejected.objects.all()} == {"wrong_unit", "out_of_range"}
    assert recount_usage(write=False).holds
    came = UsageEvent.objects.count()
    assert (consumption.consume(at=clock.now()), UsageEvent.objects.count()) == (0, came)
    assert UsageRejected.objects.count() == 2


def lines_share_a_pool() -> None:
    """Both fill it each month and use it, and a top-up fills it once."""
    items = Item.objects.filter(account__reference=cast.POOLED.reference, state="active")
    grants = {
        charge.grant
        for item in items
        for version in item.versions.all()
        for charge in version.terms.charges.all()
    } - {None}
    assert {(g.units, g.meter, g.rollover, str(g.lasts or "")) for g in grants} == {
        (100, "mobile-data", 20, ""),
        (50, "mobile-data", None, "3 months"),
    }
    meter = Meter.objects.get(code="mobile-data")
    used = UsageTotal.objects.filter(meter_id=meter.pk).values_list("service_id", flat=True)
    assert set(used) == {i.pk for i in items if i.product_version.product.code == "mobile-line"}


def services_live_on() -> None:
    told = Order.objects.exclude(kind="new").exclude(note="").values_list("note", flat=True)
    assert {lives.MORE, lives.PAUSE, lives.BOUND} <= set(told)
    accepted, waiting = (Quote.objects.get(title=t) for t in (lives.RENEWED, lives.OPEN))
    assert (accepted.kind, accepted.state, waiting.state) == ("change", "accepted", "sent")
    assert Order.objects.get(quote=accepted).kind == "change"
    assert Commitment.objects.count() >= 2


def one_customer_is_ready_for_the_next_years() -> None:
    (clock_row,) = TestClock.objects.all()
    account = Account.objects.get(test_clock=clock_row)
    assert (clock_row.name, account.reference) == (years.CLOCK, years.REFERENCE)
    assert {years.GROWS, years.BOUND} <= set(
        Order.objects.filter(account=account).values_list("note", flat=True)
    )


def its_next_years_can_be_stepped_through() -> None:
    clock_row = TestClock.objects.get()
    (term,) = Commitment.objects.filter(item__account__test_clock=clock_row)
    theirs = {"account__test_clock": clock_row}
    lines = OrderLine.objects.filter(**theirs).values_list("state", flat=True)
    assert set(lines) == {"completed", "accepted"}

    assert step(clock_id=clock_row.pk, months=4).state == "done"

    assert set(lines.all()) == {"completed"}
    assert Quote.objects.filter(**theirs).latest("pk").state == "expired"

    seats = ItemVersion.objects.filter(
        item__account__test_clock=clock_row,
        item__product_version__product__code=years.SEATS[0],
        recorded__endswith=None,
        valid__endswith=None,
    )
    assert [version.quantity for version in seats] == [years.SEATS[1] + 3]
    renewed = Commitment.objects.filter(item=term.item_id).latest("number")
    assert (renewed.number, renewed.starts_on) == (2, term.ends_on)


def test_a_load_that_was_interrupted_twice_goes_on_where_it_stopped(
    monkeypatch: pytest.MonkeyPatch,
):
    with (
        interrupted(monkeypatch, story.Story, "_pay", instead=True),
        pytest.raises(KeyboardInterrupt),
    ):
        load()
    assert (Account.objects.count(), Invoice.objects.exists()) == (4 + WITH_PAPERS, True)

    with (
        interrupted(monkeypatch, packs.PackStory, "_say_what_people_say"),
        pytest.raises(KeyboardInterrupt),
    ):
        load()
    assert (Question.objects.count(), TestClock.objects.count()) == (1, 1)

    figures = load()

    assert figures == counted()
    of_the_packs = 10 + WITH_PAPERS
    # One has a pool, one is under the test clock.
    assert Account.objects.count() == 3 * 4 + 13 + of_the_packs + 1 + 1
    assert figures["paid"] != "0.00"
    assert Question.objects.count() == 1
    assert {tale.note: Order.objects.filter(note=tale.note).count() for tale in tales.TALES} == {
        tale.note: 1 for tale in tales.TALES
    }


@contextmanager
def interrupted(
    monkeypatch: pytest.MonkeyPatch, where: type, name: str, *, instead: bool = False
) -> Iterator[None]:
    """Somebody presses Ctrl-C right after something was done, or `instead` of it."""
    whole: Callable[..., None] = getattr(where, name)

    def stopped(self: Any, **told: Any) -> None:
        if not instead:
            whole(self, **told)
        raise KeyboardInterrupt

    with monkeypatch.context() as for_now:
        for_now.setattr(where, name, stopped)
        yield


def order_of(tale: tales.Tale) -> Order:
    return Order.objects.get(note=tale.note, account__reference=tale.account)


def states(tale: tales.Tale) -> set[str]:
    return set(OrderLine.objects.filter(order=order_of(tale)).values_list("state", flat=True))


def open_step(tale: tales.Tale, key: str) -> Task:
    return Task.objects.get(order=order_of(tale), key=key, line__position=1)


def the_packs_stories_end_and_some_stand_as_on_an_ordinary_day() -> None:
    for told in (tales.OFFICE, tales.KEYS, tales.METALS, tales.PORTAL):
        assert states(told) == {"completed"}, told.note
    assert states(tales.SUITE) == {"completed"}
    assert open_step(tales.FAIR, "line").waits_for == "goods"
    assert PurchaseOrder.objects.get(line__order=order_of(tales.FAIR)).state == "sent"
    assert order_of(tales.FAIR).jeopardy == "red"
    assert open_step(tales.PCR, "assay-2-days").jeopardy == "red"
    assert open_step(tales.RIVER, "assay-5-days").jeopardy == "amber"
    visit = Appointment.objects.get(task=open_step(tales.CLINIC, "visit"))
    assert (visit.state, visit.with_whom is not None) == ("arranged", True)
    assert timedelta(0) < visit.begins_at - clock.now() < timedelta(days=7)
    assert OrderLine.objects.get(order=order_of(tales.PHONES)).delivered_fraction > 0
    assert states(tales.PHONES) == {"provisioning"}
    assert states(tales.ENTRANCE) == {"waiting"}
    assert states(tales.LATER) == {"accepted"}
    assert states(tales.CLUSTER) == {"fallout"}
    assert open_step(tales.CLUSTER, "key").failure_class == "no_stock"
    assert open_step(tales.SEATS, "approve").waits_for == "approval"
    assert open_step(tales.SAME_DAY, "release").waits_for == "approval"
    assert open_step(tales.METER, "meter").state == "ready"
    assert OutsideSystem.objects.get(code="metering").state == "open"
    assert Question.objects.filter(answered_at=None).count() == 1
    assert Complaint.objects.get().owner.username == "mara"
    assert Comment.objects.filter(mentions__0__isnull=False).count() == 3
    bulk = BulkOrder.objects.get()
    assert (bulk.orders_placed, bulk.rejected) == (4, 1)
    mara = Notice.objects.filter(user__username="mara", read_at=None)
    assert {Topic.JEOPARDY, Topic.FALLOUT, Topic.QUESTION, Topic.COMPLAINT, Topic.MENTION} <= set(
        mara.values_list("topic", flat=True)
    )
    carriers = Order.objects.filter(account__legal_entity__code="nordlicht")
    # What fell out and was promised for today comes into danger towards the evening, as it should.
    in_danger = carriers.exclude(jeopardy="green").exclude(tasks__state="fallout")
    assert not in_danger.exists()
    # A change that only counts from a day has no work of which the end could be promised.
    assert not carriers.filter(kind="new", promised_on=None).exists()
    karim = User.objects.get(username="karim")
    assert karim.check_password("o2b-demo")
