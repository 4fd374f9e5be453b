"""A quote's events as entries of a timeline."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from o2b.models import Event

# event -> (words, tone)
WORDS: dict[str, tuple[str | Promise, str]] = {
    "quote.drafted": (gettext_lazy("Drafted"), ""),
    "quote.sent": (gettext_lazy("Sent; terms and prices are frozen"), "go"),
    "quote.accepted": (gettext_lazy("Accepted"), "good"),
    "quote.declined": (gettext_lazy("Declined"), "bad"),
    "quote.expired": (gettext_lazy("Expired"), "warn"),
    "quote.withdrawn": (gettext_lazy("Withdrawn"), ""),
    "quote.superseded": (gettext_lazy("Superseded by a new version"), ""),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened."""

    text: str
    at: datetime
    who: str
    tone: str


def entries(events: Iterable[Event]) -> list[Entry]:
    return [_entry(event) for event in events]


def _entry(event: Event) -> Entry:
    words, tone = WORDS.get(event.name, (event.name, ""))
    text = str(words)
    if reason := event.facts.get("reason"):
        text = _("%(what)s: %(reason)s") % {"what": text, "reason": reason}
    actor = str(event.actor) if event.actor else ""
    who = str(event.facts.get("by") or actor)
    if actor and who != actor:
        who = _("%(who)s, by %(actor)s") % {"who": who, "actor": actor}
    return Entry(text, event.at, who, tone)
