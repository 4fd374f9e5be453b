"""What billing remembers: charges, runs, drafts, invoices and their sending, ledger, payments …"""

from billing.models.adjustments import DraftAdjustment, InvoiceAdjustment
from billing.models.carried import CarriedBill
from billing.models.charges import Charge, ChargeState
from billing.models.control import BillWord, ParkCode, ParkedAccount, Rule, RunRules, Variance
from billing.models.coupons import Coupon, CouponGrant, CouponProduct
from billing.models.drafts import DraftInvoice, DraftLine, DraftUsage
from billing.models.families import FamilyMember, InvoicePart
from billing.models.invoices import Invoice, InvoiceLine, NumberSeries
from billing.models.ledger import LedgerAccount, Posting
from billing.models.minimums import MinimumSpend
from billing.models.owed import LinesOwed
from billing.models.payers import ChargeShare, PayerAgreement, PayerShare
from billing.models.payments import Allocation, Payment
from billing.models.promises import Breach, Promise, PromiseFact
from billing.models.rates import ExchangeRate
from billing.models.runs import BillRun
from billing.models.sending import InvoiceDocument, InvoiceSending, SendingBatch
from billing.models.shards import Shard
from billing.models.topups import TopUp, TopUpOrder
from billing.models.walletlots import WalletDraw, WalletLot, WalletMovement
from billing.models.wallets import Wallet, WalletGrant

__all__ = [
    "Allocation",
    "BillRun",
    "BillWord",
    "Breach",
    "CarriedBill",
    "Charge",
    "ChargeShare",
    "ChargeState",
    "MinimumSpend",
    "Coupon",
    "CouponGrant",
    "CouponProduct",
    "DraftAdjustment",
    "DraftInvoice",
    "DraftLine",
    "DraftUsage",
    "ExchangeRate",
    "FamilyMember",
    "Invoice",
    "InvoiceDocument",
    "InvoiceAdjustment",
    "InvoiceLine",
    "InvoicePart",
    "InvoiceSending",
    "LedgerAccount",
    "LinesOwed",
    "NumberSeries",
    "ParkCode",
    "ParkedAccount",
    "PayerAgreement",
    "PayerShare",
    "Payment",
    "Posting",
    "Promise",
    "PromiseFact",
    "Rule",
    "RunRules",
    "SendingBatch",
    "Shard",
    "TopUp",
    "TopUpOrder",
    "Variance",
    "Wallet",
    "WalletDraw",
    "WalletGrant",
    "WalletLot",
    "WalletMovement",
]
