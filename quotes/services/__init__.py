"""What one may do with a quote: draft, edit, send, revise, accept, decline, withdraw, expire."""

from quotes.services.closing import accept_quote, decline_quote, expire_quotes, withdraw_quote
from quotes.services.drafting import draft_quote, edit_quote, revise_quote
from quotes.services.refusals import (
    AccountClosed,
    CurrencyChanged,
    QuoteExpired,
    QuoteNotDraft,
    QuoteNotOpen,
    TextInvalid,
    ValidityInvalid,
)
from quotes.services.sending import send_quote

__all__ = [
    "AccountClosed",
    "CurrencyChanged",
    "QuoteExpired",
    "QuoteNotDraft",
    "QuoteNotOpen",
    "TextInvalid",
    "ValidityInvalid",
    "accept_quote",
    "decline_quote",
    "draft_quote",
    "edit_quote",
    "expire_quotes",
    "revise_quote",
    "send_quote",
    "withdraw_quote",
]
