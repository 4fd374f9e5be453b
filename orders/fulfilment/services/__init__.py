"""The verbs of fulfilment: advance what runs by itself, work by hand, stand still and go on."""

from orders.fulfilment.services.advance import advance_order, advance_together
from orders.fulfilment.services.hand import (
    claim_next,
    claim_task,
    complete_task,
    correct_evidence,
    fail_task,
    release_task,
)
from orders.fulfilment.services.pauses import cancel_line, hold_line, resume_line, retry_task
from orders.fulfilment.services.wake import wake_due

__all__ = [
    "advance_order",
    "advance_together",
    "cancel_line",
    "claim_next",
    "claim_task",
    "complete_task",
    "correct_evidence",
    "fail_task",
    "hold_line",
    "release_task",
    "resume_line",
    "retry_task",
    "wake_due",
]
