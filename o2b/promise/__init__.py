"""The promise check: what was promised against what is, wherever both sides say something."""

from o2b.promise.compare import Amounts, Difference, Promise, compare

__all__ = ["Amounts", "Difference", "Promise", "compare"]
