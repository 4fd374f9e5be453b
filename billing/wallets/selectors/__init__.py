"""Questions about prepaid money."""

from billing.wallets.selectors.reading import (
    Paid,
    Standing,
    grants_for_list,
    grants_to_approve,
    lots_of,
    movements_of,
    paid_on,
    standing_of,
    wallet,
    wallets_for_list,
    wallets_of_account,
)
from billing.wallets.selectors.settling import (
    charges_that_bring_money,
    drawn_by_invoice,
    eligible_by_invoice,
    lots_to_draw,
    money_billed,
    money_drafted,
    money_lines_of,
    wallets_to_settle,
)
from billing.wallets.selectors.unbilled import unbilled_usage

__all__ = [
    "Paid",
    "Standing",
    "charges_that_bring_money",
    "drawn_by_invoice",
    "eligible_by_invoice",
    "grants_for_list",
    "grants_to_approve",
    "lots_of",
    "lots_to_draw",
    "money_billed",
    "money_drafted",
    "money_lines_of",
    "movements_of",
    "paid_on",
    "standing_of",
    "unbilled_usage",
    "wallet",
    "wallets_for_list",
    "wallets_of_account",
    "wallets_to_settle",
]
