"""The arithmetic of a line, done again and told step by step; no database."""

from billing.explaining.rules.again import Explained, Inputs, NotReExecutable, mirror, re_execute
from billing.explaining.rules.taxes import Earlier, TaxTold, taxes_again

__all__ = [
    "Earlier",
    "Explained",
    "Inputs",
    "NotReExecutable",
    "TaxTold",
    "mirror",
    "re_execute",
    "taxes_again",
]
