"""Letters to people outside: sent with a time limit and a Message-ID of their own, faults by class.

A letter has a key; whoever sends it again after a crash sends the same Message-ID, by which mail
systems know it for a copy.
"""

import smtplib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from orders.fulfilment.outcomes import Done, Exchange, Failed, TryAgain
from orders.models.words import FailureClass as F

SECONDS = 10


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file that goes with a letter."""

    name: str
    body: bytes
    content_type: str = "application/pdf"


def message_id(key: str) -> str:
    host = urlsplit(settings.O2B_PUBLIC_URL).hostname or "localhost"
    return f"<{key}@{host}>"


def send_letter(
    *, key: str, to: str, subject: str, text: str, enclosures: Sequence[Enclosure] = ()
) -> Done | TryAgain | Failed:
    """Send one letter; hold no transaction meanwhile. What is kept of it never holds its text."""
    name = message_id(key)
    request: dict[str, Any] = {"to": to, "subject": subject, "message_id": name}
    try:
        letter = EmailMessage(
            " ".join(subject.split()),
            text,
            to=[to],
            headers={"Message-ID": name, "Auto-Submitted": "auto-generated"},
            connection=get_connection(timeout=SECONDS),
        )
        for each in enclosures:
            letter.attach(each.name, each.body, each.content_type)
        letter.send()
    except smtplib.SMTPRecipientsRefused as exc:
        codes = [code for code, _ in exc.recipients.values()]
        return _refused(max(codes, default=550), str(exc.recipients), request)
    except smtplib.SMTPResponseException as exc:
        return _refused(exc.smtp_code, _words(exc.smtp_error), request)
    except TimeoutError as exc:
        return TryAgain(f"the mail server did not answer: {exc}", _said(request), F.TIMEOUT)
    except OSError as exc:  # also whatever else smtplib may say
        return TryAgain(f"the mail server is not there: {exc}", _said(request), F.UNREACHABLE)
    except ValueError as exc:
        return Failed(f"this cannot be mailed: {exc}", _said(request), F.SET_UP)
    return Done(exchange=Exchange(request, {"accepted": True}))


def _refused(code: int, said: str, request: dict[str, Any]) -> TryAgain | Failed:
    """4xx is for now, 5xx for good; an identity that is not let in is ours to set up."""
    exchange = Exchange(request, {"code": code, "said": said[:500]})
    if 400 <= code < 500:
        return TryAgain(f"the mail server says {code}: {said[:200]}", exchange, F.OVERLOADED)
    kind = F.SET_UP if code in (530, 534, 535, 538) else F.REFUSED
    return Failed(f"the mail server refuses it, {code}: {said[:200]}", exchange, kind)


def _said(request: dict[str, Any]) -> Exchange:
    return Exchange(request)


def _words(said: bytes | str) -> str:
    return said.decode(errors="replace") if isinstance(said, bytes) else str(said)
