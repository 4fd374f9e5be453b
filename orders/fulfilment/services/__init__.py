"""The verbs of fulfilment: advance what runs by itself, work by hand, stand still and go on."""

from orders.fulfilment.services.hand import (
    assign_task,
    claim_next,
    claim_task,
    complete_task,
    correct_evidence,
    fail_task,
    let_substitute,
    prioritise_task,
    record_part,
    release_task,
    skip_task,
    tick_item,
)
from orders.fulfilment.services.pauses import cancel_line, hold_line, resume_line, retry_task
from orders.fulfilment.services.wake import nudge, wake_due
from orders.fulfilment.services.whole import advance_order, advance_together

__all__ = [
    "advance_order",
    "advance_together",
    "assign_task",
    "cancel_line",
    "claim_next",
    "claim_task",
    "complete_task",
    "correct_evidence",
    "fail_task",
    "hold_line",
    "let_substitute",
    "nudge",
    "prioritise_task",
    "record_part",
    "release_task",
    "resume_line",
    "retry_task",
    "skip_task",
    "tick_item",
    "wake_due",
]
