"""Questions about issued invoices: how they stand, what they say and what each line hangs on."""

from datetime import date
from typing import Any

from django.db.models import (
    Case,
    CharField,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from billing.models import Allocation, BillRun, Invoice, InvoiceLine, InvoicePart
from billing.models.invoices import Kind
from o2b.customers.models import Account
from o2b.fields import AmountField
from orders.models import OrderLine

OPEN, OVERDUE, PAID, CREDIT = "open", "overdue", "paid", "credit"
REVERSED, REVERSAL = "reversed", "reversal"
STATUSES = [
    (OPEN, _("open")),
    (OVERDUE, _("overdue")),
    (PAID, _("paid")),
    (CREDIT, _("credit")),
    (REVERSED, _("reversed")),
    (REVERSAL, _("reversal")),
]


def with_standing(rows: QuerySet[Invoice], *, on: date) -> QuerySet[Any]:
    """Adds `allocated`, `open_amount` and `status` as of a day.

    A credit note is never open: it lowers the balance of its account. Neither is a document that
    was reversed, nor the one that reverses it: they cancel each other.
    """
    undone = Exists(Invoice.objects.filter(reverses=OuterRef("pk")))
    allocated = (
        Allocation.objects.filter(invoice=OuterRef("pk"))
        .order_by()
        .values("invoice")
        .annotate(sum=Sum("amount"))
        .values("sum")
    )
    nothing = Value(0, output_field=AmountField())
    return (
        rows.annotate(allocated=Coalesce(Subquery(allocated), nothing), is_reversed=undone)
        .annotate(
            open_amount=Case(
                When(kind=Kind.CREDIT_NOTE, then=nothing),
                When(reverses__isnull=False, then=nothing),
                When(is_reversed=True, then=nothing),
                default=F("total") - F("allocated"),
                output_field=AmountField(),
            )
        )
        .annotate(
            status=Case(
                When(reverses__isnull=False, then=Value(REVERSAL)),
                When(is_reversed=True, then=Value(REVERSED)),
                When(kind=Kind.CREDIT_NOTE, then=Value(CREDIT)),
                When(open_amount__lte=0, then=Value(PAID)),
                When(due_on__lt=on, then=Value(OVERDUE)),
                default=Value(OPEN),
                output_field=CharField(),
            )
        )
    )


def unpaid(rows: QuerySet[Invoice], *, on: date) -> QuerySet[Any]:
    """Invoices with something left to pay, the oldest due first."""
    found = with_standing(rows, on=on).filter(open_amount__gt=0)
    return found.order_by("due_on", "pk")


def invoices_for_list(*, on: date) -> QuerySet[Any]:
    """All invoices with their account and standing."""
    return with_standing(Invoice.objects.select_related("account__customer"), on=on)


def invoice(*, invoice_id: int, on: date) -> Any:
    """One invoice with everybody it names."""
    rows = Invoice.objects.select_related(
        *("account__customer", "account__test_clock", "legal_entity", "run", "wallet_draw"),
        "reverses",
    )
    return with_standing(rows, on=on).get(pk=invoice_id)


def lines_of(*, invoice_id: int) -> QuerySet[InvoiceLine]:
    """Lines with the whole way back: charge, Terms, item, order line, quote; not their basis.

    `told_part` is what of that says whose part a line is; see `billing.rules.basis`.
    """
    return (
        InvoiceLine.objects.filter(invoice_id=invoice_id)
        .defer("basis")
        .annotate(told_part=F("basis__part"))
        .select_related(
            "charge__terms",
            "charge__terms_charge",
            "charge__item__subscription",
            "charge__item__account",
            "charge__item__product_version__product",
            "charge__item__order_line__order",
            "charge__item__order_line__quote_line__quote",
        )
        .order_by("position", "pk")
    )


def order_lines_behind(*, invoice_id: int) -> QuerySet[OrderLine]:
    """The order lines that an invoice bills, each once."""
    billed = InvoiceLine.objects.filter(invoice_id=invoice_id)
    return (
        OrderLine.objects.filter(pk__in=billed.values("charge__item__order_line"))
        .select_related("product_version__product")
        .order_by("order_id", "position")
    )


def first_bills_of_run(*, run_id: int) -> QuerySet[Any]:
    """Invoices of a run before which their accounts had none; credit notes are no bill."""
    before = Invoice.objects.filter(
        account=OuterRef("account"), pk__lt=OuterRef("pk"), kind=Kind.INVOICE
    )
    as_member = InvoicePart.objects.filter(
        account=OuterRef("account"), invoice_id__lt=OuterRef("pk"), invoice__kind=Kind.INVOICE
    )
    return (
        Invoice.objects.filter(run=run_id, kind=Kind.INVOICE, reverses=None)
        .filter(~Exists(before), ~Exists(as_member))
        .select_related("account__test_clock")
        .order_by("pk")
    )


def first_parts_of_run(*, run_id: int) -> QuerySet[InvoicePart]:
    """The same of members of families, whose bills are parts of their payers' documents."""
    before = Invoice.objects.filter(
        account=OuterRef("account"), pk__lt=OuterRef("invoice_id"), kind=Kind.INVOICE
    )
    as_member = InvoicePart.objects.filter(
        account=OuterRef("account"),
        invoice_id__lt=OuterRef("invoice_id"),
        invoice__kind=Kind.INVOICE,
    )
    return (
        InvoicePart.objects.filter(
            invoice__run=run_id, invoice__kind=Kind.INVOICE, invoice__reverses=None
        )
        .exclude(account=F("invoice__account"))
        .filter(~Exists(before), ~Exists(as_member))
        .select_related("account", "invoice")
        .order_by("pk")
    )


def number_of(*, invoice_id: int) -> str:
    """The number of an invoice."""
    return Invoice.objects.values_list("number", flat=True).get(pk=invoice_id)


def reversal_of(invoice: Invoice) -> Invoice | None:
    """The document that takes this one back, if one does."""
    return Invoice.objects.filter(reverses=invoice).first()


def reversal_asked(invoice: Invoice) -> BillRun | None:
    """The reversal that waits, of the document or of its run."""
    which = Q(reverses_invoice=invoice) | Q(reverses_run=invoice.run_id)
    return BillRun.objects.filter(which).exclude(state__in=BillRun.OVER).first()


def allocations_of(*, invoice_id: int) -> QuerySet[Allocation]:
    """What was paid on an invoice, and by which payment."""
    return (
        Allocation.objects.filter(invoice_id=invoice_id)
        .select_related("payment", "by")
        .order_by("pk")
    )


def of_account(*, account_id: int, on: date) -> QuerySet[Any]:
    """The invoices of an account, newest first."""
    rows = Invoice.objects.filter(account_id=account_id)
    return with_standing(rows, on=on).order_by("-pk")


def of_subscription(*, subscription_id: int, on: date) -> QuerySet[Any]:
    """The invoices that bill an item of the subscription, newest first."""
    billed = InvoiceLine.objects.filter(charge__item__subscription_id=subscription_id)
    rows = Invoice.objects.filter(pk__in=billed.values("invoice_id"))
    return with_standing(rows, on=on).order_by("-pk")


def find_invoices(*, text: str, limit: int = 8) -> list[Invoice]:
    """By number."""
    found = Invoice.objects.filter(number__icontains=text).select_related("account")
    return list(found.order_by("-pk")[:limit])


def unpaid_by_currency(*, on: date, status: str = OVERDUE) -> list[dict[str, Any]]:
    """Per currency: how much of that status is open, on how many invoices."""
    rows = with_standing(Invoice.objects.all(), on=on).filter(status=status)
    counted = rows.values("currency").annotate(amount=Sum("open_amount"))
    return list(counted.order_by("currency"))


def billed_between(*, start: date, end: date) -> list[dict[str, Any]]:
    """Per currency: the net of invoices issued in these days; `end` is the first day outside."""
    rows: QuerySet[Any] = Invoice.objects.filter(issued_on__gte=start, issued_on__lt=end)
    return list(rows.values("currency").annotate(amount=Sum("net")).order_by("currency"))


def account_of(*, account_id: int) -> Account:
    """An account with its clock."""
    return Account.objects.select_related("test_clock", "customer").get(pk=account_id)
