"""Invoices on their way as mail: one connection for many, each with its files, an end in time."""

import smtplib
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend

from orders.gateways.mail import Enclosure, message_id

SECONDS = 10  # that the server may take for an answer
LONGEST = 30.0  # seconds after which no further letter is begun
OURS_TO_SET_UP = (530, 534, 535, 538)  # it does not let us in


@dataclass(frozen=True, slots=True)
class Letter:
    """What is sent to whom; `key` makes its Message-ID, by which a second copy is known."""

    key: str
    to: str
    subject: str
    text: str
    enclosures: tuple[Enclosure, ...]


class Took(StrEnum):
    """What the server did with a letter."""

    YES = "yes"
    LATER = "later"
    NO = "no"


class ServerAway(Exception):
    """The server did not answer, or would not talk to us: nothing can be sent now."""


def post(letters: Iterable[Letter]) -> Iterator[tuple[Took, str]]:
    """Send letters in order; for each what became of it, and what the server said.

    Ends early, without a fault, when the time is up. Raises ServerAway when nobody answers, also
    in the middle of a letter: whether it was taken nobody knows then, and it is sent again under
    the same Message-ID.
    """
    # Not business time: how long this process may keep a worker busy.
    until = time.monotonic() + LONGEST
    connection = mail.get_connection(timeout=SECONDS)
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


def _send(letter: Letter, connection: BaseEmailBackend) -> tuple[Took, str]:
    try:
        message = mail.EmailMessage(
            " ".join(letter.subject.split()),
            letter.text,
            to=[letter.to],
            headers={"Message-ID": message_id(letter.key), "Auto-Submitted": "auto-generated"},
            connection=connection,
        )
        for each in letter.enclosures:
            message.attach(each.name, each.body, each.content_type)
        message.send()
    except smtplib.SMTPRecipientsRefused as exc:
        code = max((code for code, _said in exc.recipients.values()), default=550)
        return _refused(code, str(exc.recipients))
    except smtplib.SMTPResponseException as exc:
        if exc.smtp_code in OURS_TO_SET_UP:
            raise ServerAway(_words(exc)) from exc
        return _refused(exc.smtp_code, _words(exc))
    except OSError as exc:  # time-outs, resets, and all else that smtplib may say
        raise ServerAway(_words(exc)) from exc
    except ValueError as exc:  # an address or a subject that no mail can have
        return Took.NO, _words(exc)
    return Took.YES, ""


def _refused(code: int, said: str) -> tuple[Took, str]:
    """4xx is for now, 5xx for good."""
    return (Took.LATER if 400 <= code < 500 else Took.NO), f"{code}: {said}"


def _close(connection: BaseEmailBackend) -> None:
    try:
        connection.close()
    except OSError:  # it was gone before
        return


def _words(exc: Exception) -> str:
    return f"{type(exc).__name__}: {exc}"
