"""Every "no" that a quote may hear."""

from o2b.errors import Invalid, Refused


class QuoteNotDraft(Refused):
    code = "quote_not_draft"


class QuoteNotOpen(Refused):
    code = "quote_not_open"


class QuoteExpired(Refused):
    code = "quote_expired"


class AccountClosed(Refused):
    code = "account_closed"


class CurrencyChanged(Refused):
    code = "currency_changed"


class ValidityInvalid(Invalid):
    code = "validity_invalid"


class TextInvalid(Invalid):
    code = "text_invalid"
