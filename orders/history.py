"""An order's events as entries of a timeline."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from o2b.models import Event
from o2b.web.show import day_text

# event -> (words, tone); no words where another event of the same moment says it better
WORDS: dict[str, tuple[str | Promise, str]] = {
    "order.placed": (gettext_lazy("Order placed"), "go"),
    "change_order.placed": (gettext_lazy("Change ordered and carried out"), "good"),
    "order.woken": ("", ""),
    "order.reprioritised": (gettext_lazy("Priority changed"), ""),
    "order.po_numbered": (gettext_lazy("The customer’s order number was noted"), ""),
    "order.rescheduled": (gettext_lazy("Day of work changed"), ""),
    "order_line.scheduled": ("", ""),
    "order_line.began": (gettext_lazy("work has begun"), "go"),
    "order_line.held": (gettext_lazy("held"), "warn"),
    "order_line.resumed": (gettext_lazy("goes on"), "go"),
    "order_line.waiting": (gettext_lazy("waits for the customer"), "warn"),
    "order_line.fell_out": (gettext_lazy("fell out"), "bad"),
    "order_line.mended": (gettext_lazy("mended"), "go"),
    "order_line.delivered": (gettext_lazy("delivered"), "good"),
    "order_line.part_delivered": ("", ""),
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
    "task.assigned": (gettext_lazy("given to somebody"), "go"),
    "task.reprioritised": ("", ""),
    "task.ticked": ("", ""),
    "task.file_added": (gettext_lazy("a file was added"), ""),
    "task.commented": (gettext_lazy("comment"), ""),
    "task.part_delivered": (gettext_lazy("a part was delivered"), "good"),
    "task.taken_by_hand": (gettext_lazy("taken by hand"), "go"),
    "task.edited": (gettext_lazy("asked differently"), ""),
    "task.callback_ignored": (gettext_lazy("a late call-back was not taken"), "warn"),
    "order_line.went_without": (gettext_lazy("goes on without what was given up"), "go"),
    "order.commented": (gettext_lazy("Comment"), ""),
    "approval.asked": (gettext_lazy("approval asked"), "warn"),
    "approval.granted": (gettext_lazy("approval granted"), "good"),
    "approval.refused": (gettext_lazy("approval refused"), "bad"),
    "approval.withdrawn": (gettext_lazy("approval question taken back"), ""),
    "licence.to_mail": ("", ""),
    "licence.mailed": (gettext_lazy("the licence key was mailed"), "go"),
    "licence.shown": (gettext_lazy("the licence key was shown"), ""),
    "licence.revoked": (gettext_lazy("A licence key was revoked"), "warn"),
    "purchase.sent": (gettext_lazy("Ordered of the vendor"), "go"),
    "purchase.put_off": (gettext_lazy("The vendor delivers on another day"), "warn"),
    "purchase.partly_received": (gettext_lazy("A part arrived from the vendor"), "go"),
    "purchase.received": (gettext_lazy("All arrived from the vendor"), "good"),
    "purchase.cancelled": (gettext_lazy("The vendor's order was cancelled"), "warn"),
    "appointment.wanted": (gettext_lazy("A visit is to be arranged"), ""),
    "appointment.arranged": (gettext_lazy("A visit was arranged"), "go"),
    "appointment.kept": (gettext_lazy("The visit took place"), "good"),
    "appointment.missed": (gettext_lazy("The visit was missed"), "warn"),
    "appointment.cancelled": (gettext_lazy("The visit was called off"), ""),
    "evidence.refused": (gettext_lazy("what was delivered is not what was promised"), "bad"),
    "subscription.items_started": (gettext_lazy("Subscription started"), "good"),
    "subscription.started": ("", ""),
    "promise.opened": (gettext_lazy("Promise opened"), ""),
    "task.amber": (gettext_lazy("in danger"), "warn"),
    "task.red": (gettext_lazy("late"), "bad"),
    "task.escalated": (gettext_lazy("escalated"), "warn"),
    "order.promised": (gettext_lazy("Promised for %(day)s"), "go"),
    "order.forecast": (gettext_lazy("Forecast: %(day)s"), ""),
    "order.amber": (gettext_lazy("The promised day is in danger"), "warn"),
    "order.red": (gettext_lazy("The promised day will be missed"), "bad"),
    "order.question_asked": (gettext_lazy("The customer asks something"), "warn"),
    "order.question_answered": (gettext_lazy("The customer’s question is answered"), "good"),
    "complaint.opened": (gettext_lazy("Complaint opened"), "bad"),
    "complaint.taken": (gettext_lazy("Complaint taken in hand"), "go"),
    "complaint.handed_over": (gettext_lazy("Complaint handed over"), ""),
    "complaint.overdue": (gettext_lazy("Complaint overdue"), "bad"),
    "complaint.resolved": (gettext_lazy("Complaint resolved"), "good"),
    "complaint.reopened": (gettext_lazy("Complaint opened again"), "warn"),
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
    if "%(day)s" in text:
        on = event.facts.get("on")
        text = text % {"day": day_text(date.fromisoformat(on) if on else None)}
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
