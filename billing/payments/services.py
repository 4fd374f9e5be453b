"""What one may do with money received: record a payment and allocate it to invoices."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from billing.invoices import selectors as invoices
from billing.journal.services import value_postings
from billing.models import Allocation, Invoice, Payment, Posting
from billing.models.ledger import LedgerAccount
from billing.models.payments import WALLET
from billing.payments import selectors
from o2b import clock, events
from o2b.customers.models import Account
from o2b.errors import Invalid, Refused
from o2b.money import minor_unit, quantise

TOO_BIG = Decimal(10) ** 15  # the first amount that the database has no room for
FIRST_DAY = date(1990, 1, 1)
LONGEST_REFERENCE = 140
LONGEST_METHOD = 20


class PaymentInvalid(Invalid):
    code = "payment_invalid"


class OverAllocated(Invalid):
    code = "over_allocated"


class DuplicatePayment(Refused):
    code = "duplicate_payment"


@transaction.atomic
def record_payment(
    *,
    account_id: int,
    amount: Decimal | str,
    on: date,
    method: str,
    reference: str,
    at: datetime,
    actor_id: int | None,
    allocations: Mapping[int, Decimal] | None = None,
) -> Payment:
    """Write down money received and settle invoices with it, the oldest due first unless told.

    `allocations` is invoice id → amount; what is left stays on the account as credit.
    """
    rows = Account.objects.select_related("test_clock").select_for_update(of=("self",), no_key=True)
    account = rows.get(pk=account_id)
    money = _amount(amount, account.currency, field="amount")
    _check_day(account, on=on, at=at)
    method, reference = (
        _text(method, LONGEST_METHOD, "method"),
        _text(reference, LONGEST_REFERENCE, "reference"),
    )
    if method.casefold() == WALLET:
        message = _("This method is kept for prepaid credit, which pays by itself.")
        raise PaymentInvalid(message, field="method")
    _check_new(account, on=on, method=method, reference=reference)
    parts = _parts(account, money, on=on, allocations=allocations)
    payment = Payment.objects.create(
        account=account,
        legal_entity_id=account.legal_entity_id,
        currency=account.currency,
        amount=money,
        received_on=on,
        method=method,
        reference=reference,
        recorded_by_id=actor_id,
    )
    _post(payment)
    events.record("payment.received", payment, at=at, actor_id=actor_id, amount=str(money))
    _allocate(payment, parts, at=at, actor_id=actor_id)
    return payment


@transaction.atomic
def use_credit(*, account_id: int, at: datetime, actor_id: int | None) -> list[Allocation]:
    """Settle open invoices, the oldest due first, with what earlier payments left over."""
    account = (
        Account.objects.select_related("test_clock")
        .select_for_update(of=("self",), no_key=True)
        .get(pk=account_id)
    )
    day = clock.day(account, at)
    left = {bill: bill.open_amount for bill in _unpaid(account, on=day)}
    spare = selectors.with_credit(Payment.objects.filter(account=account)).filter(credit__gt=0)
    made: list[Allocation] = []
    for payment in spare.order_by("received_on", "pk"):
        parts = _oldest_first(left, payment.credit)
        for bill, part in parts.items():
            left[bill] -= part
        made += _allocate(payment, parts, at=at, actor_id=actor_id)
    return made


def _amount(value: Decimal | str, currency: str, *, field: str) -> Decimal:
    """The value as an amount of the currency, or a refusal that names the field."""
    try:
        amount = Decimal(value)
    except (InvalidOperation, ValueError, TypeError):
        raise PaymentInvalid(_("This is not an amount."), field=field) from None
    if not amount.is_finite():
        raise PaymentInvalid(_("This is not an amount."), field=field)
    if amount <= 0:
        raise PaymentInvalid(_("The amount must be more than zero."), field=field)
    if amount >= TOO_BIG:
        raise PaymentInvalid(_("The amount is too large."), field=field)
    rounded = quantise(amount, currency)
    if rounded != amount:
        unit = f"{minor_unit(currency):f}"
        raise PaymentInvalid(
            _("The smallest amount of %(currency)s is %(unit)s.")
            % {"currency": currency, "unit": unit},
            field=field,
        )
    return rounded


def _check_day(account: Account, *, on: date, at: datetime) -> None:
    if on > clock.day(account, at):
        raise PaymentInvalid(_("Money cannot be received in the future."), field="on")
    if on < FIRST_DAY:
        message = _("No payment is that old; was the year mistyped?")
        raise PaymentInvalid(message, field="on")


def _text(value: str, longest: int, field: str) -> str:
    text = value.strip()
    if len(text) > longest:
        raise PaymentInvalid(_("At most %(n)s characters.") % {"n": longest}, field=field)
    if "\0" in text:
        raise PaymentInvalid(_("This text cannot be stored."), field=field)
    return text


def _check_new(account: Account, *, on: date, method: str, reference: str) -> None:
    """The same reference twice on a day is far more often a double click than two payments."""
    if not reference:
        return
    twin = selectors.same_payment(
        account_id=account.pk, method=method, reference=reference, on=on
    ).first()
    if twin is not None:
        raise DuplicatePayment(
            _("%(payment)s of that day has this reference already.") % {"payment": twin},
            field="reference",
            payment=twin.pk,
        )


def _unpaid(account: Account, *, on: date) -> list[Any]:
    return list(invoices.unpaid(Invoice.objects.filter(account=account), on=on))


def _parts(
    account: Account, money: Decimal, *, on: date, allocations: Mapping[int, Decimal] | None
) -> dict[Invoice, Decimal]:
    """How the money is shared among open invoices."""
    bills = _unpaid(account, on=on)
    if allocations is None:
        left = {bill: bill.open_amount for bill in bills}
        return _oldest_first(left, money)
    return _as_told(account, money, {bill.pk: bill for bill in bills}, allocations)


def _oldest_first(left: Mapping[Invoice, Decimal], money: Decimal) -> dict[Invoice, Decimal]:
    parts: dict[Invoice, Decimal] = {}
    for bill, due in left.items():
        part = min(due, money)
        if part > 0:
            parts[bill] = part
            money -= part
    return parts


def _as_told(
    account: Account,
    money: Decimal,
    bills: Mapping[int, Any],
    allocations: Mapping[int, Decimal],
) -> dict[Invoice, Decimal]:
    """As the caller says, if each part fits its invoice and all fit the payment."""
    parts: dict[Invoice, Decimal] = {}
    for invoice_id, part in allocations.items():
        bill = bills.get(invoice_id)
        if bill is None:
            raise _no_such_bill(account, invoice_id)
        amount = _amount(part, account.currency, field="allocations")
        if amount > bill.open_amount:
            raise OverAllocated(
                _("Only %(open)s of %(number)s is open.")
                % {"open": f"{bill.open_amount:f}", "number": bill},
                field="allocations",
            )
        parts[bill] = amount
    if sum(parts.values(), Decimal(0)) > money:
        raise OverAllocated(_("More is allocated than was received."), field="allocations")
    return parts


def _no_such_bill(account: Account, invoice_id: int) -> Refused:
    """Settled already, or none of this account's."""
    known = Invoice.objects.filter(account=account, pk=invoice_id).first()
    if known is not None:
        message = _("Nothing is open on %(number)s.") % {"number": known}
        return OverAllocated(message, field="allocations")
    return PaymentInvalid(_("The account has no such invoice."), field="allocations")


def _post(payment: Payment) -> None:
    posting = Posting(
        on=payment.received_on,
        legal_entity_id=payment.legal_entity_id,
        account_id=payment.account_id,
        payment=payment,
        debit=LedgerAccount.BANK,
        credit=LedgerAccount.RECEIVABLE,
        currency=payment.currency,
        amount=payment.amount,
    )
    value_postings([posting])
    posting.save()


def _allocate(
    payment: Payment, parts: Mapping[Invoice, Decimal], *, at: datetime, actor_id: int | None
) -> list[Allocation]:
    if not parts:
        return []
    made = Allocation.objects.bulk_create(
        Allocation(payment=payment, invoice=bill, amount=part, at=at, by_id=actor_id)
        for bill, part in parts.items()
    )
    told = {bill.number: str(part) for bill, part in parts.items()}
    events.record("payment.allocated", payment, at=at, actor_id=actor_id, invoices=told)
    return made
