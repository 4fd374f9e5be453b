"""A complaint's events as entries of its timeline."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from o2b.models import Event
from orders.history import WORDS, Entry


def entries(events: Iterable[Event]) -> list[Entry]:
    """What happened to a complaint, in the order of the events."""
    return [_entry(event) for event in events]


def _entry(event: Event) -> Entry:
    words, tone = WORDS.get(event.name, (event.name, ""))
    text = str(words)
    if said := event.facts.get("reason"):
        text = _("%(what)s (%(reason)s)") % {"what": text, "reason": said}
    elif to := event.facts.get("to"):
        text = _("%(what)s to %(who)s") % {"what": text, "who": to}
    return Entry(text, event.at, str(event.actor or ""), tone)
