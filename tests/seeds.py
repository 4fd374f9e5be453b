"""Random histories: one that is always the same, and one of each run, told where it fails."""

import os
import random
import sys

WHICH = ["known", "fresh"]  # names, not seeds: processes that share tests must agree on them


def a_rng(which: str, known: int) -> random.Random:
    """Of the known seed, or of O2B_SEED, else of a new one; pytest shows it with a failure."""
    fresh = os.environ.get("O2B_SEED") or random.SystemRandom().randrange(10**9)
    seed = known if which == "known" else int(fresh)
    sys.stdout.write(f"to repeat this history: O2B_SEED={seed}\n")
    return random.Random(seed)
