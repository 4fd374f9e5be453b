"""What somebody wants changed of one service, and from when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from orders.models import Order
from subscriptions.models import Act


class When(StrEnum):
    """From which day a change holds; ON takes the day that is named."""

    NOW = "now"
    PERIOD_END = "period_end"
    TERM_END = "term_end"
    ON = "on"


@dataclass(frozen=True, slots=True)
class Priced:
    """Frozen Terms for so many of a version, and why: every candidate of their price."""

    version_id: int
    quantity: Decimal
    terms_id: int
    characteristics: dict[str, Any]
    plan_id: int
    book_version_id: int | None
    contract_id: int | None
    why: list[dict[str, object]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Wish:
    """One change of one service; what the act does not need stays empty.

    `revision` is the one that was looked at when the wish was made: a service that has changed
    since refuses it. TERMS names a product, the same one for another price; REPLACE a version of
    it; SUSPEND how it is billed and, for a holding fee, its product; TRANSFER an account;
    WITHDRAW the revision of the change to be taken back. `waive_notice` lets an END be told later
    than its commitment wants; who may not approve work is refused. `deliver`: the change is
    delivered by the product's plan and holds from the day of its delivery, or from its own day if
    that is later.

    What is `offered` by a quote is told by it, and wants no notice of a price. Only a quote gives a
    `discount_percent`, and what it `promised` when it was sent: these Terms
    are ordered, whatever contract and books say by then; a `fee` for leaving that is another one by
    now refuses the wish.
    """

    item_id: int
    act: Act
    when: When = When.NOW
    on: date | None = None
    revision: int | None = None
    product: str = ""
    version: int | None = None
    quantity: Decimal | str | int | None = None
    characteristics: Mapping[str, Any] | None = None
    billing: str = ""
    fee_product: str = ""
    to_account_id: int | None = None
    withdraws: int | None = None
    reason: str = ""
    waive_notice: bool = False
    kind: Order.Kind | None = None
    deliver: bool = False
    discount_percent: Decimal | str | int = 0
    quote_line_id: int | None = None
    offered: bool = False
    promised: Priced | None = None
    fee: Decimal | None = None

    @property
    def order_kind(self) -> Order.Kind:
        """The kind of the order that carries it out."""
        return self.kind or KINDS[self.act]


KINDS: dict[str, Order.Kind] = {
    Act.TERMS: Order.Kind.CHANGE,
    Act.REPLACE: Order.Kind.CHANGE,
    Act.QUANTITY: Order.Kind.CHANGE,
    Act.WITHDRAW: Order.Kind.CHANGE,
    Act.SUSPEND: Order.Kind.SUSPEND,
    Act.RESUME: Order.Kind.RESUME,
    Act.MOVE: Order.Kind.MOVE,
    Act.TRANSFER: Order.Kind.TRANSFER,
    Act.END: Order.Kind.CANCEL,
}
