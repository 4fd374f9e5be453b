"""What people are told: once, as they prefer, in one statement; the bell, the list, the ways."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from o2b import clock
from o2b.models import Outbox
from o2b.people.models import Notice, NoticePreference, Topic, User
from o2b.people.notices import selectors, services
from o2b.people.notices.services import Note, prefer, read_all, read_notice, tell, tell_many
from tests.factories import a_user

pytestmark = pytest.mark.django_db
AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
PAGE = "/notices/"


def told(*people: User, key: str = "order:1:placed", **given: Any) -> int:
    fields: dict[str, Any] = {
        "user_ids": [person.pk for person in people],
        "topic": Topic.ACCEPTED,
        "key": key,
        "title": "Order O-1 is accepted",
        "at": AT,
    }
    return tell(**fields | given)


def browser(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def ways(person: User) -> list[tuple[str, bool, bool]]:
    kept = Notice.objects.filter(user=person).order_by("pk")
    return list(kept.values_list("key", "in_app", "by_mail"))


def test_somebody_is_told_once() -> None:
    mara, jonas = a_user(email="mara@example.com"), a_user()
    assert told(mara, mara, jonas, text="Router", url="/orders/1/", tone="good") == 2
    assert told(mara, title="In other words") == 0
    notice = Notice.objects.get(user=mara)
    assert (notice.title, notice.text, notice.url) == (
        "Order O-1 is accepted",
        "Router",
        "/orders/1/",
    )
    assert (notice.tone, notice.at, notice.read_at, notice.mailed_at) == ("good", AT, None, None)
    assert told(mara, key="order:2:placed") == 1


def test_news_in_one_batch_that_say_the_same_are_told_once() -> None:
    note = Note([a_user().pk], Topic.WORK, "task:1", "Yours", AT)
    assert tell_many([note, note]) == 1
    assert tell_many([]) == 0


def test_who_left_hears_nothing() -> None:
    assert told(a_user(is_active=False)) == 0
    assert told(User(pk=10**9)) == 0
    assert not Notice.objects.exists()


@pytest.mark.parametrize(
    ("in_app", "by_mail", "kept"),
    [
        (True, True, [("order:1:placed", True, True)]),
        (True, False, [("order:1:placed", True, False)]),
        (False, True, [("order:1:placed", False, True)]),
        (False, False, []),
    ],
)
def test_as_one_prefers(in_app: bool, by_mail: bool, kept: list[Any]) -> None:
    person = a_user(email="mara@example.com")
    prefer(user_id=person.pk, ways={Topic.ACCEPTED: (in_app, by_mail), "nonsense": (False, False)})
    told(person, at=clock.now())
    assert ways(person) == kept
    told(person, key="another topic", topic=Topic.WORK, at=clock.now())
    assert ways(person)[len(kept) :] == [("another topic", True, True)]


def test_without_an_address_nothing_is_mailed_nor_what_is_history() -> None:
    nobody, mara = a_user(), a_user(email="mara@example.com")
    told(nobody, at=clock.now())
    told(mara)
    assert ways(nobody) == [("order:1:placed", True, False)]
    assert ways(mara) == [("order:1:placed", True, False)]
    assert not Outbox.objects.exists()
    prefer(user_id=mara.pk, ways={Topic.ACCEPTED: (False, True)})
    assert told(mara, key="history, by mail only") == 0


def test_thousands_are_told_in_two_statements_and_one_call_a_person() -> None:
    people = [a_user(email=f"{n}@example.com") for n in range(3)]
    keys = [person.pk for person in people]
    notes = [Note(keys, Topic.DELIVERED, f"order:{n}", f"O-{n}", clock.now()) for n in range(1000)]
    with CaptureQueriesContext(connection) as asked:
        assert tell_many(notes) == 3000
    assert len([q for q in asked if not q["sql"].startswith(("SAVEPOINT", "RELEASE"))]) == 2
    assert sorted(Outbox.objects.values_list("task", "key")) == [
        ("people.mail_notices", key) for key in sorted(keys)
    ]


def test_a_long_title_and_a_nul_are_no_trouble() -> None:
    person = a_user()
    told(person, title="x\0" * 300, text="a\0b")
    notice = Notice.objects.get()
    assert (notice.title, notice.text) == ("x" * 200, "ab")


def test_reading_one_and_all_up_to_what_was_seen() -> None:
    person = a_user()
    for n in range(4):
        told(person, key=str(n))
    first, second, third, _fourth = Notice.objects.order_by("pk")
    read_notice(notice_id=first.pk, user_id=person.pk, at=AT)
    assert read_all(user_id=person.pk, at=clock.now(), up_to=third.pk) == 2
    assert selectors.unread_count(person.pk) == 1
    first.refresh_from_db()
    assert first.read_at == AT
    with pytest.raises(Notice.DoesNotExist):
        read_notice(notice_id=second.pk, user_id=a_user().pk, at=AT)


def test_the_bell_counts_what_is_unread_in_one_query() -> None:
    person = a_user()
    client = browser(person)
    assert 'class="count"' not in client.get(PAGE).content.decode()
    notes = [Note([person.pk], Topic.WORK, f"{n}", f"N{n}", AT) for n in range(120)]
    tell_many(notes[:3])
    assert "News for me, 3 unread" in client.get("/").content.decode()
    tell_many(notes)
    with CaptureQueriesContext(connection) as asked:
        assert ">99+<" in client.get("/password/").content.decode()
    assert sum("people_notice" in q["sql"] for q in asked) == 1


def test_the_list_shows_finds_and_filters_in_a_constant_number_of_queries() -> None:
    person = a_user()
    client = browser(person)
    counts = []
    for rows in (1, 40):
        tell_many([Note([person.pk], Topic.WORK, f"{n}", f"News {n}", AT) for n in range(rows)])
        with CaptureQueriesContext(connection) as asked:
            client.get(PAGE)
        counts.append(len(asked))
    assert counts[0] == counts[1]
    told(person, key="o", text="<b>Router</b>", tone="bad")
    told(a_user(), key="other", title="Not mine")
    page = client.get(PAGE, {"q": "router"}).content.decode()
    assert "Order O-1 is accepted" in page
    assert "&lt;b&gt;Router" in page
    assert "News 1" not in page
    assert "Not mine" not in client.get(PAGE).content.decode()
    assert "News 1" in client.get(PAGE, {"state": "work"}).content.decode()
    assert "News 1" not in client.get(PAGE, {"state": "mention"}).content.decode()
    for junk in ({"q": "\0"}, {"page": "x"}, {"state": "\0"}, {"sort": "x"}):
        assert client.get(PAGE, junk).status_code == 200


def test_a_notice_leads_on_and_is_read_then() -> None:
    person = a_user()
    told(person, url="/password/?a=1")
    notice = Notice.objects.get()
    client = browser(person)
    assert client.get(f"{PAGE}{notice.pk}/").headers["Location"] == "/password/?a=1"
    notice.refresh_from_db()
    assert notice.read_at is not None
    Notice.objects.update(url="https://elsewhere.example/")
    assert client.get(f"{PAGE}{notice.pk}/").headers["Location"] == PAGE
    assert browser(a_user()).get(f"{PAGE}{notice.pk}/").status_code == 404
    assert client.get(f"{PAGE}{10**30}/").status_code == 404


def test_marking_by_button() -> None:
    person = a_user()
    client = browser(person)
    for n in range(3):
        told(person, key=str(n))
    oldest, _, newest = Notice.objects.order_by("pk")
    client.post(f"{PAGE}{oldest.pk}/read/", {"next": f"{PAGE}?page=1"})
    assert selectors.unread_count(person.pk) == 2
    for junk in ("", "x", "9" * 40, "\0"):
        assert client.post(f"{PAGE}read/", {"up_to": junk}).status_code == 302
    assert selectors.unread_count(person.pk) == 2
    sent = client.post(f"{PAGE}read/", {"up_to": newest.pk, "next": "//evil.example"})
    assert sent.headers["Location"] == PAGE
    assert selectors.unread_count(person.pk) == 0


def test_ways_are_ticked_on_a_page() -> None:
    person = a_user(email="mara@example.com")
    client = browser(person)
    page = client.get(f"{PAGE}preferences/").content.decode()
    assert page.count("checked") == 2 * len(Topic)
    client.post(f"{PAGE}preferences/", {"on": ["accepted:app", "work:mail", "junk:app", "\0"]})
    said = {
        one.topic: (one.in_app, one.by_mail) for one in NoticePreference.objects.filter(user=person)
    }
    assert said.pop("accepted") == (True, False)
    assert said.pop("work") == (False, True)
    assert set(said.values()) == {(False, False)}
    assert client.get(f"{PAGE}preferences/").content.decode().count("checked") == 2
    assert services.Topic.values == [way.topic for way in selectors.ways_of(person.pk)]


def test_strangers_are_sent_to_the_log_in() -> None:
    for address in (PAGE, f"{PAGE}preferences/", f"{PAGE}1/"):
        assert Client().get(address).status_code == 302
    assert Client().post(f"{PAGE}read/").status_code == 302
