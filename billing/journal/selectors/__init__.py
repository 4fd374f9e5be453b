"""Questions about the journal: rates of a day, postings for a list, balances of a month."""

from billing.journal.selectors.balances import Balanced, balances_of, months_with_postings
from billing.journal.selectors.postings import postings_for_list
from billing.journal.selectors.rates import rates_for_list, rates_on

__all__ = [
    "Balanced",
    "balances_of",
    "months_with_postings",
    "postings_for_list",
    "rates_for_list",
    "rates_on",
]
