"""Which price a line gets: contract, account's own book, its segment's book, default book.

Everything is read in a fixed number of queries whatever the number of accounts and lines, and every
candidate is kept with the reason why it won or lost.
"""

from o2b.catalog.resolution.choice import MaximumOverLines, NoPrice, PriceBroken
from o2b.catalog.resolution.compared import Compared, compare_publication, period_price
from o2b.catalog.resolution.explained import Candidate, CandidateCharge, explain_prices
from o2b.catalog.resolution.priceable import QuantityBeyondPrice
from o2b.catalog.resolution.resolve import (
    Asked,
    DiscountUnderFloor,
    Resolution,
    Wanted,
    carries_fixed_discount,
    resolve,
    resolve_many,
)
from o2b.catalog.resolution.sources import signed_on, valid_on
from o2b.catalog.resolution.stored import charge_terms

__all__ = [
    "Asked",
    "Candidate",
    "Compared",
    "CandidateCharge",
    "DiscountUnderFloor",
    "MaximumOverLines",
    "NoPrice",
    "PriceBroken",
    "QuantityBeyondPrice",
    "Resolution",
    "Wanted",
    "carries_fixed_discount",
    "charge_terms",
    "compare_publication",
    "explain_prices",
    "period_price",
    "resolve",
    "resolve_many",
    "signed_on",
    "valid_on",
]
