"""Notices by mail, over a real SMTP server: at once, together, once; and when the server is ill."""

import socket
from collections.abc import Iterator
from datetime import timedelta
from email.message import Message
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as MessageHandler
from django.core import mail

from o2b import clock
from o2b.models import Outbox
from o2b.people.models import Notice, Topic, User
from o2b.people.notices import gateways, mailing, tasks
from o2b.people.notices.mailing import mail_waiting
from o2b.people.notices.services import Note, tell_many
from tests.factories import a_user

pytestmark = pytest.mark.django_db


class Postbox(MessageHandler):
    """Keeps what arrives; says no to some."""

    def __init__(self) -> None:
        super().__init__()
        self.letters: list[Message] = []
        self.refused: set[str] = set()

    def handle_message(self, message: Message) -> None:
        self.letters.append(message)

    async def handle_RCPT(  # noqa: N802
        self, _s: Any, _e: Any, envelope: Any, address: str, _o: Any
    ) -> str:
        if address in self.refused:
            return "550 nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    @property
    def subjects(self) -> list[str]:
        return [str(letter["Subject"]) for letter in self.letters]


@pytest.fixture
def postbox(settings: Any) -> Iterator[Postbox]:
    """A server on a port of its own, to which the house sends."""
    box = Postbox()
    server = Controller(box, hostname="127.0.0.1", port=0)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        server.port = probe.getsockname()[1]
    server.start()
    over_smtp(settings, server.port)
    yield box
    server.stop()


def over_smtp(settings: Any, port: int) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", port, 1
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""


def somebody(name: str = "mara") -> User:
    return a_user(email=f"{name}@example.com")


def tell(person: User, *keys: str, **given: Any) -> None:
    tell_many(
        [
            Note([person.pk], Topic.ACCEPTED, key, f"News {key}", clock.now(), **given)
            for key in keys
        ]
    )


def send(seconds: int = 0) -> int:
    return mail_waiting(machine_now=clock.now() + timedelta(seconds=seconds))


def standing() -> list[tuple[bool, int]]:
    """(mailed, tries) of every notice."""
    kept = Notice.objects.order_by("pk").values_list("mailed_at", "mail_tries")
    return [(mailed_at is not None, tries) for mailed_at, tries in kept]


def test_news_arrives_at_once_and_once(postbox: Postbox) -> None:
    tell(somebody(), "1", text="Router", url="/orders/1/")
    call = Outbox.objects.get()
    tasks.mail_notices(key=call.key, outbox_id=call.pk)
    assert not Outbox.objects.exists()
    tasks.mail_notices(key=call.key, outbox_id=call.pk)
    assert tasks.sweep_mail() == 0
    (letter,) = postbox.letters
    notice = Notice.objects.get()
    body = str(letter.get_payload())
    assert (letter["Subject"], letter["To"]) == ("News 1", "mara@example.com")
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Message-ID"] == f"<notices-{notice.pk}-{notice.pk}@localhost>"
    assert "Router" in body
    assert f"http://localhost:8000/notices/{notice.pk}/" in body
    assert "/notices/preferences/" in body
    assert standing() == [(True, 0)]


def test_what_waits_for_one_person_goes_out_together(postbox: Postbox) -> None:
    mara, jonas = somebody(), somebody("jonas")
    tell(mara, *(str(n) for n in range(60)))
    tell(jonas, "his")
    assert send() == 2
    assert sorted(postbox.subjects) == ["60 pieces of news", "News his"]
    body = next(str(x.get_payload()) for x in postbox.letters if "60" in str(x["Subject"]))
    assert body.count("News ") == mailing.MOST_IN_A_LETTER
    assert "and 10 more" in body


def test_a_letter_that_is_refused_keeps_nobody_else_waiting(postbox: Postbox) -> None:
    postbox.refused = {"mara@example.com"}
    tell(somebody(), "1")
    tell(somebody("jonas"), "2")
    assert send() == 1
    assert postbox.subjects == ["News 2"]
    assert standing() == [(False, 1), (True, 0)]
    assert "550" in Notice.objects.order_by("pk")[0].mail_error


def test_what_failed_waits_longer_each_time_and_what_comes_after_waits_with_it(
    postbox: Postbox,
) -> None:
    postbox.refused = {"mara@example.com"}
    mara = somebody()
    tell(mara, "1")
    assert send() == 0
    tell(mara, "2")
    assert send(29) == 0
    assert standing() == [(False, 1), (False, 0)]
    assert send(31) == 0
    assert standing() == [(False, 2), (False, 1)]
    assert send(31 + 59) == 0
    assert standing() == [(False, 2), (False, 1)]
    postbox.refused = set()
    assert send(31 + 61) == 1
    assert postbox.subjects == ["2 pieces of news"]
    assert standing() == [(True, 2), (True, 1)]
    assert set(Notice.objects.values_list("mail_error", flat=True)) == {""}


def test_two_days_later_nobody_tries_any_more(postbox: Postbox) -> None:
    tell(somebody(), "1")
    assert send(2 * 24 * 3600 + 60) == 0
    assert send() == 1


def test_nobody_listens(settings: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        over_smtp(settings, taken.getsockname()[1])
        tell(somebody(), "1")
        tell(somebody("jonas"), "2")
        assert send() == 0
    assert standing() == [(False, 1), (False, 1)]
    assert "ConnectionRefused" in Notice.objects.order_by("pk")[0].mail_error


def test_a_server_that_says_nothing_is_left_after_the_time_out(settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        over_smtp(settings, silent.getsockname()[1])
        tell(somebody(), "1")
        assert send() == 0
    assert standing() == [(False, 1)]
    assert send(10) == 0
    assert standing() == [(False, 1)]


def test_a_server_that_breaks_off_over_one_letter_loses_only_that(
    postbox: Postbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = mail.EmailMessage.send

    def breaks(message: mail.EmailMessage, **given: Any) -> int:
        if message.to == ["mara@example.com"]:
            raise TimeoutError("timed out")
        return real(message, **given)

    monkeypatch.setattr(mail.EmailMessage, "send", breaks)
    tell(somebody(), "1")
    tell(somebody("jonas"), "2")
    assert send() == 0
    assert standing() == [(False, 1), (False, 0)]
    assert send() == 1
    assert postbox.subjects == ["News 2"]


def test_when_the_time_is_up_the_next_round_takes_the_rest(
    postbox: Postbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateways, "LONGEST", -1.0)
    tell(somebody(), "1")
    assert send() == 0
    assert standing() == [(False, 0)]
    monkeypatch.undo()
    assert send() == 1


def test_what_another_process_has_leased_is_left_to_it(postbox: Postbox) -> None:
    mara = somebody()
    tell(mara, "1")
    Notice.objects.update(mail_after=clock.now() + mailing.LEASE)
    assert send() == 0
    assert postbox.letters == []
    assert send(121) == 1  # it died over it


def test_a_title_with_a_line_break_is_one_header(postbox: Postbox) -> None:
    person = somebody()
    tell_many([Note([person.pk], Topic.WORK, "k", "Bcc:\r\nx@y.example", clock.now())])
    assert send() == 1
    assert postbox.subjects == ["Bcc: x@y.example"]
