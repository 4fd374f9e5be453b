"""The verbs of work beside doing it: ask and decide, comment, keep files, many tasks at once."""

from orders.work.services.approvals import (
    ask_skip,
    ask_substitution,
    grant_approval,
    refuse_approval,
    withdraw_approval,
)
from orders.work.services.assigning import assign, hand_back
from orders.work.services.bulk import Result, work_on_many
from orders.work.services.comments import comment
from orders.work.services.files import MOST_BYTES, add_file
from orders.work.services.refusals import NothingToDo

__all__ = [
    "MOST_BYTES",
    "NothingToDo",
    "Result",
    "add_file",
    "ask_skip",
    "ask_substitution",
    "assign",
    "comment",
    "grant_approval",
    "hand_back",
    "refuse_approval",
    "withdraw_approval",
    "work_on_many",
]
