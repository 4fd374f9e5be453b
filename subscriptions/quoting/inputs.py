"""What somebody wants of services on a quote of changes, as drafts keep it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from quotes.models import QuoteLine
from subscriptions.models import QuotedChange

Action = QuoteLine.Action
# What a line may do to a service; adding needs none.
CHANGING = (Action.CHANGE, Action.RENEW, Action.CO_TERM, Action.END)
DAYS = ("on", "to")


class PriceOf(StrEnum):
    """Whether the agreed price stays, or the valid contract and price list count from the day."""

    AGREED = "agreed"
    CURRENT = "current"


@dataclass(frozen=True, slots=True)
class ChangeInput:
    """One service and what is offered for it; what the action does not need stays empty.

    `on` is the first day on which it holds: empty, the day of the quote, and for a renewal the end
    of the term that runs. CHANGE and RENEW may name another `product`, `quantity` or price; another
    product or a discount is priced by contract and books. RENEW takes `months` and, left out, the
    words of the term that runs; CO_TERM the day `to` which the term is made longer.
    """

    item_id: int
    action: str
    on: date | None = None
    product: str = ""
    quantity: Decimal | str | int | None = None
    characteristics: Mapping[str, Any] | None = None
    price: str = PriceOf.AGREED
    discount_percent: Decimal | str | int = 0
    months: int | None = None
    to: date | None = None
    renewal: str = ""
    uplift_percent: Decimal | str | int | None = None
    notice_days: int | None = None
    reason: str = ""


def kept(change: ChangeInput) -> dict[str, Any]:
    """The input as JSON: days as ISO text, numbers as the text that was typed."""
    said = {name: value for name, value in asdict(change).items() if name != "item_id"}
    return {name: _plain(value) for name, value in said.items()}


def read(quoted: QuotedChange) -> ChangeInput:
    """The input that a draft keeps."""
    said = dict(quoted.asked)
    for name in DAYS:
        said[name] = date.fromisoformat(said[name]) if said.get(name) else None
    return ChangeInput(item_id=quoted.item_id, **said)


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value
