"""Verbs of sending: plan it, make documents, mail them, mend what could not be sent."""

from billing.sending.services.mailing import MailWaits, mail_invoices
from billing.sending.services.making import make_documents
from billing.sending.services.planning import (
    NothingToSend,
    RunNotFinal,
    plan_sending,
    send_run,
)
from billing.sending.services.steering import (
    CannotSend,
    NobodyToSendTo,
    retry_run,
    send_again,
    settle_sending,
)

__all__ = [
    "CannotSend",
    "MailWaits",
    "NobodyToSendTo",
    "NothingToSend",
    "RunNotFinal",
    "mail_invoices",
    "make_documents",
    "plan_sending",
    "retry_run",
    "send_again",
    "send_run",
    "settle_sending",
]
