"""What billing remembers: charges, runs, drafts, invoices, ledger, payments, promises, money."""

from billing.models.adjustments import DraftAdjustment, InvoiceAdjustment
from billing.models.charges import Charge, ChargeState
from billing.models.coupons import Coupon, CouponGrant, CouponProduct
from billing.models.drafts import DraftInvoice, DraftLine, DraftUsage
from billing.models.invoices import Invoice, InvoiceLine, NumberSeries
from billing.models.ledger import LedgerAccount, Posting
from billing.models.minimums import MinimumSpend
from billing.models.payments import Allocation, Payment
from billing.models.promises import Breach, Promise, PromiseFact
from billing.models.runs import BillRun, ParkedAccount, Shard
from billing.models.topups import TopUp, TopUpOrder
from billing.models.walletlots import WalletDraw, WalletLot, WalletMovement
from billing.models.wallets import Wallet, WalletGrant

__all__ = [
    "Allocation",
    "BillRun",
    "Breach",
    "Charge",
    "ChargeState",
    "MinimumSpend",
    "Coupon",
    "CouponGrant",
    "CouponProduct",
    "DraftAdjustment",
    "DraftInvoice",
    "DraftLine",
    "DraftUsage",
    "Invoice",
    "InvoiceAdjustment",
    "InvoiceLine",
    "LedgerAccount",
    "NumberSeries",
    "ParkedAccount",
    "Payment",
    "Posting",
    "Promise",
    "PromiseFact",
    "Shard",
    "TopUp",
    "TopUpOrder",
    "Wallet",
    "WalletDraw",
    "WalletGrant",
    "WalletLot",
    "WalletMovement",
]
