"""Questions about money received: what is not allocated, what an account owes, its ledger."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import F, Max, OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from billing.invoices import selectors as invoices
from billing.models import Allocation, Invoice, Payment
from o2b.customers.models import Account
from o2b.fields import AmountField
from o2b.money import Money
from o2b.sql import ask


@dataclass(frozen=True, slots=True)
class Balance:
    """How an account stands: `owed` is billed less paid, below zero when we owe the customer."""

    billed: Money
    paid: Money
    owed: Money
    open: Money
    credit: Money


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One document on an account's ledger and the balance after it."""

    kind: str
    id: int
    label: str
    on: date
    amount: Money
    balance: Money


def with_credit(rows: QuerySet[Payment]) -> QuerySet[Any]:
    """Adds `allocated` and `credit`, what is left of each payment."""
    used = (
        Allocation.objects.filter(payment=OuterRef("pk"))
        .order_by()
        .values("payment")
        .annotate(sum=Sum("amount"))
        .values("sum")
    )
    nothing = Value(0, output_field=AmountField())
    return rows.annotate(allocated=Coalesce(Subquery(used), nothing)).annotate(
        credit=F("amount") - F("allocated")
    )


def payments_for_list() -> QuerySet[Any]:
    """All payments with their account and what is left of them."""
    return with_credit(Payment.objects.select_related("account", "recorded_by"))


def same_payment(*, account_id: int, method: str, reference: str, on: date) -> QuerySet[Payment]:
    """Payments that say the same: of this account, method, day and reference."""
    return Payment.objects.filter(
        account_id=account_id, method=method, reference=reference, received_on=on
    )


def account_balance(account: Account) -> Balance:
    """What was billed, what was paid, and what is open on either side."""
    mine = {"account_id": account.pk}
    billed = _sum(Invoice.objects.filter(**mine), "total")
    # What was reversed and what reverses it cancel each other, and so does what was paid on them.
    stands = Invoice.objects.filter(**mine, kind=Invoice.Kind.INVOICE, reverses=None)
    stands = stands.exclude(pk__in=_reversed(account).values("reverses"))
    to_pay = _sum(stands, "total")
    paid = _sum(Payment.objects.filter(**mine), "amount")
    used = _sum(Allocation.objects.filter(payment__account_id=account.pk), "amount")
    # What a credit note gave back to a wallet settles the credit note, and no invoice.
    on_bills = _sum(Allocation.objects.filter(invoice__in=stands), "amount")
    amounts = (billed, paid, billed - paid, to_pay - on_bills, paid - used)
    return Balance(*(Money(each, account.currency).rounded() for each in amounts))


def _reversed(account: Account) -> QuerySet[Invoice]:
    """The documents of an account that take others back."""
    return Invoice.objects.filter(account_id=account.pk, reverses__isnull=False)


def has_paid_a_bill(account: Account, *, on: date) -> bool:
    """Whether at least one invoice is paid in full, and not by prepaid credit, maybe a gift."""
    rows = invoices.with_standing(Invoice.objects.filter(account=account), on=on)
    paid = rows.filter(status=invoices.PAID)
    return paid.filter(wallet_draw=None).exists()


def billed_on(account: Account) -> date | None:
    """The day of the account's newest invoice, if it has one."""
    rows = Invoice.objects.filter(account=account, kind=Invoice.Kind.INVOICE)
    newest: date | None = rows.aggregate(day=Max("issued_on"))["day"]
    return newest


def overdue_amount(account: Account, *, on: date) -> Money:
    """What should have been paid before this day."""
    rows = invoices.unpaid(Invoice.objects.filter(account=account), on=on)
    return Money(_sum(rows.filter(due_on__lt=on), "open_amount"), account.currency).rounded()


def ledger(account: Account, *, limit: int = 50) -> list[LedgerLine]:
    """Invoices, credit notes and payments with the running balance, newest first."""
    return list(
        _ledger_lines(ask(LEDGER, {"account": account.pk, "limit": limit}), account.currency)
    )


LEDGER = """
    SELECT kind, id, label, day, amount,
           sum(amount) OVER (ORDER BY day, recorded_at, kind, id) AS balance
    FROM (
        SELECT kind, id, number AS label, issued_on AS day, total AS amount, recorded_at
          FROM billing_invoice WHERE account_id = %(account)s
        UNION ALL
        SELECT 'payment', id, reference, received_on, -amount, recorded_at
          FROM billing_payment WHERE account_id = %(account)s
    ) AS documents
    ORDER BY day DESC, recorded_at DESC, kind DESC, id DESC
    LIMIT %(limit)s
"""


def _ledger_lines(
    rows: list[tuple[str, int, str, date, Decimal, Decimal]], currency: str
) -> Iterator[LedgerLine]:
    for kind, pk, label, day, amount, balance in rows:
        moved, left = Money(amount, currency).rounded(), Money(balance, currency).rounded()
        yield LedgerLine(kind, pk, label, day, moved, left)


def _sum(rows: QuerySet[Any], field: str) -> Decimal:
    return rows.aggregate(sum=Sum(field))["sum"] or Decimal(0)
