"""Questions about quotes: which there are, what they cost, how an offer is shown."""

from quotes.selectors.finding import (
    get_quote,
    history_of,
    lines_of,
    past_validity,
    products_on_sale,
    quotes_for_list,
    quotes_of_account,
    waiting_of,
)
from quotes.selectors.offers import (
    FirstBillLine,
    OfferedCharge,
    OfferedLine,
    draft_offer,
    name_of,
    offer,
    read_terms,
)
from quotes.selectors.pricing import (
    Asking,
    PricedLines,
    TooMuch,
    fixed_discounts_taken,
    preview,
    price_lines,
    price_many,
    try_preview,
    wanted,
)

__all__ = [
    "FirstBillLine",
    "OfferedCharge",
    "OfferedLine",
    "PricedLines",
    "TooMuch",
    "draft_offer",
    "get_quote",
    "history_of",
    "fixed_discounts_taken",
    "lines_of",
    "name_of",
    "offer",
    "past_validity",
    "preview",
    "Asking",
    "price_lines",
    "price_many",
    "products_on_sale",
    "quotes_for_list",
    "quotes_of_account",
    "read_terms",
    "try_preview",
    "waiting_of",
    "wanted",
]
