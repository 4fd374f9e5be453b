"""Verbs of usage: take events once, correct them, let waiting ones in, prove the totals."""

from subscriptions.usage.services.recounting import Recount, recount_usage
from subscriptions.usage.services.releasing import release_waiting
from subscriptions.usage.services.subjects import write_subjects
from subscriptions.usage.services.taking import AT_ONCE, take_usage

__all__ = ["AT_ONCE", "Recount", "recount_usage", "release_waiting", "take_usage", "write_subjects"]
