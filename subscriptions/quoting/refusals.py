"""Why a quote of changes is refused."""

from o2b.errors import Invalid, Refused


class NothingQuoted(Invalid):
    code = "no_lines"


class TooManyChanges(Invalid):
    code = "too_many_lines"


class ServiceTwice(Invalid):
    """One service stands on one line of a quote."""

    code = "service_twice"


class ActionInvalid(Invalid):
    code = "action_invalid"


class PriceInvalid(Invalid):
    code = "price_invalid"


class NotAChangeQuote(Refused):
    code = "not_a_change_quote"
