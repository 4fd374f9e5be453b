"""The post: letters over Django's mail backend, one connection for all, with an end in time."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from smtplib import SMTPDataError, SMTPRecipientsRefused, SMTPSenderRefused
from urllib.parse import urlsplit

from django.conf import settings
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend

LONGEST = 30.0  # seconds after which no further letter is begun
# The server is well, and says no to this letter.
REFUSALS = (SMTPRecipientsRefused, SMTPSenderRefused, SMTPDataError, ValueError)


@dataclass(frozen=True, slots=True)
class Letter:
    """What is sent to whom; `key` makes its Message-ID, by which a second copy is known."""

    to: str
    subject: str
    body: str
    key: str


class ServerAway(Exception):
    """The server did not answer, or would not talk to us: nothing can be sent now."""


class BrokenOff(Exception):
    """The server went silent over one letter: whether it took it nobody knows."""


def post(letters: Iterable[Letter]) -> Iterator[str]:
    """Send letters in order; for each, what the server held against it: nothing when it took it.

    Ends early, without a fault, when the time is up; raises ServerAway when nobody answers,
    BrokenOff when that happens over the letter that is next.
    """
    if not letters:
        return
    # Not business time: how long this process may keep a worker busy.
    until = time.monotonic() + LONGEST
    connection = mail.get_connection()
    try:
        _open(connection)
        for letter in letters:
            if time.monotonic() > until:
                return
            yield _send(letter, connection)
    finally:
        _close(connection)


def _open(connection: BaseEmailBackend) -> None:
    try:
        connection.open()
    except (OSError, ValueError) as exc:
        raise ServerAway(_words(exc)) from exc


def _send(letter: Letter, connection: BaseEmailBackend) -> str:
    host = urlsplit(settings.O2B_PUBLIC_URL).hostname or "localhost"
    message = mail.EmailMessage(
        subject=letter.subject,
        body=letter.body,
        to=[letter.to],
        headers={"Message-ID": f"<{letter.key}@{host}>", "Auto-Submitted": "auto-generated"},
        connection=connection,
    )
    try:
        message.send()
    except REFUSALS as exc:
        return _words(exc)
    except OSError as exc:  # time-outs, resets, and all else that smtplib may say
        raise BrokenOff(_words(exc)) from exc
    return ""


def _close(connection: BaseEmailBackend) -> None:
    try:
        connection.close()
    except OSError:  # it was gone before
        return


def _words(exc: Exception) -> str:
    return f"{type(exc).__name__}: {exc}"
