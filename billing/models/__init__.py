"""What billing remembers: charges, runs and their drafts, invoices, ledger, payments, promises."""

from billing.models.charges import Charge, ChargeState
from billing.models.drafts import DraftInvoice, DraftLine, DraftUsage
from billing.models.invoices import Invoice, InvoiceLine, NumberSeries
from billing.models.ledger import LedgerAccount, Posting
from billing.models.payments import Allocation, Payment
from billing.models.promises import Breach, Promise, PromiseFact
from billing.models.runs import BillRun, ParkedAccount, Shard

__all__ = [
    "Allocation",
    "BillRun",
    "Breach",
    "Charge",
    "ChargeState",
    "DraftInvoice",
    "DraftLine",
    "DraftUsage",
    "Invoice",
    "InvoiceLine",
    "LedgerAccount",
    "NumberSeries",
    "ParkedAccount",
    "Payment",
    "Posting",
    "Promise",
    "PromiseFact",
    "Shard",
]
