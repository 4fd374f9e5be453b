"""What one may do with a quote: draft, edit, send, revise, accept, decline, withdraw, expire."""

from quotes.services.closing import (
    accept_quote,
    accept_quotes,
    decline_quote,
    expire_quotes,
    withdraw_quote,
)
from quotes.services.drafting import Draft, draft_quote, draft_quotes, edit_quote, revise_quote
from quotes.services.refusals import (
    AccountClosed,
    CurrencyChanged,
    QuoteExpired,
    QuoteNotDraft,
    QuoteNotOpen,
    TextInvalid,
    ValidityInvalid,
)
from quotes.services.sending import send_quote, send_quotes

__all__ = [
    "AccountClosed",
    "CurrencyChanged",
    "Draft",
    "QuoteExpired",
    "QuoteNotDraft",
    "QuoteNotOpen",
    "TextInvalid",
    "ValidityInvalid",
    "accept_quote",
    "accept_quotes",
    "decline_quote",
    "draft_quote",
    "draft_quotes",
    "edit_quote",
    "expire_quotes",
    "revise_quote",
    "send_quote",
    "send_quotes",
    "withdraw_quote",
]
