"""The verbs of commitments: agree, co-term, renew, remind, and move to a new version of a book."""

from subscriptions.commitments.services.agreeing import (
    Commit,
    change_renewal,
    co_term,
    commit,
)
from subscriptions.commitments.services.hands import renew_by_hand
from subscriptions.commitments.services.letters import mail_price_moves
from subscriptions.commitments.services.moving import move_prices
from subscriptions.commitments.services.reminding import remind_due
from subscriptions.commitments.services.renewing import renew_due
from subscriptions.commitments.services.telling import tell_price_moves

__all__ = [
    "Commit",
    "change_renewal",
    "co_term",
    "commit",
    "mail_price_moves",
    "move_prices",
    "remind_due",
    "renew_by_hand",
    "renew_due",
    "tell_price_moves",
]
