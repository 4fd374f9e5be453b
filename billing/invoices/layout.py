"""A seller's layout as the template takes it, and where texts need a hand to fit."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict

from django.utils.translation import gettext as _

from billing.invoices.fitting import BOLD, SMALL, fit_on, set_heights, width_of
from billing.models import Invoice
from o2b.customers.models import LegalEntity

ACCENT = "#2f4fdc"
LONG_WORD = re.compile(r"\S{29,}")
PIECE = 24
BREAK = "\u200b"  # a line may end here; it has no width
# Millimetres of a column: margin, then a character of it; no narrower and no wider than these.
MARGIN, NARROWEST, WIDEST = 3.0, 15, 46
COLUMNS = (("period", 1.62), ("quantity", 1.9), ("unit", 1.9), ("amount", 1.9))


class Layout(TypedDict):
    """What a seller's paper looks like."""

    accent: str
    logo: str


class Fits(TypedDict):
    """How many lines parts of the page take, of which the height is known then; 0 where not."""

    head: int
    parties: int
    foot: int


def fit(document: Any) -> None:
    """Say of each part of a document how high it is, where that is sure."""
    set_heights(document["groups"], document["widths"])
    seller, facts = document["seller"], document["facts"]
    named = document["layout"]["logo"] or width_of(seller[0]) * 1.6 < 88
    customer = fit_on(document["customer"], 80, BOLD)
    told = fit_on((value for _name, value in facts), 41, BOLD)
    names = fit_on((name for name, _value in facts), 29)
    sums = fit_on((name for name, _value in document["sums"]), 68)
    document["fits"] = Fits(
        head=fit_on(seller[1:], 69, SMALL) if named and len(seller) < 6 else 0,
        parties=max(customer, told) if customer and told and names and sums else 0,
        foot=fit_on(document["foot"], 138, 0.8),
    )


def layout_of(seller: LegalEntity) -> Layout:
    """Its colour and its logo (the text of an SVG, or nothing)."""
    return Layout(accent=seller.layout.get("accent", ACCENT), logo=seller.layout.get("logo", ""))


def foot_of(seller: LegalEntity, named: str) -> list[str]:
    """The lines at the foot of every page: the seller's own, else who it is and which document."""
    said = seller.layout.get("footer", "").splitlines() or [f"{seller.name} · {named}"]
    return [broken_up(line) for line in said]


def notes_below(invoice: Invoice) -> list[str]:
    """What the law wants said: why no tax is charged."""
    if invoice.tax or not invoice.account.tax_exempt:
        return []
    said = invoice.legal_entity.layout.get("exempt_note", "")
    return [said or _("No tax is charged: the customer is exempt or owes the tax itself.")]


def broken_up(text: str) -> str:
    """The text with places to break very long words at, so that none runs off the page."""
    if len(text) < 29:
        return text
    return LONG_WORD.sub(lambda word: _pieces(word.group()), text)


def _pieces(word: str) -> str:
    return BREAK.join(word[i : i + PIECE] for i in range(0, len(word), PIECE))


def widths_of(columns: Sequence[str], groups: Iterable[Mapping[str, Any]]) -> list[int]:
    """Millimetres for period, quantity, unit price and amount: as wide as their longest text."""
    longest = [len(title) for title in columns[1:]]
    for group in groups:
        longest[3] = max(longest[3], len(group["sum"]) + 1)
        for line in group["lines"]:
            for n, (name, _mm) in enumerate(COLUMNS):
                longest[n] = max(longest[n], len(line[name]))
    return [
        min(max(round(MARGIN + count * width), NARROWEST), WIDEST)
        for count, (_name, width) in zip(longest, COLUMNS, strict=True)
    ]
