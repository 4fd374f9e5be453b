"""An order's events as entries of a timeline."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from o2b.models import Event

# event -> (words, tone); no words where another event of the same moment says it better
WORDS: dict[str, tuple[str | Promise, str]] = {
    "order.placed": (gettext_lazy("Order placed"), "go"),
    "order.woken": ("", ""),
    "order_line.scheduled": ("", ""),
    "order_line.began": (gettext_lazy("work has begun"), "go"),
    "order_line.held": (gettext_lazy("held"), "warn"),
    "order_line.resumed": (gettext_lazy("goes on"), "go"),
    "order_line.waiting": (gettext_lazy("waits for the customer"), "warn"),
    "order_line.fell_out": (gettext_lazy("fell out"), "bad"),
    "order_line.mended": (gettext_lazy("mended"), "go"),
    "order_line.delivered": (gettext_lazy("delivered"), "good"),
    "order_line.completed": (gettext_lazy("completed as promised"), "good"),
    "order_line.cancelling": ("", ""),
    "order_line.cancelled": (gettext_lazy("cancelled"), ""),
    "task.ready": ("", ""),
    "task.claimed": (gettext_lazy("claimed"), "go"),
    "task.released": (gettext_lazy("released"), ""),
    "task.done": (gettext_lazy("done"), "good"),
    "task.failed": (gettext_lazy("failed"), "warn"),
    "task.fell_out": ("", ""),
    "task.cancelled": ("", ""),
    "task.skipped": (gettext_lazy("skipped"), ""),
    "task.retried": (gettext_lazy("tried again"), "go"),
    "evidence.refused": (gettext_lazy("what was delivered is not what was promised"), "bad"),
    "subscription.items_started": (gettext_lazy("Subscription started"), "good"),
    "subscription.started": ("", ""),
    "promise.opened": (gettext_lazy("Promise opened"), ""),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened."""

    text: str
    at: datetime
    who: str
    tone: str


def entries(events: Iterable[Event], lines: dict[int, str], tasks: dict[int, str]) -> list[Entry]:
    """Entries in the order of the events; `lines` and `tasks` name the subjects by their keys."""
    found = (_entry(event, lines, tasks) for event in events)
    return [entry for entry in found if entry.text]


def _entry(event: Event, lines: dict[int, str], tasks: dict[int, str]) -> Entry:
    words, tone = WORDS.get(event.name, (event.name, ""))
    text = str(words)
    subject = _subject(event, lines, tasks)
    if text and subject:
        text = _("%(subject)s: %(what)s") % {"subject": subject, "what": text}
    if text and (reason := event.facts.get("reason")):
        text = _("%(what)s (%(reason)s)") % {"what": text, "reason": reason}
    return Entry(text, event.at, str(event.actor or ""), tone)


def _subject(event: Event, lines: dict[int, str], tasks: dict[int, str]) -> str:
    if event.subject_type == "orders.orderline":
        return lines.get(event.subject_id, "")
    if event.subject_type == "orders.task":
        return tasks.get(event.subject_id) or str(event.facts.get("task", ""))
    return ""
