"""Orders to vendors: written once, mailed, received in parts, cancelled; their pages."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import pypdf
import pytest
from django.core import mail
from django.core.mail.backends import locmem
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from o2b import clock, fsm
from o2b.models import Event, Outbox
from o2b.people.models import Notice
from orders import services
from orders.fulfilment.services.refusals import ReasonMissing
from orders.kinds import vendors
from orders.kinds.tasks import NotMailed
from orders.models import Evidence, PurchaseOrder, PurchaseReceipt, Task, TaskCost
from orders.purchases import services as purchases
from orders.purchases.pdf import document, render
from orders.tasks import kinds
from tests.orders.build import (
    LATER,
    a_placed_order,
    a_user,
    an_account,
    by_hand,
    logged_in,
    states,
    team,
    written,
)
from tests.orders.kinds_build import again, first, run, step

pytestmark = pytest.mark.django_db

CISCO: dict[str, Any] = {
    "vendor": "Cisco",
    "item": "Router <C921>",
    "quantity": 3,
    "unit_cost": "99.50",
    "lead_days": 5,
}
MAILED = CISCO | {"vendor_email": "orders@cisco.example", "note": "By the back door."}
CANCEL = {"name": "Cancel it", "kind": "automatic", "handler": "vendor_cancel"}
DAY = date(2026, 2, 1)  # of LATER


def bought(parameters=CISCO, *, then=(), **given):
    """An order whose step waits for goods."""
    account = given.pop("account", None)
    plan = [step("vendor_order", parameters=parameters, **given), *then]
    order = a_placed_order(tasks=plan, account=account)
    run(order)
    return order, PurchaseOrder.objects.get(task=first(order))


def receive(purchase, quantity, *serials, on=DAY, at=LATER, by=None):
    return purchases.receive_goods(
        purchase_id=purchase.pk,
        quantity=Decimal(quantity),
        serials=serials,
        on=on,
        at=at,
        by=by or a_user().pk,
    )


def test_the_law_of_a_purchase():
    assert fsm.law(PurchaseOrder) == {
        ("sent", "receive_part", "partly"),
        ("partly", "receive_part", "partly"),
        ("sent", "receive_rest", "received"),
        ("partly", "receive_rest", "received"),
        ("sent", "cancel", "cancelled"),
        ("partly", "cancel", "cancelled"),
    }


def test_a_step_orders_once_and_waits_for_the_goods():
    order, purchase = bought()
    task = first(order)
    assert (task.state, task.waits_for, task.failure) == (
        "running",
        "goods",
        f"{purchase.number}: Router <C921> of Cisco",
    )
    assert (purchase.quantity, purchase.unit_cost, purchase.currency) == (
        Decimal(3),
        Decimal("99.5"),
        "EUR",
    )
    assert (purchase.sent_at, purchase.expected_on) == (LATER, date(2026, 2, 6))
    assert again(order).state == "running"
    assert PurchaseOrder.objects.count() == 1
    assert Event.objects.get(name="purchase.sent").order_id == order.pk
    assert mail.outbox == []


def test_the_task_is_late_when_the_goods_are():
    order, _ = bought(account=an_account(time_zone="Europe/Berlin"))
    task = first(order)
    assert (task.amber_at, task.red_at) == (
        datetime(2026, 2, 5, 23, tzinfo=UTC),
        datetime(2026, 2, 6, 23, tzinfo=UTC),
    )


def test_quantity_and_text_come_from_the_line():
    _, purchase = bought({"vendor": "Cisco", "item": "=upper('router ' + product)"})
    assert purchase.quantity == Decimal(1)
    assert purchase.item.startswith("ROUTER PRODUCT-")
    assert purchase.expected_on is None


def test_the_document_is_mailed_and_says_all_of_it():
    order, purchase = bought(MAILED)
    letter = mail.outbox[0]
    assert (letter.to, letter.subject) == (
        ["orders@cisco.example"],
        f"Order {purchase.number} of Nordlicht Telecom",
    )
    assert letter.extra_headers["Message-ID"] == f"<purchase-{first(order).pk}@localhost>"
    name, body, kind = letter.attachments[0]
    assert (name, kind) == (f"{purchase.number}.pdf", "application/pdf")
    text = pypdf.PdfReader(BytesIO(body)).pages[0].extract_text()
    for words in (purchase.number, "Router <C921>", "Cisco", "€298.50", "By the back door."):
        assert words in text, words
    assert first(order).request == {
        "to": "orders@cisco.example",
        "subject": f"Order {purchase.number} of Nordlicht Telecom",
        "message_id": f"<purchase-{first(order).pk}@localhost>",
    }
    again(order)
    assert len(mail.outbox) == 1


def test_texts_are_never_read_as_source():
    _, purchase = bought(CISCO | {"item": '#panic("x") $ \\ " ]', "note": "#import x"})
    assert render(purchase).startswith(b"%PDF")
    assert document(purchase)["row"][0] == '#panic("x") $ \\ " ]'


def test_a_vendor_whose_mail_is_away_gets_it_later(monkeypatch):
    def away(self, messages):
        raise ConnectionRefusedError("no")

    with monkeypatch.context() as patch:
        patch.setattr(locmem.EmailBackend, "send_messages", away)
        order, _ = bought(MAILED)
    task = first(order)
    assert (task.state, task.failure_class) == ("ready", "unreachable")
    assert task.due_at
    assert run(order, task.due_at).state == "running"
    assert (PurchaseOrder.objects.count(), len(mail.outbox)) == (1, 1)


@pytest.mark.parametrize("meanwhile", ["received", "cancelled", "given up"])
def test_what_happens_while_it_is_mailed_is_seen_at_the_next_look(monkeypatch, meanwhile):
    """The task is held by its worker at that moment, so nobody can settle it."""
    order = a_placed_order(tasks=[step("vendor_order", parameters=MAILED)])
    send = vendors.send_letter

    def sends(**letter):
        purchase = PurchaseOrder.objects.get()
        if meanwhile == "received":
            receive(purchase, "3")
        elif meanwhile == "cancelled":
            told = {"purchase_id": purchase.pk, "reason": "no", "by": a_user().pk}
            purchases.cancel_purchase(at=LATER, **told)
        else:
            services.cancel_line(line_id=order.lines.get().pk, reason="no", at=LATER)
            kinds.call_off_lines(key=order.lines.get().pk)
        return send(**letter)

    monkeypatch.setattr(vendors, "send_letter", sends)
    task = run(order)
    looks_at = LATER + timedelta(seconds=900)
    assert (task.state, task.waits_for, task.due_at) == ("running", "goods", looks_at)
    monkeypatch.setattr(vendors, "send_letter", send)
    Outbox.objects.all().delete()
    assert services.wake_due(machine_now=looks_at) == 1
    task = run(order, at=looks_at)
    ends = {
        "received": ("completed", "done"),
        "cancelled": ("fallout", "fallout"),
        "given up": ("cancelled", "cancelled"),
    }
    assert (order.lines.get().state, task.state) == ends[meanwhile]
    assert (task.attempts, len(mail.outbox)) == (1, 1)


def test_looking_again_is_no_attempt_and_mails_nothing():
    order, _ = bought(MAILED)
    for n in (1, 2):
        task = run(order, at=LATER + timedelta(seconds=900 * n))
        assert (task.state, task.waits_for, task.attempts) == ("running", "goods", 1)
        assert task.due_at == LATER + timedelta(seconds=900 * (n + 1))
    assert (task.tries.count(), len(mail.outbox)) == (1, 1)


def test_goods_arrive_in_parts_and_the_last_finishes_the_step():
    order, purchase = bought(then=[by_hand(after=["step"])])
    clerk = a_user()
    receive(purchase, 1, "SN-1", by=clerk.pk)
    purchase.refresh_from_db()
    assert (purchase.state, purchase.received, first(order).state) == (
        "partly",
        Decimal(1),
        "running",
    )
    receive(purchase, 2, "SN-2", " SN-3 ", "", by=clerk.pk)
    purchase.refresh_from_db()
    assert (purchase.state, purchase.received) == ("received", Decimal(3))
    assert states(order) == (["provisioning"], ["done", "ready"])
    shown = Evidence.objects.get()
    assert (shown.serial, shown.serials, shown.quantity, shown.by) == (
        "SN-1",
        ["SN-1", "SN-2", "SN-3"],
        Decimal(1),
        clerk,
    )
    costs = TaskCost.objects.exclude(kind="labour").values_list("kind", "amount", "note")
    assert list(costs) == [("purchase", Decimal("298.5"), purchase.number)]


REFUSED: list[tuple[Any, Any, Any, str]] = [
    (4, (), DAY, "quantity"),
    (0, (), DAY, "quantity"),
    (-1, (), DAY, "quantity"),
    (1, ("a", "b"), DAY, "serials"),
    (2, ("a", "a"), DAY, "serials"),
    (1, ("x" * 121,), DAY, "serials"),
    (1, ("a\0",), DAY, "serials"),
    (1, (), DAY + timedelta(days=1), "on"),
    (1, (), DAY - timedelta(days=1), "on"),
]


@pytest.mark.parametrize(("quantity", "serials", "on", "field"), REFUSED)
def test_what_cannot_have_arrived(quantity, serials, on, field):
    _, purchase = bought()
    before = written()
    with pytest.raises(purchases.ReceiptInvalid) as refused:
        receive(purchase, quantity, *serials, on=on)
    assert refused.value.field == field
    assert written() == before
    assert not PurchaseReceipt.objects.exists()


def test_a_serial_arrives_once_and_nothing_after_the_end():
    _, purchase = bought()
    receive(purchase, 1, "SN-1")
    with pytest.raises(purchases.ReceiptInvalid, match="SN-1 is there twice"):
        receive(purchase, 1, "SN-1")
    receive(purchase, 2)
    with pytest.raises(purchases.PurchaseNotOpen):
        receive(purchase, 1)
    assert PurchaseReceipt.objects.count() == 2


def test_a_person_cancels_the_vendor_hears_of_it_and_the_step_falls_out():
    order, purchase = bought(MAILED)
    purchases.cancel_purchase(purchase_id=purchase.pk, reason="too slow", at=LATER, by=a_user().pk)
    task = first(order)
    assert (task.state, task.failure) == ("fallout", f"{purchase.number}: too slow")
    owed = Outbox.objects.get(task="orders.mail_cancellation")
    for _ in range(2):
        kinds.mail_cancellation(key=owed.key, outbox_id=owed.pk)
    assert [letter.subject for letter in mail.outbox[1:]] == [
        f"Order {purchase.number} is cancelled"
    ]
    with pytest.raises(purchases.PurchaseNotOpen):
        purchases.cancel_purchase(purchase_id=purchase.pk, reason="again", at=LATER, by=1)
    services.retry_task(task_id=task.pk, at=LATER)
    assert run(order).failure == f"{purchase.number} was cancelled"


def test_a_vendor_that_cannot_be_told_is_the_advocates_to_call(monkeypatch):
    order, purchase = bought(MAILED)
    purchases.cancel_purchase(purchase_id=purchase.pk, reason="x", at=LATER, by=a_user().pk)
    owed = Outbox.objects.get(task="orders.mail_cancellation")

    def away(self, messages):
        raise TimeoutError("slow")

    monkeypatch.setattr(locmem.EmailBackend, "send_messages", away)
    with pytest.raises(NotMailed):
        kinds.mail_cancellation(key=owed.key, outbox_id=owed.pk)
    told = Notice.objects.get()
    assert (told.user, told.title) == (
        order.account.advocate,
        f"Cisco was not told that {purchase.number} is cancelled",
    )


def test_a_cancelled_line_calls_off_what_it_waits_for():
    order, purchase = bought(MAILED, compensation=CANCEL)
    services.cancel_line(line_id=order.lines.get().pk, at=LATER, reason="no more")
    assert states(order) == (["cancelling"], ["running"])
    owed = Outbox.objects.get(task="orders.call_off_lines")
    kinds.call_off_lines(key=owed.key, outbox_id=owed.pk)
    run(order, datetime(2100, 1, 1, tzinfo=UTC))
    purchase.refresh_from_db()
    assert purchase.state == "cancelled"
    assert states(order) == (["cancelled"], ["cancelled"])
    assert Outbox.objects.filter(task="orders.mail_cancellation", key=purchase.pk).exists()


def test_what_has_arrived_is_for_people_to_send_back():
    order, purchase = bought(compensation=CANCEL, then=[by_hand(after=["step"])])
    receive(purchase, 3)
    services.cancel_line(line_id=order.lines.get().pk, at=LATER, reason="no more")
    run(order)
    undoing = Task.objects.get(compensates__isnull=False)
    assert (undoing.state, undoing.failure) == (
        "fallout",
        f"{purchase.number} has arrived already: agree with Cisco on its return",
    )


def test_a_line_that_was_given_up_without_compensation_waits_for_a_person():
    order, purchase = bought()
    services.cancel_line(line_id=order.lines.get().pk, at=LATER, reason="no more")
    assert states(order) == (["cancelling"], ["running"])
    purchases.cancel_purchase(purchase_id=purchase.pk, reason="no more", at=LATER, by=a_user().pk)
    assert states(order) == (["cancelled"], ["cancelled"])


# pages


def url(name, purchase):
    return reverse(f"orders:{name}", args=[purchase.pk])


def test_list_and_page():
    client = team()
    order, purchase = bought()
    page = client.get(reverse("orders:purchases")).text
    for words in (purchase.number, "Cisco", "Router &lt;C921&gt;", "0 / 3", "6 Feb 2026"):
        assert words in page, words
    # The machine's today is long after.
    assert purchase.number in client.get(reverse("orders:purchases"), {"state": "late"}).text
    assert (
        purchase.number not in client.get(reverse("orders:purchases"), {"state": "received"}).text
    )
    answer: Any = client.get(reverse("orders:purchases"), {"format": "csv"})
    assert f"{purchase.number},Cisco,".encode() in b"".join(answer.streaming_content)
    one = client.get(url("purchase", purchase)).text
    for words in (purchase.number, "€298.50", str(order.lines.get()), "Note what arrived"):
        assert words in one, words
    there = reverse("orders:task-purchase", args=[first(order).pk])
    assert client.get(there)["Location"] == url("purchase", purchase)
    assert there in client.get(order.get_absolute_url()).text
    answer = client.get(url("purchase-document", purchase))
    assert (answer["Content-Type"], answer.content[:4]) == ("application/pdf", b"%PDF")


def test_receive_and_cancel_on_the_page():
    client = team()
    _, purchase = bought(account=an_account())
    day = purchase.sent_at.date().isoformat()
    told = {"quantity": "2", "on": day, "serials": "SN-1\nSN-2"}
    assert client.post(url("purchase-receive", purchase), told).status_code == 302
    assert "SN-1, SN-2" in client.get(url("purchase", purchase)).text
    rest = told | {"quantity": "1", "serials": "SN-3"}
    asks = client.post(url("purchase-receive", purchase), rest)
    assert ("With this all of it has arrived" in asks.text, 'name="rest"' in asks.text) == (
        True,
        True,
    )
    assert PurchaseReceipt.objects.count() == 1
    for wrong, words in (
        ({"quantity": "2"}, "Only 1 are still to come."),
        ({"quantity": "NaN"}, "Enter a number."),
        ({"quantity": "x"}, "Enter a number."),
        ({"on": "yesterday"}, "This is no day"),
        ({"serials": "a\0b"}, "Null characters are not allowed."),
        (
            {"quantity": "1", "on": "2026-01-01", "rest": "yes"},
            "It was not ordered yet on this day.",
        ),
    ):
        answer = client.post(url("purchase-receive", purchase), told | {"serials": ""} | wrong)
        assert (answer.status_code, words in answer.text) == (422, True), words
    assert PurchaseReceipt.objects.count() == 1
    assert client.post(url("purchase-cancel", purchase), {"reason": " "}).status_code == 422
    assert client.post(url("purchase-cancel", purchase), {"reason": "late"}).status_code == 302
    page = client.get(url("purchase", purchase)).text
    assert ("Note what arrived" in page, "cancelled" in page) == (False, True)
    assert client.post(url("purchase-cancel", purchase), {"reason": "x"}).status_code == 409


def test_the_rest_is_received_when_it_is_meant():
    client = team()
    order, purchase = bought(CISCO | {"quantity": 100}, account=an_account())
    page = client.get(url("purchase", purchase)).text
    assert ('value="100"' in page, "1E+2" in page) == (True, False)
    told = {"quantity": "100", "on": purchase.sent_at.date().isoformat(), "serials": ""}
    assert client.post(url("purchase-receive", purchase), told).status_code == 200
    assert not PurchaseReceipt.objects.exists()
    sure = client.post(url("purchase-receive", purchase), told | {"rest": "yes"})
    assert sure.status_code == 302
    purchase.refresh_from_db()
    assert (purchase.state, first(order).state) == ("received", "done")


def put_off(purchase, on, *, reason="Out of stock", at=LATER):
    return purchases.change_expected(
        purchase_id=purchase.pk, expected_on=on, reason=reason, at=at, by=a_user().pk
    )


def test_a_vendor_who_delivers_later_moves_the_day_and_the_clock():
    order, purchase = bought()
    Task.objects.update(jeopardy="red", jeopardy_since=LATER)
    put_off(purchase, date(2026, 2, 20))
    purchase.refresh_from_db()
    task = first(order)
    assert (purchase.expected_on, purchase.state) == (date(2026, 2, 20), "sent")
    assert (task.amber_at, task.red_at, task.jeopardy, task.jeopardy_since) == (
        datetime(2026, 2, 20, tzinfo=UTC),
        datetime(2026, 2, 21, tzinfo=UTC),
        "green",
        None,
    )
    event = Event.objects.get(name="purchase.put_off")
    assert (event.order_id, event.facts["before"], event.facts["after"], event.facts["reason"]) == (
        order.pk,
        "2026-02-06",
        "2026-02-20",
        "Out of stock",
    )
    assert Outbox.objects.filter(task="orders.forecast_orders", key=order.pk).exists()
    assert "The vendor delivers on another day (Out of stock)" in (
        team().get(order.get_absolute_url()).text
    )


@pytest.mark.parametrize(
    ("on", "reason", "refusal"),
    [
        (DAY - timedelta(days=1), "x", purchases.ExpectationInvalid),
        (DAY + timedelta(days=731), "x", purchases.ExpectationInvalid),
        (date.max, "x", purchases.ExpectationInvalid),
        (date(2026, 2, 6), "x", purchases.ExpectationInvalid),
        (DAY, " ", ReasonMissing),
        (DAY, "\0", ReasonMissing),
    ],
)
def test_days_that_are_not_expected(on, reason, refusal):
    _, purchase = bought()
    before = written()
    with pytest.raises(refusal):
        put_off(purchase, on, reason=reason)
    purchase.refresh_from_db()
    assert (purchase.expected_on, written()) == (date(2026, 2, 6), before)


def test_what_has_arrived_is_expected_no_more():
    _, purchase = bought()
    receive(purchase, 3)
    before = written()
    with pytest.raises(purchases.PurchaseNotOpen):
        put_off(purchase, DAY)
    assert written() == before


def test_the_day_is_moved_on_the_page():
    client = team()
    _, purchase = bought(account=an_account())
    move, on = url("purchase-expect", purchase), clock.today() + timedelta(days=9)
    assert move in client.get(url("purchase", purchase)).text
    told = {"expect-expected_on": on.isoformat(), "expect-reason": "Out of stock"}
    for wrong, words in (
        ({"expect-expected_on": "soon"}, "This is no day"),
        ({"expect-expected_on": "2020-01-01"}, "Expect it from today on"),
        ({"expect-reason": ""}, "Reason: This field is required."),
    ):
        answer = client.post(move, told | wrong)
        assert (answer.status_code, words in answer.text) == (422, True), words
    assert client.post(move, told)["Location"] == url("purchase", purchase)
    purchase.refresh_from_db()
    assert purchase.expected_on == on


def test_an_order_links_to_its_purchase_for_those_who_may_read_it():
    order, purchase = bought()
    panel, there = reverse("orders:documents", args=[order.pk]), url("purchase-document", purchase)
    assert there in team().get(panel).text
    seen = team("finance").get(panel).text
    assert (there in seen, purchase.number in seen) == (False, True)


def test_who_may_and_what_is_not_there():
    _, purchase = bought()
    before = written()
    for name in ("purchase", "purchase-document"):
        assert Client().get(url(name, purchase)).status_code == 302
        assert team("finance").get(url(name, purchase)).status_code == 403
    for name in ("purchase-receive", "purchase-cancel", "purchase-expect"):
        assert logged_in(a_user("sales")).post(url(name, purchase)).status_code == 403
        assert team().post(reverse(f"orders:{name}", args=[10**9])).status_code == 404
    for name in ("purchase", "purchase-document", "task-purchase"):
        assert team().get(reverse(f"orders:{name}", args=[10**9])).status_code == 404
    assert written() == before


def test_queries_of_the_list_are_constant():
    client, counts = team(), []
    for n in (1, 5):
        for _ in range(n):
            bought()
        with CaptureQueriesContext(connection) as asked:
            client.get(reverse("orders:purchases"))
        counts.append(len(asked))
    assert counts[0] == counts[1]
