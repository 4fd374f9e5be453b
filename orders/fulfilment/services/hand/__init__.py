"""Work by hand: claim, assign, hand back, tick off, deliver in parts, complete, skip, fail."""

from orders.fulfilment.services.hand.checks import check_reason
from orders.fulfilment.services.hand.claiming import (
    assign_task,
    claim_task,
    prioritise_task,
    release_task,
)
from orders.fulfilment.services.hand.finishing import (
    complete_task,
    correct_evidence,
    fail_task,
)
from orders.fulfilment.services.hand.next import claim_next
from orders.fulfilment.services.hand.parts import record_part
from orders.fulfilment.services.hand.skipping import let_substitute, skip_task
from orders.fulfilment.services.hand.ticking import tick_item

__all__ = [
    "assign_task",
    "check_reason",
    "claim_next",
    "claim_task",
    "complete_task",
    "correct_evidence",
    "fail_task",
    "let_substitute",
    "prioritise_task",
    "record_part",
    "release_task",
    "skip_task",
    "tick_item",
]
