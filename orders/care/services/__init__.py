"""Verbs of care: questions and answers, complaints and their end, what the advocate is told."""

from orders.care.services.complaints import (
    ComplaintNotReady,
    NotAPerson,
    hand_over_complaint,
    open_complaint,
    reopen_complaint,
    resolve_complaint,
    take_complaint,
    warn_overdue,
)
from orders.care.services.limits import LONGEST_NAME, LONGEST_TEXT, NothingSaid, TooMany
from orders.care.services.questions import QuestionAnswered, answer_question, ask_question
from orders.care.services.telling import tell_delivered, tell_fallen, tell_placed

__all__ = [
    "LONGEST_NAME",
    "LONGEST_TEXT",
    "ComplaintNotReady",
    "NotAPerson",
    "NothingSaid",
    "QuestionAnswered",
    "TooMany",
    "answer_question",
    "ask_question",
    "hand_over_complaint",
    "open_complaint",
    "reopen_complaint",
    "resolve_complaint",
    "take_complaint",
    "tell_delivered",
    "tell_fallen",
    "tell_placed",
    "warn_overdue",
]
