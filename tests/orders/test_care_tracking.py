"""The customer's page of an order: what it says, what it hides, what one may send from it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.signing import Signer
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from o2b import events
from o2b.models import Event
from o2b.people.models import Notice
from orders.care import links, services
from orders.models import Appointment, Complaint, Order, OrderLine, Question, Task
from quotes import links as offers
from tests.orders.build import ACTIVATE, INSTALL, NOON, by_hand
from tests.orders.careful import a_complaint, an_order, first_line, heard, track

pytestmark = pytest.mark.django_db
ASK = {"do": "ask", "ask-name": "Ann Hall", "ask-text": "When does the technician come?"}


def seen(order: Order, **headers: str) -> str:
    answer = Client().get(track(order), headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


def written() -> tuple[int, ...]:
    return tuple(kind.objects.count() for kind in (Question, Complaint, Event, Notice))


def complaint_of(order: Order, **given: Any) -> dict[str, Any]:
    return {
        "do": "complain",
        "complain-line": first_line(order).pk,
        "complain-name": "Ann Hall",
        "complain-text": "It is the wrong router",
    } | given


def test_it_names_the_advocate_the_days_and_how_far_it_is() -> None:
    order = an_order(
        tasks=[by_hand("serial", key="secret-step", queue="hushed")],
        lines=2,
        time_zone="Asia/Tokyo",
    )
    Order.objects.filter(pk=order.pk).update(
        promised_on=date(2026, 3, 20), forecast_at=datetime(2026, 3, 17, 16, tzinfo=UTC)
    )
    mara = order.account.advocate
    mara.email = "mara@example.com"
    mara.save()
    page = seen(order)
    for words in (
        f"Your order {order}",
        "Nordlicht Telecom",
        "Mara Lind looks after your order",
        "mailto:mara@example.com",
        "20 Mar 2026",
        "18 Mar 2026",  # the day it is in Tokyo by then
        "0 of 2",
        "in preparation",
    ):
        assert words in page
    assert "noindex" in page
    for hidden in ("secret-step", "Secret-Step", "hushed", "Hushed", "/orders/1/", "Log out"):
        assert hidden not in page


def test_it_follows_the_order_to_its_end() -> None:
    order = an_order(lines=2)
    assert 'hx-trigger="every 15s"' in seen(order)
    events.drain()
    page = seen(order)
    assert "2 of 2" in page
    assert page.count("stations s3 whole") == 2
    assert "every 15s" not in page
    part = Client().get(track(order), headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith('<div id="track"')
    assert "<form" not in part


def test_what_fell_out_is_ours_to_mend_and_says_nothing_of_it() -> None:
    order = an_order()
    OrderLine.objects.update(
        state="fallout", paused_from="provisioning", reason="HTTP 500 from legacy-oss"
    )
    page = seen(order)
    assert "legacy-oss" not in page
    assert "stations s2" in page
    OrderLine.objects.update(state="held", reason="Credit looks bad")
    page = seen(order)
    assert "Credit looks bad" not in page
    assert "paused by us" in page


def test_what_waits_for_the_customer() -> None:
    order = an_order(tasks=INSTALL)
    OrderLine.objects.update(state="waiting", paused_from="scheduled", reason="Please send a plan")
    page = seen(order)
    assert "We are waiting for you" in page
    assert "Please send a plan" in page
    OrderLine.objects.update(state="provisioning", reason="")
    Task.objects.filter(key="install").update(state="running", waits_for="payment")
    assert "when your payment has arrived" in seen(order)
    Task.objects.filter(key="install").update(waits_for="customer")
    assert "please ask Mara Lind what is needed" in seen(order)


def test_visits_are_told_in_the_customers_own_time() -> None:
    order = an_order(tasks=INSTALL, time_zone="Europe/Berlin")
    task = Task.objects.get(key="install")
    visit = Appointment.objects.create(task=task, line=task.line, account=order.account)
    assert "We will arrange a time with you" in seen(order)
    visit.begins_at = datetime(2026, 7, 1, 7, tzinfo=UTC)
    visit.ends_at = visit.begins_at + timedelta(hours=2)
    visit.place = "Ring 5"
    visit.arrange(at=NOON)
    visit.save()
    page = seen(order)
    assert "1 Jul 2026, 09:00–11:00" in page
    assert "Ring 5" in page


def test_a_question_is_asked_and_its_answer_read() -> None:
    order = an_order()
    client = Client(enforce_csrf_checks=True)
    page = client.get(track(order)).content.decode()
    assert client.post(track(order), ASK).status_code == 403
    token = page.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    sent = client.post(track(order), ASK | {"csrfmiddlewaretoken": token})
    assert (sent.status_code, sent["Location"]) == (302, f"{track(order)}#questions")
    assert "Mara Lind has your question" in client.get(track(order)).content.decode()
    question = Question.objects.get()
    assert (question.name, question.asked_at) == ("Ann Hall", NOON)
    assert heard(order.account.advocate)[-1] == f"Ann Hall asks about order {order}"
    services.answer_question(
        question_id=question.pk, text="On <Monday>", at=NOON, actor_id=order.account.advocate_id
    )
    assert "On &lt;Monday&gt;" in seen(order)


def test_a_complaint_is_sent_and_what_became_of_it_read() -> None:
    order = an_order()
    assert Client().post(track(order), complaint_of(order)).status_code == 302
    complaint = Complaint.objects.get()
    assert (complaint.source, complaint.line, complaint.owner) == (
        "tracking",
        first_line(order),
        order.account.advocate,
    )
    assert "Mara Lind takes care of it and answers by 3 Feb 2026" in seen(order)
    services.resolve_complaint(
        complaint_id=complaint.pk, resolution="Exchanged", at=NOON, actor_id=complaint.owner_id
    )
    assert "Exchanged" in seen(order)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"ask-name": ""}, "required"),
        ({"ask-text": " "}, "required"),
        ({"ask-text": "x" * 4001}, "at most 4000"),
        ({"ask-name": "x" * 121}, "at most 120"),
        ({"ask-text": "\0"}, "Null characters"),
        ({"do": "complain"}, "required"),
        ({"do": "\0"}, ""),
    ],
)
def test_what_cannot_be_sent_is_said_beside_the_field(said: dict[str, str], words: str) -> None:
    order = an_order()
    before = written()
    answer = Client().post(track(order), ASK | said)
    if said.get("do") == "\0":
        assert answer.status_code == 302
        return
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert written() == before


def test_nobody_complains_about_the_line_of_another_order() -> None:
    order, other = an_order(), an_order()
    before = written()
    for line in (first_line(other).pk, "junk", "9" * 40, ""):
        said = complaint_of(order, **{"complain-line": line})
        assert Client().post(track(order), said).status_code == 422
    assert written() == before


def test_the_sixth_unanswered_question_is_refused() -> None:
    order = an_order()
    for _ in range(5):
        assert Client().post(track(order), ASK).status_code == 302
    before = written()
    answer = Client().post(track(order), ASK)
    assert answer.status_code == 429
    assert "several questions of yours" in answer.content.decode()
    assert "When does the technician come?" in answer.content.decode()
    assert written() == before


def test_a_link_that_is_not_ours_tells_nothing() -> None:
    order = an_order()
    token = links.sign(order.pk)
    for wrong in (
        str(order.pk),
        token[:-1],
        token + "x",
        offers.sign(order.pk),
        links.sign(order.pk + 1000),
        links.sign(10**30),
        links.sign(-1),
        Signer(sep=".", salt=links.SALT).sign("x"),
        "%00",
        "x" * 5000,
    ):
        for answer in (
            Client().get(f"/orders/track/{wrong}/"),
            Client().post(f"/orders/track/{wrong}/", ASK),
        ):
            assert answer.status_code == 404, wrong
            assert str(order.account.customer) not in answer.content.decode()
    assert not Question.objects.exists()


def test_in_the_language_of_the_browser() -> None:
    page = seen(an_order(), **{"Accept-Language": "de"})
    assert '<html lang="de">' in page


def test_as_many_queries_for_many_lines() -> None:
    counts = []
    for n in (1, 40):
        order = an_order(tasks=ACTIVATE, lines=n)
        for _ in range(min(n, 5)):
            a_complaint(order)
            services.ask_question(order_id=order.pk, name="Ann", text="When?", at=NOON)
        with CaptureQueriesContext(connection) as asked:
            seen(order)
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 10
    page = Client().get(track(order) + "?page=2").content.decode()
    assert page.count('class="stations') == 10
    assert Client().get(track(order) + "?page=junk").status_code == 200


def test_after_accepting_an_offer_the_way_leads_here() -> None:
    order = an_order()
    page = Client().get(f"/orders/offer/{offers.sign(order.quote_id)}/").content.decode()
    assert track(order) in page
