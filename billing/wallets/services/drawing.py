"""Wallets pay invoices that become final, and are given back what a correction undoes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from billing.models import (
    Allocation,
    BillRun,
    Invoice,
    Payment,
    WalletDraw,
    WalletMovement,
)
from billing.models.payments import WALLET
from billing.wallets import selectors
from billing.wallets.rules.sharing import drawn_from, given_back, left_after
from billing.wallets.selectors.settling import Eligible
from o2b.money import EXACT, sum_of

Kind = WalletMovement.Kind
_ZERO = Decimal(0)


@dataclass(slots=True)
class Drawn:
    """Payments to be with their documents' wallets, and the movements that they consist of."""

    payments: list[tuple[Eligible, Payment]] = field(default_factory=list)
    movements: list[WalletMovement] = field(default_factory=list)


def give_back(run: BillRun, shard_id: int, eligible: Sequence[Eligible], *, at: datetime) -> Drawn:
    """What each document of a shard gives back to its wallet of what was drawn before."""
    undone = [each for each in eligible if each.amount < 0]
    draws = selectors.drawn_by_invoice(shard_id, [each.invoice for each in undone])
    found = Drawn()
    back: dict[int, Decimal] = {}  # draw → what other documents give back of it
    for each in undone:
        # A credit note gives back no more than it is over: the rest of it pays its other lines.
        most = min(-each.amount, -each.total) if each.total < 0 else -each.amount
        known = {
            draw.draw: draw._replace(left=EXACT.subtract(draw.left, back.get(draw.draw, _ZERO)))
            for draw in draws.get(each.invoice, ())
        }
        for share in given_back([draw.share() for draw in known.values()], most):
            lot = known[share.of].lot
            movement = _movement(run, each, lot, Kind.RETURNED, share.amount, at)
            movement.undoes_id = share.of
            back[share.of] = EXACT.add(back.get(share.of, _ZERO), share.amount)
            found.movements.append(movement)
    _add_payments(run, undone, found)
    return found


def draw(run: BillRun, eligible: Sequence[Eligible], *, at: datetime) -> Drawn:
    """What each document of a shard takes from its wallet.

    Of several of one account the first takes first, and leaves the others what it does not need.
    """
    paid = [each for each in eligible if each.amount > 0 and each.total > 0]
    lots = selectors.lots_to_draw({each.wallet for each in paid}, on=run.on)
    found = Drawn()
    for each in paid:
        wanted = min(each.amount, each.total)
        shares = drawn_from(lots.get(each.wallet, ()), each.parts, wanted)
        for share in shares:
            found.movements.append(_movement(run, each, share.of, Kind.DRAWN, -share.amount, at))
        if shares:
            lots[each.wallet] = left_after(lots[each.wallet], shares)
    _add_payments(run, paid, found)
    return found


def write_draws(drawn: Drawn, *, at: datetime) -> None:
    """Payments, what they settle, and the one draw of each document."""
    made = Payment.objects.bulk_create(payment for _, payment in drawn.payments)
    pairs = list(zip((each for each, _ in drawn.payments), made, strict=True))
    Allocation.objects.bulk_create(
        Allocation(payment=payment, invoice_id=each.invoice, amount=payment.amount, at=at)
        for each, payment in pairs
    )
    WalletDraw.objects.bulk_create(
        WalletDraw(
            invoice_id=each.invoice,
            wallet_id=each.wallet,
            payment=payment,
            amount=payment.amount,
        )
        for each, payment in pairs
    )


def _add_payments(run: BillRun, eligible: Collection[Eligible], drawn: Drawn) -> None:
    amounts: dict[int, list[Decimal]] = {}
    for movement in drawn.movements:
        amounts.setdefault(movement.invoice_id or 0, []).append(-movement.amount)
    bills = Invoice.objects.in_bulk(amounts)
    for each in eligible:
        if each.invoice in amounts:
            bill = bills[each.invoice]
            payment = Payment(
                account_id=each.account,
                legal_entity_id=run.legal_entity_id,
                currency=bill.currency,
                amount=sum_of(amounts[each.invoice]),
                received_on=run.on,
                method=WALLET,
                reference=bill.number,
            )
            drawn.payments.append((each, payment))


def _movement(
    run: BillRun, each: Eligible, lot_id: int, kind: str, amount: Decimal, at: datetime
) -> WalletMovement:
    return WalletMovement(
        wallet_id=each.wallet,
        lot_id=lot_id,
        kind=kind,
        amount=amount,
        on=run.on,
        at=at,
        invoice_id=each.invoice,
    )
