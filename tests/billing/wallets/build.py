"""Accounts that order prepaid money, and what their wallets and books say."""

from decimal import Decimal
from typing import Any

from django.db.models import Sum

from billing.models import Payment, Posting, Wallet, WalletGrant, WalletLot, WalletMovement
from billing.wallets.services.granting import approve_grant, ask_grant
from o2b.catalog.models import ProductVersion
from o2b.customers.models import Account
from tests.factories import a_product, a_user
from tests.scenarios.world import World

D = Decimal


def credits(
    price: str = "0.50", money: str = "0.50", *, kind: str = "one_time", **grant: Any
) -> ProductVersion:
    """A product that is bought by the unit, each of which brings money."""
    charge: dict[str, Any] = {
        "key": "credits",
        "kind": kind,
        "model": "per_unit",
        "unit_price": D(price),
        "details": {"grant": {"units": money, **grant}},
    }
    if kind == "recurring":
        charge["interval_unit"] = "month"
    return a_product(name="Credits", charges=[charge])


def buy(world: World, product: ProductVersion, quantity: str = "100", **given: Any) -> Any:
    return world.sell(products=[product], quantity=quantity, **given)


def granted(world: World, amount: str, account: Account | None = None, **given: Any) -> WalletGrant:
    """A gift that two people agreed on."""
    fields: dict[str, Any] = {"source": "promotion", "reason": "welcome"} | given
    grant = ask_grant(
        account_id=(account or world.account).pk,
        amount=amount,
        asked_by_id=a_user().pk,
        at=world.now,
        **fields,
    )
    return approve_grant(grant_id=grant.pk, user_id=a_user().pk, at=world.now)


def moved(account: Account) -> list[tuple[str, str, str]]:
    """Day, kind and amount of every movement, in the order in which they came."""
    rows = WalletMovement.objects.filter(wallet__account=account).order_by("pk")
    return [(f"{row.on}", row.kind, f"{row.amount:.2f}") for row in rows]


def left(account: Account) -> str:
    found = WalletLot.objects.filter(wallet__account=account).aggregate(sum=Sum("left"))["sum"]
    return f"{found or 0:.2f}"


def booked(account: Account) -> dict[str, str]:
    """Ledger account → its balance (debits less credits)."""
    found: dict[str, Decimal] = {}
    for row in Posting.objects.filter(account_id=account.pk):
        found[row.debit] = found.get(row.debit, D(0)) + row.amount
        found[row.credit] = found.get(row.credit, D(0)) - row.amount
    return {name: f"{amount:.2f}" for name, amount in sorted(found.items()) if amount}


def paid_by_wallet(account: Account) -> list[tuple[str, str]]:
    rows = Payment.objects.filter(account=account, method="wallet").order_by("pk")
    return [(row.reference, f"{row.amount:.2f}") for row in rows]


def agrees(account: Account) -> None:
    """What every history of a wallet must keep: lots, movements and books say the same."""
    for lot in WalletLot.objects.filter(wallet__account=account):
        sums = dict.fromkeys(WalletMovement.Kind.values, D(0))
        for movement in lot.movements.all():
            sums[movement.kind] += movement.amount
        assert sums["granted"] == lot.amount
        assert sum(sums.values()) == lot.left >= 0
    wallet = Wallet.objects.filter(account=account).first()
    if wallet is not None:
        held = wallet.lots.aggregate(sum=Sum("left"))["sum"] or D(0)
        assert D(booked(account).get("prepaid", "0")) == -held
        for draw in wallet.draws.all():
            parts = wallet.movements.filter(invoice=draw.invoice_id)
            parts = parts.filter(kind__in=["drawn", "returned"])
            assert -parts.aggregate(sum=Sum("amount"))["sum"] == draw.amount
            assert draw.payment.amount == draw.amount
