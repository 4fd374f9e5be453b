"""An item of the install base as pages show it: on its day, with its place and its serials."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from o2b.web.show import day_text
from subscriptions.installbase.rules import in_short, is_licence, place_of
from subscriptions.installbase.selectors import Whole
from subscriptions.models import Equipment, ItemVersion, ServiceState, Standing

S = ServiceState

# event of an item → (words, tone)
WORDS: dict[str, tuple[str | Promise, str]] = {
    "item.changed": (gettext_lazy("Changed"), "go"),
    "item.activated": (gettext_lazy("In use"), "good"),
    "item.suspended": (gettext_lazy("Suspended"), "warn"),
    "item.resumed": (gettext_lazy("In use again"), "good"),
    "item.transferred": (gettext_lazy("Passed on to another account"), "go"),
    "item.ended": (gettext_lazy("Ended"), ""),
}


def version_of(item: Any) -> ItemVersion | None:
    """The version on the item's day; before and after service its first or its last."""
    then = version_on(item)
    if then is not None or not item.believed:
        return then
    begun = [v for v in item.believed if v.valid.lower is None or v.valid.lower <= item.day]
    return begun[-1] if begun else item.believed[0]


def version_on(item: Any) -> ItemVersion | None:
    """The version that holds on the item's day, if it is in service then."""
    return next((v for v in item.believed if item.day in v.valid), None)


def product_of(item: Any) -> str:
    return _what(item).product.name


def number_of(item: Any) -> str:
    """'S-3.7 · version 2'."""
    told = {"item": item.number, "n": _what(item).number}
    return _("%(item)s · version %(n)s") % told


def _what(item: Any) -> Any:
    version = version_of(item)
    return version.product_version if version else item.product_version


def code_of(item: Any) -> str:
    return str(_what(item).product.code)


def version_number_of(item: Any) -> int:
    return int(_what(item).number)


def quantity_of(item: Any) -> Any:
    """How many on the day; nothing outside of service."""
    version = version_on(item)
    return version.quantity.normalize() if version else None


def state_of(item: Any) -> str:
    """How it stands on its day."""
    version = version_on(item)
    if version is not None:
        return S.SUSPENDED if version.standing == Standing.SUSPENDED else S.ACTIVE
    first = item.believed[0].valid.lower if item.believed else None
    return S.PENDING if first is not None and item.day < first else S.ENDED


def since_of(item: Any) -> date | None:
    return item.believed[0].valid.lower if item.believed else item.started_on


def until_of(item: Any) -> date | None:
    """The first day out of service, where one is known."""
    return item.believed[-1].valid.upper if item.believed else item.ended_on


def terms_of(item: Any) -> str:
    version = version_of(item)
    return str(version.terms) if version else ""


def place_shown(item: Any) -> str:
    """Where it stands: as the newest of its order lines says, else where the account is."""
    return place_of(characteristics_of(item)) or ", ".join(item.account.address.split("\n"))


def characteristics_of(item: Any) -> Mapping[str, Any]:
    """How it was ordered, by the lines that describe the version of its day."""
    version = version_of(item)
    if version is not None and version.described is not None:
        return dict(version.described)
    line = version.order_line if version else None
    return (line or item.order_line).characteristics


def pieces_of(item: Any) -> list[Equipment]:
    return list((item.root or item).equipment.all())


def serials_of(item: Any) -> list[str]:
    serials = [piece.serial for piece in pieces_of(item)] or [item.serial] * bool(item.serial)
    return sorted(serials, key=is_licence)


def serials_shown(item: Any) -> str:
    return in_short(serials_of(item))


def all_serials(item: Any) -> str:
    return ", ".join(serials_of(item))


def what_serials_are(item: Any) -> str:
    """'equipment' where pieces stand, 'licence' where keys were given, or both."""
    kinds = {is_licence(serial) for serial in serials_of(item)}
    words = {False: _("equipment"), True: _("licence")}
    return ", ".join(words[kind] for kind in sorted(kinds))


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened to an item."""

    text: str
    at: datetime
    who: str = ""
    tone: str = ""
    url: str = ""


def history_of(whole: Whole) -> list[Entry]:
    """Facts told and what came of them, the newest first; a fact says which order told it."""
    told = [
        Entry(
            _told(change),
            change.recorded_at,
            tone="go",
            url=change.order_line.order.get_absolute_url(),
        )
        for change in whole.changes
    ]
    happened = [
        Entry(str(WORDS[event.name][0]), event.at, str(event.actor or ""), WORDS[event.name][1])
        for event in whole.events
        if event.name in WORDS and event.name != "item.changed"
    ]
    return sorted([*told, *happened], key=lambda entry: entry.at, reverse=True)


def _told(change: Any) -> str:
    """'suspended from 4 Nov 2026 (unpaid)'."""
    words = _("%(what)s from %(day)s, by %(line)s") % {
        "what": change.get_act_display(),
        "day": day_text(change.on),
        "line": change.order_line,
    }
    text = words[:1].upper() + words[1:]
    reason = change.reason
    return _("%(what)s (%(reason)s)") % {"what": text, "reason": reason} if reason else text


def others_of(pieces: Iterable[Equipment], item: Any) -> list[tuple[Equipment, int | None]]:
    """Pieces, each with its version's number where it is another one than the item's."""
    own = _what(item).pk
    return [
        (piece, None if piece.product_version_id == own else piece.product_version.number)
        for piece in pieces
    ]
