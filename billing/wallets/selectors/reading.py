"""What pages, documents and the API show of wallets: lots, the statement, what may be used now."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from billing.models import (
    Invoice,
    Wallet,
    WalletGrant,
    WalletLot,
    WalletMovement,
)
from billing.wallets.selectors.settling import lots_to_draw
from billing.wallets.selectors.unbilled import unbilled_usage
from o2b.customers.models import Account
from o2b.fields import AmountField
from o2b.money import EXACT, Money, sum_of

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
