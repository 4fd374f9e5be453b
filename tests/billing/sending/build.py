"""Sellers that mail their invoices, customers with and without an address, and final runs."""

from typing import Any

from django.core import mail
from django.core.mail import EmailMessage

from billing.models import BillRun, Invoice, InvoiceDocument, InvoiceSending
from o2b import events
from o2b.customers.models import Account, Contact, LegalEntity
from tests.billing.worlds import AT, JANUARY, finalised, in_service
from tests.factories import a_product, an_account, an_entity, monthly

State = InvoiceSending.State


def a_seller(sending: str = "mail", **given: Any) -> LegalEntity:
    """The seller of the other builders, who sends what it bills."""
    entity = an_entity()
    LegalEntity.objects.filter(pk=entity.pk).update(sending=sending, **given)
    entity.refresh_from_db()
    return entity


def a_client(email: str = "ada@acme.test", **given: Any) -> Account:
    """An account with one service and, where an address is told, somebody to write to."""
    account = in_service([a_product(charges=[monthly("49.90")])], account=an_account(**given))
    if email:
        Contact.objects.create(customer=account.customer, name="Ada", email=email, signs=True)
    return account


def a_final_run(**given: Any) -> BillRun:
    """A run carried through, with all that follows."""
    return finalised(JANUARY, **given)


def sending(account: Account) -> InvoiceSending:
    return InvoiceSending.objects.get(account=account)


def document(invoice: Invoice) -> InvoiceDocument:
    return InvoiceDocument.objects.get(invoice=invoice)


def letters() -> list[EmailMessage]:
    """What went to customers; people of the house hear of things too."""
    return [each for each in mail.outbox if "@acme.test" in each.to[0]]


def settle() -> None:
    events.drain()


__all__ = ["AT", "JANUARY"]
