"""How sending is shown: on an invoice's page, and what a person may do about it there."""

from typing import Any

from django.http import HttpRequest

from billing.models import Invoice, InvoiceSending
from billing.sending.forms import SendForm, SettleForm
from billing.sending.selectors import address_of, channel_of, sending_of
from billing.sending.words import reason_of
from o2b.customers.layouts import Sending
from o2b.customers.selectors import language_of, written_to

SEND = "billing.send_invoices"
S = InvoiceSending.State


def sending_context(request: HttpRequest, invoice: Invoice) -> dict[str, Any]:
    """What the card of an invoice's page says."""
    sending = sending_of(invoice_id=invoice.pk)
    may = request.user.has_perm(SEND) and sending is not None
    fallen = sending is not None and sending.state in InvoiceSending.FALLOUT
    account = invoice.account
    account.legal_entity = invoice.legal_entity
    where = address_of(account, written_to({account.customer_id})) if may else ""
    return {
        "sending": sending,
        "reason": reason_of(sending) if sending and sending.fault + sending.code else "",
        "channel": Sending(channel_of(account)).label,
        "written_in": language_of(account.customer),
        "may_send": may and sending is not None and sending.state != S.TO_MAIL,
        "may_settle": may and fallen,
        "send_form": SendForm(initial={"to": where}),
        "settle_form": SettleForm(),
    }
