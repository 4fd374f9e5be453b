"""The verbs of fallout: remedies, rules, outside systems by hand, and answers that call back."""

from orders.fallout.services.callbacks import take_call_back
from orders.fallout.services.remedies import (
    edit_and_retry,
    go_on_without,
    retry_together,
    take_by_hand,
)
from orders.fallout.services.rules import move_rule, save_rule, switch_rule
from orders.fallout.services.systems import close_system, open_system, wake_system

__all__ = [
    "close_system",
    "edit_and_retry",
    "go_on_without",
    "move_rule",
    "open_system",
    "retry_together",
    "save_rule",
    "switch_rule",
    "take_by_hand",
    "take_call_back",
    "wake_system",
]
