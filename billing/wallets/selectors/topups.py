"""Questions about top-ups: which wallets to look at, what was ordered, what came of it."""

from datetime import date

from billing.models import ChargeState, TopUp, TopUpOrder, Wallet, WalletLot
from billing.wallets.selectors.settling import lots_to_draw
from o2b.charging.refills import Asked
from orders.models import OrderLine

State = TopUpOrder.State
LOOKED_AT = 200  # refills of a wallet that the rule is told of; no month has as many


def wallets_to_look_at() -> list[int]:
    """Wallets with an active standing order, and those whose last refill is under way."""
    active = TopUp.objects.filter(active=True).values_list("wallet_id", flat=True)
    under_way = TopUpOrder.objects.filter(state=State.OPEN).values_list("wallet_id", flat=True)
    return sorted({*active, *under_way})


def asked_before(wallet: Wallet) -> list[Asked]:
    """The refills of a wallet, as the rule wants them; those called off count as refused ones.

    One that was billed and brought nothing counts as made: it cost money.
    """
    rows = TopUpOrder.objects.filter(wallet=wallet).order_by("-pk")[:LOOKED_AT]
    return [
        Asked(
            row.on,
            row.state == State.OPEN,
            row.state == State.CANCELLED or (row.state == State.FAILED and row.order_id is None),
        )
        for row in rows
    ]


def settled_orders(asked: TopUpOrder, *, today: date) -> str:
    """The transition that an open refill is due: fill, cancel, fail, or none yet (empty).

    Money that is not usable yet, for its day or its payment is to come, is still under way.
    """
    of_order = {"charge__item__order_line__order": asked.order_id}
    bought = dict(WalletLot.objects.filter(**of_order).values_list("pk", "left"))
    if bought:
        lots = lots_to_draw([asked.wallet_id], on=today).get(asked.wallet_id, ())
        waits = {pk for pk, left in bought.items() if left > 0} - {each.lot for each in lots}
        return "" if waits else "fill"
    lines = set(OrderLine.objects.filter(order=asked.order_id).values_list("state", flat=True))
    if lines <= {OrderLine.State.CANCELLED}:
        return "cancel"
    if not lines <= {OrderLine.State.CANCELLED, OrderLine.State.COMPLETED}:
        return ""
    charges = ChargeState.objects.filter(**of_order)
    to_bill = charges.filter(billed_through=None, next_due_on__isnull=False)
    return "fail" if charges.exists() and not to_bill.exists() else ""


def refills_of(wallet: Wallet, limit: int = 10) -> list[TopUpOrder]:
    """The newest refills with their orders."""
    return list(TopUpOrder.objects.filter(wallet=wallet).select_related("order")[:limit])
