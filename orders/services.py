"""The verbs of this stage under one roof, for the doors and the stages above."""

from orders.acceptance.services import AlreadyOrdered, decline_offer, place_order
from orders.entry.services import enter_order
from orders.fulfilment.services import (
    advance_order,
    advance_together,
    cancel_line,
    claim_next,
    claim_task,
    complete_task,
    correct_evidence,
    fail_task,
    hold_line,
    release_task,
    resume_line,
    retry_task,
    wake_due,
)

__all__ = [
    "AlreadyOrdered",
    "advance_order",
    "advance_together",
    "cancel_line",
    "claim_next",
    "claim_task",
    "complete_task",
    "correct_evidence",
    "decline_offer",
    "enter_order",
    "fail_task",
    "hold_line",
    "place_order",
    "release_task",
    "resume_line",
    "retry_task",
    "wake_due",
]
