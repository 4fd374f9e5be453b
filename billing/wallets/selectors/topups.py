"""Questions about top-ups: which wallets to look at, what was ordered, what came of it."""

from billing.models import TopUp, TopUpOrder, Wallet, WalletLot
from o2b.catalog.models import Price, Product, ProductVersion
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
    """The refills of a wallet, as the rule wants them; those called off count as refused ones."""
    rows = TopUpOrder.objects.filter(wallet=wallet).order_by("-pk")[:LOOKED_AT]
    gone = (State.FAILED, State.CANCELLED)
    return [Asked(row.on, row.state == State.OPEN, row.state in gone) for row in rows]


def settled_orders(asked: TopUpOrder) -> str:
    """The transition that an open refill is due: fill, cancel, or none yet (empty)."""
    bought = WalletLot.objects.filter(charge__item__order_line__order=asked.order_id)
    if bought.exists():
        return "fill"
    lines = OrderLine.objects.filter(order=asked.order_id)
    if not lines.exclude(state=OrderLine.State.CANCELLED).exists():
        return "cancel"
    return ""


def product_that_brings_money(code: str) -> Product | None:
    """A product on sale with a price that grants money."""
    product = Product.objects.filter(code=code).first()
    if product is None:
        return None
    on_sale = ProductVersion.objects.filter(
        product=product, state=ProductVersion.State.PUBLISHED
    ).exists()
    grants = Price.objects.filter(product=product, details__has_key="grant")
    brings = any(not price.details["grant"].get("meter") for price in grants)
    return product if on_sale and brings else None


def refills_of(wallet: Wallet, limit: int = 10) -> list[TopUpOrder]:
    """The newest refills with their orders."""
    return list(TopUpOrder.objects.filter(wallet=wallet).select_related("order")[:limit])
