"""What can be done to a service, as buttons and as addresses: each act with its words."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orders.models import Order
from subscriptions.models import Act, ServiceState

S = ServiceState
LIVING = (S.PENDING, S.ACTIVE, S.SUSPENDED)
# What is in service goes on when its account is closed: these want no open one.
WHEN_CLOSED = (Act.END, Act.SUSPEND, Act.RESUME, Act.TRANSFER, Act.WITHDRAW)


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing to do: how its address, its button and its page call it, and when it is offered."""

    slug: str
    act: Act
    title: str | Promise
    help: str | Promise
    kind: Order.Kind | None = None
    offered: Sequence[str] = LIVING
    is_final: bool = False


DEEDS = (
    Deed("quantity", Act.QUANTITY, _("Change quantity"), _("More or fewer, at the same Terms.")),
    Deed(
        "product",
        Act.TERMS,
        _("Upgrade or downgrade"),
        _("Another product takes its place, at the price of the contract or of the price book."),
    ),
    Deed(
        "price",
        Act.TERMS,
        _("Price of the current book"),
        _("The same product, at what contract and price book say on that day."),
        kind=Order.Kind.PRICE_CHANGE,
    ),
    Deed(
        "version",
        Act.REPLACE,
        _("Another version"),
        _("A replacement of the same product: the agreed price stays."),
    ),
    Deed(
        "suspend",
        Act.SUSPEND,
        _("Suspend"),
        _("It stands still for a while; billed in full, not at all, or with a holding fee."),
        offered=(S.PENDING, S.ACTIVE),
    ),
    Deed("resume", Act.RESUME, _("Resume"), _("It goes on."), offered=(S.SUSPENDED,)),
    Deed("move", Act.MOVE, _("Move"), _("To another address; the price stays.")),
    Deed(
        "transfer",
        Act.TRANSFER,
        _("Transfer"),
        _("Another account has it and pays for it from that day on, at the same Terms."),
    ),
    Deed(
        "end",
        Act.END,
        _("End"),
        _("It goes out of service on that day; what was paid beyond it is given back."),
        is_final=True,
    ),
)
TAKE_BACK = Deed(
    "take-back",
    Act.WITHDRAW,
    _("Take back a change"),
    _("As if it had never been ordered; the history still shows it."),
    offered=(),
)
BY_SLUG = {deed.slug: deed for deed in (*DEEDS, TAKE_BACK)}


def deeds_for(state: str, *, is_open: bool = True) -> list[Deed]:
    """What is offered for a service that stands so; less where its account is closed."""
    offered = [deed for deed in DEEDS if state in deed.offered]
    return offered if is_open else [deed for deed in offered if deed.act in WHEN_CLOSED]
