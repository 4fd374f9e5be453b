"""Which price a line gets: contract, then the account's segment's book, then the default book.

Everything is read in a fixed number of queries whatever the number of accounts and lines, and every
candidate is kept with the reason why it won or lost.
"""

from o2b.catalog.resolution.choice import NoPrice, charge_terms
from o2b.catalog.resolution.resolve import (
    Asked,
    Resolution,
    Wanted,
    carries_fixed_discount,
    resolve,
    resolve_many,
)
from o2b.catalog.resolution.sources import signed_on

__all__ = [
    "Asked",
    "NoPrice",
    "Resolution",
    "Wanted",
    "carries_fixed_discount",
    "charge_terms",
    "resolve",
    "resolve_many",
    "signed_on",
]
