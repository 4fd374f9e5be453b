"""Verbs of usage: take events once, correct them, let waiting ones in, prove the totals."""

from subscriptions.usage.services.releasing import release_waiting
from subscriptions.usage.services.subjects import write_subjects
from subscriptions.usage.services.taking import AT_ONCE, take_usage

__all__ = ["AT_ONCE", "release_waiting", "take_usage", "write_subjects"]
