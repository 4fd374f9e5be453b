"""What pages, documents and the API show of wallets: lots, the statement, what may be used now."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from billing.models import (
    ChargeState,
    Invoice,
    Wallet,
    WalletGrant,
    WalletLot,
    WalletMovement,
)
from billing.wallets.selectors.settling import lots_to_draw
from o2b.charging.taxing import Taxable, tax_code_of, taxes_of
from o2b.customers.models import Account
from o2b.fields import AmountField
from o2b.money import EXACT, Money, sum_of
from o2b.taxes.port import TaxUnknown, seller_rates
from subscriptions.models import Item
from subscriptions.usage.rules.live import Live
from subscriptions.usage.selectors import live_usage

NOTHING = Value(0, output_field=AmountField())


@dataclass(frozen=True, slots=True)
class Standing:
    """What a wallet holds today; a projection, for nothing of it is set aside.

    `available` may be drawn now (of what has ended, for usage of its days), `waiting` is there but
    not usable yet; `unbilled` is what the usage that no bill has seen would cost with its tax,
    `left` what would remain of `available`.
    """

    available: Money
    waiting: Money
    unbilled: Money
    left: Money

    @property
    def is_short(self) -> bool:
        return self.left.amount < 0


def wallets_for_list() -> QuerySet[Any]:
    """All wallets with their account and what their lots hold."""
    held = (
        WalletLot.objects.filter(wallet=OuterRef("pk"), left__gt=0)
        .order_by()
        .values("wallet")
        .annotate(sum=Sum("left"))
        .values("sum")
    )
    return Wallet.objects.select_related("account__test_clock", "account__legal_entity").annotate(
        held=Coalesce(Subquery(held), NOTHING)
    )


def wallet(*, wallet_id: int) -> Any:
    """One wallet; raises DoesNotExist."""
    return wallets_for_list().get(pk=wallet_id)


def wallets_of_account(account: Account) -> list[Any]:
    """The wallets of an account, with what they hold."""
    return list(wallets_for_list().filter(account=account).order_by("currency"))


def lots_of(wallet: Wallet) -> QuerySet[WalletLot]:
    """Every lot with the invoice that bills it, or the grant; the newest first."""
    rows = WalletLot.objects.filter(wallet=wallet).select_related("invoice", "grant", "wallet")
    return rows.order_by("-pk")


def movements_of(wallet: Wallet) -> QuerySet[Any]:
    """The statement: every movement, with `balance`, what the wallet held after it."""
    until = (
        WalletMovement.objects.filter(wallet=OuterRef("wallet"), pk__lte=OuterRef("pk"))
        .order_by()
        .values("wallet")
        .annotate(sum=Sum("amount"))
        .values("sum")
    )
    return (
        WalletMovement.objects.filter(wallet=wallet)
        .select_related("lot", "invoice", "wallet", "by")
        .annotate(balance=Subquery(until))
    )


def standing_of(wallet: Wallet, *, today: date) -> Standing:
    """How a wallet stands on its account's day."""
    usable = sum_of(each.left for each in lots_to_draw([wallet.pk], on=today).get(wallet.pk, ()))
    lots = WalletLot.objects.filter(wallet=wallet, left__gt=0)
    held = lots.aggregate(sum=Sum("left"))["sum"] or Decimal(0)
    unbilled = unbilled_usage(wallet.account, today=today)
    amounts = (usable, held - usable, unbilled, EXACT.subtract(usable, unbilled))
    return Standing(*(Money(each, wallet.currency).rounded() for each in amounts))


def unbilled_usage(account: Account, *, today: date) -> Decimal:
    """What the usage of an account that no bill has seen would cost today, with its tax."""
    rows = Item.objects.filter(account=account)
    items = list(rows.select_related("account__test_clock", "product_version__product"))
    found = live_usage(items, today=today)
    if not found:
        return Decimal(0)
    through = _billed_through([each.item.pk for each in found])
    owed = [(each, _owed(each, through.get((each.item.pk, each.charge.key)))) for each in found]
    return _with_tax(account, [(each, amount) for each, amount in owed if amount], today)


def _billed_through(items: Iterable[int]) -> dict[tuple[int, str], date]:
    states = ChargeState.objects.filter(charge__item__in=items).exclude(billed_through=None)
    rows = states.values_list("charge__item", "charge__terms_charge__key", "billed_through")
    found: dict[tuple[int, str], date] = {}
    for item, key, through in rows:
        if through is None:
            continue
        found[item, key] = max(found.get((item, key), through), through)
    return found


def _owed(live: Live, through: date | None) -> Decimal:
    """The running period, and those that are over and were not billed yet."""
    amounts = [live.running.amount] if live.running else []
    amounts += [
        each.amount for each in live.before if through is None or each.full.start >= through
    ]
    return sum_of(amounts)


def _with_tax(account: Account, owed: list[tuple[Live, Decimal]], today: date) -> Decimal:
    """Net where no rate is known: the run that bills it will say so."""
    net = sum_of(amount for _, amount in owed)
    codes = [tax_code_of(each.charge) for each, _ in owed]
    rates = seller_rates(account.legal_entity, codes=codes, on=[today])
    try:
        taxable = [
            Taxable(amount, rates.percent(code, on=today, exempt=account.tax_exempt))
            for (_, amount), code in zip(owed, codes, strict=True)
        ]
    except TaxUnknown:
        return net
    return EXACT.add(net, sum_of(taxes_of(taxable, currency=account.currency, per=rates.per)))


def grants_for_list() -> QuerySet[WalletGrant]:
    """All grants by hand with their people."""
    return WalletGrant.objects.select_related("account__test_clock", "asked_by", "decided_by")


def grants_to_approve(account: Account | None = None) -> QuerySet[WalletGrant]:
    """Grants that a second person has to look at."""
    rows = grants_for_list().filter(state=WalletGrant.State.ASKED)
    return rows if account is None else rows.filter(account=account)


@dataclass(frozen=True, slots=True)
class Paid:
    """What a lot paid of an invoice; below zero, what was given back to it."""

    lot: WalletLot
    amount: Decimal


def paid_on(invoice: Invoice) -> list[Paid]:
    """What prepaid money paid of an invoice, lot by lot in the order in which they were drawn.

    An invoice that was read with its `wallet_draw` and has none is not asked about.
    """
    if getattr(invoice, "wallet_draw", None) is None:
        return []
    kinds = (WalletMovement.Kind.DRAWN, WalletMovement.Kind.RETURNED)
    rows = WalletMovement.objects.filter(invoice=invoice, kind__in=kinds)
    return [Paid(row.lot, -row.amount) for row in rows.select_related("lot").order_by("pk")]
