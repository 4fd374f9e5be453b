"""Questions and complaints as services: who hears, whose they are, until when, and the refusals."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from o2b.errors import Refused
from o2b.fsm import law
from o2b.models import Event, TestClock
from o2b.people.models import Notice
from orders.care import services
from orders.care.services import (
    ComplaintNotReady,
    NotAPerson,
    NothingSaid,
    QuestionAnswered,
    TooMany,
)
from orders.care.services.complaints import due_at
from orders.models import Complaint, Question
from tests.factories import a_user, an_entity
from tests.orders.build import NOON, a_placed_order
from tests.orders.careful import a_complaint, an_order, first_line, heard, under_a_clock

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=1)


def written() -> tuple[int, ...]:
    kinds = (Question, Complaint, Event, Notice)
    return tuple(kind.objects.count() for kind in kinds)


def events_of(complaint: Complaint) -> list[str]:
    found = Event.objects.filter(subject_type="orders.complaint", subject_id=complaint.pk)
    return list(found.order_by("id").values_list("name", flat=True))


def test_the_life_of_a_complaint() -> None:
    assert law(Complaint) == {
        ("open", "take", "in_hand"),
        ("open", "resolve", "resolved"),
        ("in_hand", "resolve", "resolved"),
        ("resolved", "reopen", "open"),
    }


def test_a_question_reaches_the_advocate_and_its_answer_stands() -> None:
    order = an_order()
    mara = order.account.advocate
    asked = services.ask_question(order_id=order.pk, name=" Ann\0 ", text="When? ", at=NOON)
    assert (asked.name, asked.text, asked.account_id) == ("Ann", "When?", order.account_id)
    assert heard(mara) == [f"Ann asks about order {order}"]
    notice = Notice.objects.get(user=mara)
    assert (notice.topic, notice.url) == ("question", f"/orders/questions/{asked.pk}/")
    answered = services.answer_question(
        question_id=asked.pk, text="On Monday", at=LATER, actor_id=mara.pk
    )
    assert (answered.answer, answered.answered_at, answered.answered_by) == (
        "On Monday",
        LATER,
        mara,
    )
    before = written()
    with pytest.raises(QuestionAnswered):
        services.answer_question(question_id=asked.pk, text="No", at=LATER, actor_id=mara.pk)
    assert written() == before
    names = Event.objects.filter(order_id=order.pk).values_list("name", flat=True)
    assert {"order.question_asked", "order.question_answered"} <= set(names)


@pytest.mark.parametrize(
    ("name", "text", "field"),
    [
        ("Ann", " \0", "text"),
        ("Ann", "x" * 4001, "text"),
        ("", "Hm", "name"),
        ("x" * 121, "Hm", "name"),
    ],
)
def test_what_says_nothing_or_too_much_is_refused(name: str, text: str, field: str) -> None:
    order = an_order()
    before = written()
    with pytest.raises(NothingSaid) as refused:
        services.ask_question(order_id=order.pk, name=name, text=text, at=NOON)
    assert refused.value.field == field
    assert written() == before


def test_an_order_asks_only_so_much_at_once_and_a_day() -> None:
    order = an_order()
    mara = order.account.advocate_id

    def ask(at: datetime = NOON) -> Question:
        return services.ask_question(order_id=order.pk, name="Ann", text="When?", at=at)

    for _ in range(4):
        ask()
    for _ in range(16):
        services.answer_question(question_id=ask().pk, text="Soon", at=NOON, actor_id=mara)
    before = written()
    with pytest.raises(TooMany) as refused:
        ask()
    assert (refused.value.status, written()) == (429, before)
    ask(NOON + timedelta(days=1, seconds=1))
    with pytest.raises(TooMany):
        ask(NOON + timedelta(days=1, seconds=1))


def test_a_complaint_has_a_line_an_owner_and_a_clock() -> None:
    complaint = a_complaint()
    mara = complaint.account.advocate
    assert (complaint.owner, complaint.state, complaint.name) == (mara, "open", "Ann Hall")
    # Saturday noon in January: Monday and Tuesday are the two working days.
    assert complaint.due_at == datetime(2026, 2, 3, 17, tzinfo=UTC)
    title = f"Complaint about {complaint.line} {complaint.line.product_version.product}"
    assert heard(mara) == [title]
    assert events_of(complaint) == ["complaint.opened"]


def test_the_clock_knows_the_sellers_holidays_and_the_accounts_zone(settings: Any) -> None:
    settings.O2B_COMPLAINT_DAYS = 1
    good_friday = datetime(2026, 4, 3, 6, tzinfo=UTC)
    german = under_a_clock(time_zone="Europe/Berlin", legal_entity=an_entity())
    nowhere = under_a_clock(legal_entity=an_entity(code="zz", country="ZZ"))
    # Easter Monday is free too.
    assert due_at(german, good_friday) == datetime(2026, 4, 7, 15, tzinfo=UTC)
    assert due_at(nowhere, good_friday) == datetime(2026, 4, 3, 17, tzinfo=UTC)


def test_the_advocate_who_takes_one_down_need_not_be_told() -> None:
    order = an_order()
    mara = order.account.advocate
    a_complaint(order, source="staff", name="", actor_id=mara.pk)
    assert heard(mara) == []


def test_taken_handed_over_resolved_and_opened_again() -> None:
    complaint = a_complaint()
    mara, ada = complaint.account.advocate, a_user("sales", username="ada")
    ways: dict[str, Any] = {"complaint_id": complaint.pk, "at": LATER}
    taken = services.take_complaint(**ways, actor_id=ada.pk)
    assert (taken.state, taken.owner, taken.taken_by) == ("in_hand", ada, ada)
    services.hand_over_complaint(**ways, to_id=mara.pk, actor_id=ada.pk)
    assert heard(mara)[-1].startswith("You now own the complaint about O-")
    done = services.resolve_complaint(**ways, resolution="Replaced", actor_id=mara.pk)
    assert (done.state, done.resolution, done.resolved_by_id, done.resolved_at) == (
        "resolved",
        "Replaced",
        mara.pk,
        LATER,
    )
    at = datetime(2026, 3, 2, 8, tzinfo=UTC)
    again = services.reopen_complaint(
        complaint_id=complaint.pk, reason="Broken again", at=at, actor_id=ada.pk
    )
    assert (again.state, again.resolution, again.resolved_at) == ("open", "", None)
    assert again.due_at == datetime(2026, 3, 3, 17, tzinfo=UTC)
    assert heard(mara)[-1].endswith("is open again")
    assert events_of(complaint) == [
        "complaint.opened",
        "complaint.taken",
        "complaint.handed_over",
        "complaint.resolved",
        "complaint.reopened",
    ]
    complaint.refresh_from_db()
    assert (complaint.state, complaint.owner) == ("open", mara)


@pytest.mark.parametrize(
    ("deed", "given", "refusal"),
    [
        ("resolve_complaint", {"resolution": " "}, NothingSaid),
        ("resolve_complaint", {"resolution": "Again"}, ComplaintNotReady),
        ("take_complaint", {}, ComplaintNotReady),
        ("hand_over_complaint", {"to_id": 1}, ComplaintNotReady),
        ("reopen_complaint", {"reason": ""}, NothingSaid),
    ],
)
def test_what_a_resolved_complaint_refuses(
    deed: str, given: dict[str, Any], refusal: type[Refused]
) -> None:
    complaint = a_complaint()
    actor = complaint.owner_id
    ways: dict[str, Any] = {"complaint_id": complaint.pk, "at": LATER, "actor_id": actor}
    services.resolve_complaint(**ways, resolution="Done")
    before = written()
    with pytest.raises(refusal):
        getattr(services, deed)(**ways | given)
    assert written() == before
    complaint.refresh_from_db()
    assert (complaint.state, complaint.resolution) == ("resolved", "Done")


def test_it_is_handed_over_only_to_somebody_who_is_here() -> None:
    complaint = a_complaint()
    gone = a_user("sales", is_active=False)
    deaf = a_user("finance")
    before = written()
    for to_id in (gone.pk, deaf.pk, 10**12):
        with pytest.raises(NotAPerson):
            services.hand_over_complaint(
                complaint_id=complaint.pk, to_id=to_id, at=LATER, actor_id=gone.pk
            )
    assert written() == before


def test_customers_complain_only_so_often() -> None:
    order = an_order()
    for _ in range(5):
        a_complaint(order)
    before = written()
    with pytest.raises(TooMany):
        a_complaint(order)
    assert written() == before
    a_complaint(order, source="staff", actor_id=a_user().pk)


def test_the_account_clock_alone_makes_it_overdue_once() -> None:
    complaint = a_complaint()
    mara, clock = complaint.account.advocate, complaint.account.test_clock
    lead, admin = a_user("administrator"), a_user("order team")
    machine_now = datetime(2030, 1, 1, tzinfo=UTC)
    assert services.warn_overdue(machine_now=machine_now) == 0
    TestClock.objects.filter(pk=clock.pk).update(now=complaint.due_at)
    assert services.warn_overdue(machine_now=machine_now) == 1
    assert services.warn_overdue(machine_now=machine_now) == 0
    told = f"Complaint about {complaint.line} {complaint.line.product_version.product} is overdue"
    assert heard(mara)[-1] == told
    assert (heard(lead), heard(admin)) == ([told], [])
    assert events_of(complaint)[-1] == "complaint.overdue"
    event = Event.objects.get(name="complaint.overdue")
    complaint.refresh_from_db()
    assert event.at == complaint.warned_at == complaint.due_at


def test_without_a_test_clock_the_machines_counts() -> None:
    complaint = a_complaint(a_placed_order())
    assert services.warn_overdue(machine_now=complaint.due_at - timedelta(seconds=1)) == 0
    assert services.warn_overdue(machine_now=complaint.due_at) == 1
    assert heard(complaint.owner)[-1].endswith("is overdue")


def test_many_are_warned_of_in_a_constant_number_of_statements() -> None:
    order = an_order(lines=3)
    asked = []
    for n in (1, 12):
        for _ in range(n):
            a_complaint(order, source="staff", actor_id=order.account.advocate_id)
        TestClock.objects.update(now=datetime(2027, 1, 1, tzinfo=UTC))
        with CaptureQueriesContext(connection) as told:
            assert services.warn_overdue(machine_now=NOON) == n
        asked.append(len(told))
    assert asked[0] == asked[1]


def test_a_resolved_one_is_never_overdue() -> None:
    complaint = a_complaint()
    services.resolve_complaint(
        complaint_id=complaint.pk, resolution="Done", at=LATER, actor_id=complaint.owner_id
    )
    TestClock.objects.update(now=datetime(2027, 1, 1, tzinfo=UTC))
    assert services.warn_overdue(machine_now=NOON) == 0


def test_a_line_that_is_not_there() -> None:
    with pytest.raises(Exception, match="does not exist"):
        a_complaint(an_order(), line_id=10**9)
    assert first_line(an_order()).complaints.count() == 0
