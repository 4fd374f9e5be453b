"""Pages of those who care: lists, one complaint, the desk of questions, panels and cards."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from o2b.models import Event, TestClock
from o2b.people.models import Notice
from orders.asks import account_panels, care_cards
from orders.care import links, services
from orders.models import Complaint, Question
from tests.factories import a_user
from tests.orders.build import NOON, logged_in, team
from tests.orders.careful import a_complaint, an_order, first_line, heard

pytestmark = pytest.mark.django_db
LIST, DESK = "/orders/complaints/", "/orders/questions/"


def written() -> tuple[int, ...]:
    return tuple(kind.objects.count() for kind in (Question, Complaint, Event, Notice))


def test_the_list_of_complaints_and_its_chips() -> None:
    mine, other, done = a_complaint(), a_complaint(text="Too slow"), a_complaint(text="Settled")
    services.resolve_complaint(
        complaint_id=done.pk, resolution="Done", at=NOON, actor_id=done.owner_id
    )
    TestClock.objects.filter(pk=other.account.test_clock_id).update(now=other.due_at)
    client = logged_in(mine.owner)

    def shown(**query: str) -> list[bool]:
        page = client.get(LIST, query).content.decode()
        return [f"{LIST}{one.pk}/" in page for one in (mine, other, done)]

    assert shown() == [True, True, True]
    assert shown(state="mine") == [True, False, False]
    assert shown(state="open") == [True, True, False]
    assert shown(state="overdue") == [False, True, False]
    assert shown(state="resolved") == [False, False, True]
    assert shown(q="slow") == [False, True, False]
    assert shown(q=str(mine.order)) == [True, False, False]
    assert "overdue" in client.get(LIST, {"state": "overdue"}).content.decode()
    sheet = b"".join(client.get(LIST, {"format": "csv"}).streaming_content).decode()
    assert len(sheet.splitlines()) == 4
    for junk in ({"q": "\0"}, {"page": "-1"}, {"state": "x"}, {"q": "9" * 40}):
        assert client.get(LIST, junk).status_code == 200


def test_lists_cost_the_same_with_many_rows() -> None:
    order = an_order()
    client = logged_in(order.account.advocate)
    counts = []
    for n in (1, 5):
        for _ in range(n):
            a_complaint(an_order())
            services.ask_question(order_id=an_order().pk, name="Ann", text="When?", at=NOON)
        with CaptureQueriesContext(connection) as asked:
            client.get(LIST)
            client.get(DESK)
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_a_complaint_is_taken_handed_over_resolved_and_opened_again() -> None:
    complaint = a_complaint(text="<b>wrong</b>")
    mara, ada = complaint.owner, a_user("sales", first_name="Ada", last_name="O")
    page = f"{LIST}{complaint.pk}/"
    client = logged_in(ada)
    assert "&lt;b&gt;wrong" in client.get(page).content.decode()
    client.post(f"{page}take/")
    client.post(f"{page}hand-over/", {"to": mara.pk})
    complaint.refresh_from_db()
    assert (complaint.state, complaint.owner) == ("in_hand", mara)
    assert client.post(f"{page}take/").status_code == 409
    client.post(f"{page}resolve/", {"resolution": "Exchanged"})
    complaint.refresh_from_db()
    assert (complaint.state, complaint.resolution) == ("resolved", "Exchanged")
    assert client.post(f"{page}resolve/", {"resolution": "Again"}).status_code == 409
    client.post(f"{page}reopen/", {"reason": "Not at all"})
    complaint.refresh_from_db()
    assert complaint.state == "open"
    timeline = client.get(page).content.decode()
    assert "Complaint resolved (Exchanged)" in timeline
    assert "Complaint opened again (Not at all)" in timeline


@pytest.mark.parametrize(
    ("deed", "said"),
    [
        ("hand-over", {"to": ""}),
        ("hand-over", {"to": "junk"}),
        ("hand-over", {"to": "9" * 30}),
        ("resolve", {"resolution": ""}),
        ("resolve", {"resolution": "x\0"}),
        ("resolve", {"resolution": "x" * 4001}),
        ("reopen", {"reason": " "}),
    ],
)
def test_what_is_wrong_stands_beside_the_field(deed: str, said: dict[str, str]) -> None:
    complaint = a_complaint()
    if deed == "reopen":
        services.resolve_complaint(
            complaint_id=complaint.pk, resolution="Done", at=NOON, actor_id=complaint.owner_id
        )
    before = written()
    answer = logged_in(complaint.owner).post(f"{LIST}{complaint.pk}/{deed}/", said)
    assert answer.status_code == 422
    assert "errorlist" in answer.content.decode()
    assert written() == before


def test_who_takes_one_down_is_told_that_the_customer_reads_it(settings: Any) -> None:
    order = an_order()
    page = logged_in(order.account.advocate).get(f"/orders/{order.pk}/complain/").text
    assert "The customer reads it on the page of the order." in page


def test_one_of_us_takes_one_down() -> None:
    order = an_order(lines=2)
    line = order.lines.last()
    assert line is not None
    client = team()  # sees orders, hears no complaints
    page = client.get(f"/orders/{order.pk}/complain/?line={line.pk}").content.decode()
    assert f'value="{line.pk}" selected' in page
    said = {"line": line.pk, "text": "No light", "name": ""}
    answer = client.post(f"/orders/{order.pk}/complain/", said)
    complaint = Complaint.objects.get()
    assert answer["Location"] == f"{LIST}{complaint.pk}/"
    assert (complaint.source, complaint.line, complaint.name) == ("staff", line, "")
    assert len(heard(order.account.advocate)) == 1
    before = written()
    for junk in ({"line": 10**9}, {"text": ""}, {"text": "\0"}, {"name": "x" * 200}, {"line": "x"}):
        assert client.post(f"/orders/{order.pk}/complain/", said | junk).status_code == 422
    assert client.post(f"/orders/{10**9}/complain/", said).status_code == 404
    assert written() == before


def test_the_desk_of_questions() -> None:
    order = an_order()
    mara = order.account.advocate
    asked = services.ask_question(order_id=order.pk, name="Ann", text="When?", at=NOON)
    client = logged_in(mara)
    page = f"{DESK}{asked.pk}/"
    assert page in client.get(DESK, {"state": "mine"}).content.decode()
    assert client.post(page, {"text": ""}).status_code == 422
    assert client.post(page, {"text": "Monday"}).status_code == 302
    assert "Monday" in client.get(page).content.decode()
    assert client.post(page, {"text": "Tuesday"}).status_code == 409
    assert page not in client.get(DESK, {"state": "open"}).content.decode()
    assert page in client.get(DESK, {"state": "answered"}).content.decode()
    asked.refresh_from_db()
    assert (asked.answer, asked.answered_by) == ("Monday", mara)


def test_who_may_not() -> None:
    complaint = a_complaint()
    asked = services.ask_question(order_id=complaint.order_id, name="Ann", text="When?", at=NOON)
    order_team, stranger = team(), logged_in(a_user())
    before = written()
    for deed in ("take", "hand-over", "resolve", "reopen"):
        assert order_team.post(f"{LIST}{complaint.pk}/{deed}/").status_code == 403
    assert order_team.post(f"{DESK}{asked.pk}/", {"text": "Now"}).status_code == 403
    page = order_team.get(f"{LIST}{complaint.pk}/").content.decode()
    assert "Hand over" not in page
    for address in (LIST, DESK, f"{LIST}{complaint.pk}/", f"{DESK}{asked.pk}/"):
        assert stranger.get(address).status_code == 403
        assert order_team.get(address).status_code == 200
    for gone in (f"{LIST}{10**9}/", f"{DESK}{10**9}/", f"{LIST}{10**30}/"):
        assert order_team.get(gone).status_code == 404
    assert written() == before


def test_panels_of_orders_and_accounts() -> None:
    complaint = a_complaint()
    order = complaint.order
    services.ask_question(order_id=order.pk, name="Ann", text="When?", at=NOON)
    client = team()
    for address in (f"/orders/{order.pk}/care/", f"/orders/care-of-account/{order.account_id}/"):
        whole = client.get(address).content.decode()
        part = client.get(address, headers={"HX-Request": "true"}).content.decode()
        for page in (whole, part):
            assert "It does not work" in page
            assert "When?" in page
        assert "<html" in whole
        assert "<html" not in part
    assert links.address(order.pk) in client.get(f"/orders/{order.pk}/care/").content.decode()
    assert f"/orders/{order.pk}/care/" in client.get(f"/orders/{order.pk}/").content.decode()
    assert client.get(f"/orders/{10**9}/care/").status_code == 404
    ada = a_user("order team")
    assert [panel.url for panel in account_panels(ada, 7)][-1] == "/orders/care-of-account/7/"


def test_cards_of_the_advocates_home() -> None:
    complaint = a_complaint()
    mara = complaint.owner
    services.ask_question(order_id=complaint.order_id, name="Ann", text="When?", at=NOON)

    def cards() -> list[tuple[str, str, str]]:
        return [(card.title, card.value, card.tone) for card in care_cards(mara)]

    assert cards() == [("My complaints", "1", "warn"), ("Questions to answer", "1", "warn")]
    TestClock.objects.update(now=complaint.due_at)
    assert cards()[0] == ("My complaints", "1", "bad")
    assert care_cards(a_user("order team")) == []


def test_the_page_of_a_line_is_one_step_from_its_complaint() -> None:
    complaint = a_complaint()
    page: Any = logged_in(complaint.owner).get(f"{LIST}{complaint.pk}/").content.decode()
    assert f"/orders/lines/{first_line(complaint.order).pk}/" in page
