"""Sets an order to a vendor as PDF: one compiler a process, what it says comes as values."""

import json
from pathlib import Path
from threading import Lock
from typing import Any

import typst
from django.utils.translation import gettext as _

from o2b import clock
from o2b.web.show import day_text, money_text, number_text
from orders.models import PurchaseOrder

TEMPLATE = Path(__file__).with_name("purchase.typ")
# Fonts that typst brings along: the same page on every machine.
FONTS = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True)

_compiler = typst.Compiler(
    TEMPLATE, root=TEMPLATE.parent, font_paths=FONTS, ignore_system_fonts=True
)
_lock = Lock()  # a compiler keeps its last inputs; two threads must not share a page


def render(purchase: PurchaseOrder) -> bytes:
    """The order as PDF; whatever its texts hold is never read as source."""
    data = json.dumps(document(purchase), ensure_ascii=False, sort_keys=True)
    with _lock:
        page = _compiler.compile(
            format="pdf", sys_inputs={"data": data}, timestamp=purchase.sent_at
        )
    if not isinstance(page, bytes):
        raise TypeError("typst gave no page")
    return page


def document(purchase: PurchaseOrder) -> dict[str, Any]:
    """What the page says, in words."""
    seller = purchase.account.legal_entity
    facts = [
        (_("Number"), purchase.number),
        (_("Date"), day_text(clock.day(purchase.account, purchase.sent_at))),
        (_("Our order"), str(purchase.line)),
    ]
    if purchase.expected_on:
        facts.append((_("Expected"), day_text(purchase.expected_on)))
    total = purchase.unit_cost * purchase.quantity
    return {
        "title": _("Purchase order"),
        "number": purchase.number,
        "from": [seller.name, *filter(None, seller.address.splitlines())],
        "to": purchase.vendor,
        "deliver_to": [_("Deliver to"), *_place(purchase)],
        "facts": facts,
        "columns": [_("Item"), _("Quantity"), _("Price"), _("Amount")],
        "row": [
            purchase.item,
            number_text(purchase.quantity.normalize()),
            _price(purchase.unit_cost, purchase.currency),
            _price(total, purchase.currency),
        ],
        "note": purchase.note,
    }


def _place(purchase: PurchaseOrder) -> list[str]:
    account = purchase.account
    return [account.name, *filter(None, account.address.splitlines())]


def _price(value: Any, currency: str) -> str:
    return money_text(value.quantize(value.__class__("0.01")), currency) if value else "—"
