"""Verbs of usage: take events once, correct and mend them, let waiting ones in, prove totals."""

from subscriptions.usage.services.amending import (
    Amended,
    CorrectionRefused,
    NotCorrectable,
    correct_event,
    try_correction,
)
from subscriptions.usage.services.counting import count_days
from subscriptions.usage.services.dismissing import ReasonMissing, dismiss_pending
from subscriptions.usage.services.mending import (
    MOST_AT_ONCE,
    Mended,
    retry_rejected,
    settle_rejected,
)
from subscriptions.usage.services.recounting import Recount, recount_usage
from subscriptions.usage.services.releasing import release_waiting
from subscriptions.usage.services.subjects import write_subjects
from subscriptions.usage.services.taking import AT_ONCE, take_usage

__all__ = [
    "AT_ONCE",
    "MOST_AT_ONCE",
    "Amended",
    "CorrectionRefused",
    "Mended",
    "NotCorrectable",
    "ReasonMissing",
    "Recount",
    "correct_event",
    "count_days",
    "dismiss_pending",
    "recount_usage",
    "release_waiting",
    "retry_rejected",
    "settle_rejected",
    "take_usage",
    "try_correction",
    "write_subjects",
]
