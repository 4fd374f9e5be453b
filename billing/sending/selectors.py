"""Questions about sending: what a batch is made from, how far a run is, what could not be sent."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum

from billing.invoices.adjusted import adjustments_by_invoice, adjustments_of
from billing.invoices.correcting import Correction, corrections_by_invoice
from billing.invoices.details import details_csv
from billing.invoices.grouping import how_of
from billing.invoices.metered import usage_of_lines
from billing.invoices.parts import parts_by_invoice, parts_of
from billing.invoices.sites import note_sites
from billing.models import (
    Invoice,
    InvoiceAdjustment,
    InvoiceDocument,
    InvoiceLine,
    InvoicePart,
    InvoiceSending,
    SendingBatch,
    WalletMovement,
)
from billing.wallets.selectors import Paid
from o2b.catalog.models import ProductVersion, TermsCharge
from o2b.customers.layouts import Grouping, Sending
from o2b.customers.models import Account
from o2b.customers.selectors import written_to
from subscriptions.models import Item

S = InvoiceSending.State


@dataclass(slots=True)
class ToSet:
    """An invoice with all that its document says, and where it is mailed to."""

    invoice: Invoice
    lines: list[InvoiceLine]
    prepaid: list[Paid]
    adjustments: list[InvoiceAdjustment]
    parts: list[InvoicePart]
    corrections: list[Correction]
    to: str


def channel_of(account: Account) -> str:
    """How an account's invoices are sent: as was said for it, else as its seller does."""
    return account.sending or account.legal_entity.sending


def to_make(batch: SendingBatch) -> QuerySet[Invoice]:
    """The invoices of a batch that have no document yet."""
    rows = Invoice.objects.filter(
        run=batch.run_id, pk__range=(batch.first_invoice, batch.last_invoice)
    ).exclude(Exists(InvoiceDocument.objects.filter(invoice=OuterRef("pk"))))
    if not batch.everybody:
        on_demand = Q(account__sending="", legal_entity__sending=Sending.ON_DEMAND)
        rows = rows.exclude(on_demand)
    return rows


def to_set(invoices: QuerySet[Invoice]) -> list[ToSet]:
    """Invoices with their lines, set-based: as many queries for one as for a thousand."""
    found = list(
        invoices.select_related("account__customer", "legal_entity", "wallet_draw").order_by("pk")
    )
    for invoice in found:
        invoice.account.legal_entity = invoice.legal_entity
    lines = lines_of(found)
    by_site = [each for each in found if how_of(each) == Grouping.SITE]
    note_sites([line for each in by_site for line in lines.get(each.pk, [])])
    prepaid = _prepaid(found)
    adjustments = adjustments_by_invoice(invoice.pk for invoice in found)
    parts = parts_by_invoice(invoice.pk for invoice in found)
    corrections = corrections_by_invoice(
        (line for own in lines.values() for line in own),
        (row for own in adjustments.values() for row in own),
    )
    contacts = written_to({invoice.account.customer_id for invoice in found})
    return [
        ToSet(
            invoice,
            lines.get(invoice.pk, []),
            prepaid.get(invoice.pk, []),
            adjustments.get(invoice.pk, []),
            parts.get(invoice.pk, []),
            corrections.get(invoice.pk, []),
            address_of(invoice.account, contacts),
        )
        for invoice in found
    ]


def address_of(account: Account, contacts: Any) -> str:
    """Where an account's invoices are mailed; empty where nobody is known."""
    if account.bill_to:
        return account.bill_to
    contact = contacts.get(account.customer_id)
    return contact.email if contact else ""


def lines_of(invoices: Iterable[Invoice]) -> dict[int, list[InvoiceLine]]:
    """The lines of invoices; rows that many share (products, Terms) are read and held once."""
    by_id = {invoice.pk: invoice for invoice in invoices}
    rows = list(
        InvoiceLine.objects.filter(invoice__in=by_id)
        .defer("basis")
        .select_related("charge")
        .order_by("invoice", "position", "pk")
    )
    charges = [row.charge for row in rows]
    terms = TermsCharge.objects.in_bulk({charge.terms_charge_id for charge in charges})
    items = Item.objects.select_related("subscription").in_bulk(
        {charge.item_id for charge in charges}
    )
    versions = ProductVersion.objects.select_related("product").in_bulk(
        {item.product_version_id for item in items.values()}
    )
    for item in items.values():
        item.product_version = versions[item.product_version_id]
    found: dict[int, list[InvoiceLine]] = {}
    for row in rows:
        row.invoice = by_id[row.invoice_id]
        row.charge.terms_charge = terms[row.charge.terms_charge_id]
        row.charge.item = items[row.charge.item_id]
        found.setdefault(row.invoice_id, []).append(row)
    return found


def _prepaid(invoices: Sequence[Invoice]) -> dict[int, list[Paid]]:
    drawn = [each.pk for each in invoices if getattr(each, "wallet_draw", None) is not None]
    found: dict[int, list[Paid]] = {}
    if drawn:
        kinds = (WalletMovement.Kind.DRAWN, WalletMovement.Kind.RETURNED)
        rows = WalletMovement.objects.filter(invoice__in=drawn, kind__in=kinds)
        for row in rows.select_related("lot").order_by("pk"):
            found.setdefault(row.invoice_id or 0, []).append(Paid(row.lot, -row.amount))
    return found


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the sending of a run is; `waiting` invoices have no document yet."""

    invoices: int
    batches: int
    batches_made: int
    made: int
    broken: int
    to_mail: int
    mailed: int
    stuck: int
    kept: int
    settled: int
    seconds: float
    workers: int
    trouble: str
    unasked: int

    @property
    def waiting(self) -> int:
        return max(self.invoices - self.made - self.broken, 0)

    @property
    def mails(self) -> int:
        """All that are mailed, or will be, or were to be."""
        return self.to_mail + self.mailed + self.stuck + self.settled

    @property
    def fallout(self) -> int:
        return self.broken + self.stuck

    @property
    def is_moving(self) -> bool:
        return bool(self.waiting or self.to_mail)


def progress_of(*, run_id: int) -> Progress:
    """Three queries, whatever the size of the run."""
    batches = SendingBatch.objects.filter(run=run_id).aggregate(
        invoices=Sum("invoices", default=0),
        batches=Count("pk"),
        batches_made=Count("made_at"),
        seconds=Sum("seconds", default=0.0),
        workers=Count("worker", filter=~Q(worker=""), distinct=True),
    )
    rows = InvoiceSending.objects.filter(run=run_id)
    states = dict(rows.order_by().values_list("state").annotate(n=Count("pk")))
    total = sum(states.values())
    waiting = rows.filter(state=S.TO_MAIL).exclude(fault="").order_by("-tries").first()
    every = Invoice.objects.filter(run=run_id).count()
    return Progress(
        **batches,
        made=total - states.get(S.BROKEN, 0),
        broken=states.get(S.BROKEN, 0),
        to_mail=states.get(S.TO_MAIL, 0),
        mailed=states.get(S.MAILED, 0),
        stuck=states.get(S.STUCK, 0),
        kept=states.get(S.KEPT, 0),
        settled=states.get(S.SETTLED, 0),
        trouble=waiting.fault if waiting else "",
        unasked=max(every - max(total, batches["invoices"]), 0),
    )


def sendings_for_list() -> QuerySet[InvoiceSending]:
    """Every sending with what a list shows of it."""
    return InvoiceSending.objects.select_related("invoice", "account", "run__legal_entity")


def fallout_of(*, run_id: int) -> QuerySet[InvoiceSending]:
    """What could not be made or mailed of a run, the first invoice first."""
    rows = sendings_for_list().filter(run=run_id, state__in=InvoiceSending.FALLOUT)
    return rows.order_by("invoice")


def fallout_count() -> int:
    """What waits for people, in all runs."""
    return InvoiceSending.objects.filter(state__in=InvoiceSending.FALLOUT).count()


def sending_of(*, invoice_id: int) -> InvoiceSending | None:
    """How an invoice was sent, if it was looked at."""
    rows = InvoiceSending.objects.select_related("settled_by")
    return rows.filter(invoice=invoice_id).first()


def document_of_invoice(*, invoice_id: int) -> InvoiceDocument | None:
    """The document as it was sent, if it was made; without the usage details."""
    return InvoiceDocument.objects.filter(invoice=invoice_id).defer("usage_csv").first()


def details_of_invoice(*, invoice_id: int) -> tuple[str, bytes | None]:
    """Number and usage details of an invoice: as they were sent, else as they would be now."""
    invoice = Invoice.objects.select_related("account", "document").get(pk=invoice_id)
    kept = getattr(invoice, "document", None)
    if kept is not None:
        return invoice.number, None if kept.usage_csv is None else bytes(kept.usage_csv)
    lines = lines_of([invoice]).get(invoice_id, [])
    return invoice.number, details_csv(
        invoice, lines, usage_of_lines(lines), adjustments_of(invoice), parts_of(invoice)
    )


def recipients(accounts: Collection[Account]) -> dict[int, str]:
    """account → where its invoices are mailed; empty where nobody is known. One query."""
    contacts = written_to({account.customer_id for account in accounts})
    return {account.pk: address_of(account, contacts) for account in accounts}
