"""Colour and words of every state of every life cycle, so that one looks the same everywhere."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# good: done as promised; go: moving; warn: wants a person soon; bad: broken; "": at rest.
STATES: dict[str, tuple[str, str | Promise]] = {
    # quote
    "draft": ("", _("draft")),
    "in approval": ("warn", _("in approval")),
    "approved": ("go", _("approved")),
    "sent": ("go", _("sent")),
    "accepted": ("good", _("accepted")),
    "declined": ("bad", _("declined")),
    "expired": ("warn", _("expired")),
    "withdrawn": ("", _("withdrawn")),
    "superseded": ("", _("superseded")),
    # order and order line
    "scheduled": ("", _("scheduled")),
    "provisioning": ("go", _("provisioning")),
    "delivered": ("good", _("delivered")),
    "completed": ("good", _("completed")),
    "held": ("warn", _("held")),
    "waiting": ("warn", _("waiting")),
    "fallout": ("bad", _("fallout")),
    "cancelling": ("warn", _("cancelling")),
    "cancelled": ("", _("cancelled")),
    # task
    "blocked": ("", _("blocked")),
    "ready": ("go", _("ready")),
    "claimed": ("go", _("claimed")),
    "running": ("go", _("running")),
    "done": ("good", _("done")),
    "failed": ("bad", _("failed")),
    "skipped": ("", _("skipped")),
    "compensating": ("warn", _("compensating")),
    "compensated": ("", _("compensated")),
    # subscription and item
    "pending": ("", _("pending")),
    "active": ("good", _("active")),
    "suspended": ("warn", _("suspended")),
    "ended": ("", _("ended")),
    # bill run
    "open": ("go", _("open")),
    "drafting": ("go", _("drafting")),
    "to approve": ("warn", _("to approve")),
    "finalising": ("go", _("finalising")),
    "finalised": ("good", _("finalised")),
    "paused": ("warn", _("paused")),
    "parked": ("warn", _("parked")),
    # sending of an invoice
    "broken": ("bad", _("no PDF")),
    "filed": ("good", _("PDF kept")),
    "to mail": ("go", _("to mail")),
    "mailed": ("good", _("mailed")),
    "stuck": ("bad", _("not mailed")),
    "settled": ("", _("sent otherwise")),
    # invoice
    "final": ("go", _("final")),
    "due": ("go", _("due")),
    "paid": ("good", _("paid")),
    "partly paid": ("warn", _("partly paid")),
    "overdue": ("bad", _("overdue")),
    "credited": ("", _("credited")),
    "reversed": ("", _("reversed")),
    # visit, purchase, licence key
    "wanted": ("warn", _("to be arranged")),
    "arranged": ("go", _("arranged")),
    "missed": ("bad", _("missed")),
    "partly": ("warn", _("partly received")),
    "received": ("good", _("received")),
    "free": ("", _("free")),
    "issued": ("good", _("issued")),
    "revoked": ("bad", _("revoked")),
    # step of a test clock
    "stopped": ("", _("stopped")),
    # approval
    "asked": ("warn", _("asked")),
    "granted": ("good", _("granted")),
    "refused": ("bad", _("refused")),
    # complaint
    "in hand": ("go", _("in hand")),
    "resolved": ("good", _("resolved")),
    # promise
    "kept": ("good", _("kept")),
    "at risk": ("warn", _("at risk")),
    "breach": ("bad", _("breach")),
    # catalog
    "published": ("good", _("published")),
    "retired": ("", _("retired")),
    "signed": ("good", _("signed")),
    "closed": ("", _("closed")),
}


def plain(state: Any) -> str:
    """'in_approval', 'IN-APPROVAL' and 'in approval' are one state."""
    return str(getattr(state, "value", state)).lower().replace("_", " ").replace("-", " ")


def tone_of(state: Any) -> str:
    """good, go, warn, bad or nothing."""
    return STATES.get(plain(state), ("", ""))[0]


def label_of(state: Any) -> str | Promise:
    """The state in the reader's language."""
    return STATES.get(plain(state), ("", plain(state)))[1]
