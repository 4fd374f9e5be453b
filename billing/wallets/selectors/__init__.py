"""Questions about prepaid money."""

from billing.wallets.selectors.settling import (
    charges_that_bring_money,
    drawn_by_invoice,
    eligible_by_invoice,
    lots_to_draw,
    money_billed,
    money_lines_of,
    wallets_to_settle,
)

__all__ = [
    "charges_that_bring_money",
    "drawn_by_invoice",
    "eligible_by_invoice",
    "lots_to_draw",
    "money_billed",
    "money_lines_of",
    "wallets_to_settle",
]
