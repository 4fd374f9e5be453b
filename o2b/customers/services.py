"""What one may do with customers and their accounts: open, change, close."""

from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _

from o2b import events
from o2b.currencies import is_tender
from o2b.customers.families import Tie, children_on_its_bills, refuse_split, tie
from o2b.customers.models import Account, Customer, LegalEntity
from o2b.errors import Invalid, Refused


class Unsaid(Enum):
    """Nothing was said, where None says something."""

    UNSAID = "unsaid"


UNSAID = Unsaid.UNSAID


class AccountInvalid(Invalid):
    code = "account_invalid"


class AccountClosed(Refused):
    code = "account_closed"


class BillsForChildren(Refused):
    code = "bills_for_children"


@transaction.atomic
def create_account(
    *,
    reference: str,
    name: str,
    legal_entity_id: int,
    advocate_id: int,
    at: datetime,
    customer_id: int | None = None,
    customer_name: str = "",
    segment: str = "",
    currency: str = "",
    bill_day: int = 1,
    time_zone: str = "UTC",
    payment_days: int = 14,
    tax_exempt: bool = False,
    address: str = "",
    bill_group: str = "",
    sending: str = "",
    bill_to: str = "",
    invoice_grouping: str = "",
    invoice_split: str = "",
    minimum_invoice: Decimal | None = None,
    language: str = "",
    tied: Tie | None = None,
    actor_id: int | None = None,
) -> Account:
    """Open an account of a known customer, or of a new one; in the seller's currency unless told.

    Currency, seller and customer stay for ever: what was billed hangs on them.
    """
    entity = LegalEntity.objects.get(pk=legal_entity_id)
    if customer_id:
        customer = Customer.objects.get(pk=customer_id)
    else:
        customer = Customer(name=customer_name or name, segment=segment, language=language)
        _check(customer, prefix="customer_")
        customer.save()
    account = Account(
        reference=reference,
        name=name,
        legal_entity=entity,
        customer=customer,
        advocate_id=advocate_id,
        currency=currency or entity.currency,
        bill_day=bill_day,
        bill_group=bill_group,
        time_zone=time_zone,
        payment_days=payment_days,
        tax_exempt=tax_exempt,
        address=address,
        sending=sending,
        bill_to=bill_to,
        invoice_grouping=invoice_grouping,
        invoice_split=invoice_split,
        minimum_invoice=minimum_invoice,
    )
    if tied is not None:
        tie(account, tied)
    refuse_split(account)
    _check(account)
    if not is_tender(account.currency, at.date()):
        message = _("%(code)s was retired: it is no currency any more.")
        raise AccountInvalid(message % {"code": account.currency}, field="currency")
    account.save()
    events.record("account.opened", account, at=at, actor_id=actor_id)
    return account


@transaction.atomic
def change_account(
    *,
    account_id: int,
    name: str,
    advocate_id: int,
    bill_day: int,
    time_zone: str,
    payment_days: int,
    tax_exempt: bool,
    address: str,
    at: datetime,
    customer_name: str = "",
    segment: str | None = None,
    bill_group: str | None = None,
    sending: str | None = None,
    bill_to: str | None = None,
    invoice_grouping: str | None = None,
    invoice_split: str | None = None,
    minimum_invoice: Decimal | None | Unsaid = UNSAID,
    language: str | None = None,
    tied: Tie | None = None,
    actor_id: int | None = None,
) -> Account:
    """Change what may change of an open account and of its customer; None leaves it as it is.

    A minimum may be None itself: as the seller's; it is left as it is where nothing is said.
    """
    account = _locked(account_id)
    told: dict[str, Any] = {
        "name": name,
        "advocate_id": advocate_id,
        "bill_day": bill_day,
        "time_zone": time_zone,
        "payment_days": payment_days,
        "tax_exempt": tax_exempt,
        "address": address,
    }
    if bill_group is not None:
        told["bill_group"] = bill_group
    if not isinstance(minimum_invoice, Unsaid):
        told["minimum_invoice"] = minimum_invoice
    about = {"sending": sending, "bill_to": bill_to, "invoice_grouping": invoice_grouping}
    about["invoice_split"] = invoice_split
    told |= {field: value for field, value in about.items() if value is not None}
    changed = [field for field, value in told.items() if getattr(account, field) != value]
    for field in changed:
        setattr(account, field, told[field])
    if tied is not None:
        changed += tie(account, tied)
    refuse_split(account)
    _check(account)
    account.save()
    changed += _change_customer(account.customer, customer_name, segment, language)
    if changed:
        events.record("account.changed", account, at=at, actor_id=actor_id, fields=changed)
    return account


@transaction.atomic
def close_account(*, account_id: int, at: datetime, actor_id: int | None = None) -> Account:
    """Sell to it no more; what is in service goes on until it is ended."""
    account = _locked(account_id)
    if children := children_on_its_bills(account):
        names = ", ".join(child.reference for child in children)
        raise BillsForChildren(
            _("%(names)s are billed on its bills; give them bills of their own, or close them.")
            % {"names": names}
        )
    account.state = Account.State.CLOSED
    account.save()
    events.record("account.closed", account, at=at, actor_id=actor_id)
    return account


def _locked(account_id: int) -> Account:
    rows = Account.objects.select_for_update(of=("self",), no_key=True).select_related("customer")
    account = rows.get(pk=account_id)
    if not account.is_open:
        raise AccountClosed(_("%(account)s is closed.") % {"account": account})
    return account


def _change_customer(
    customer: Customer, name: str, segment: str | None, language: str | None
) -> list[str]:
    before = customer.name, customer.segment, customer.language
    customer.name = name or customer.name
    customer.segment = customer.segment if segment is None else segment
    customer.language = customer.language if language is None else language
    if before == (customer.name, customer.segment, customer.language):
        return []
    _check(customer, prefix="customer_")
    customer.save()
    return ["customer"]


def _check(row: models.Model, *, prefix: str = "") -> None:
    """Refuse what the model's own validators refuse, naming the first field at fault."""
    for column in row._meta.fields:
        # Postgres refuses text with a NUL in it, even in the question whether a name is taken.
        if "\0" in str(row.__dict__.get(column.attname, "")):
            raise AccountInvalid(_("A text without NUL characters."), field=column.name)
    try:
        row.full_clean()
    except ValidationError as exc:
        field, messages = next(iter(exc.message_dict.items()))
        own = field if field in ("segment", "language") else f"{prefix}{field}"
        raise AccountInvalid(messages[0], field=None if field == NON_FIELD_ERRORS else own) from exc
