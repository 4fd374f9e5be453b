"""Correct an event by hand: an event of its own source replaces it or takes it back."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from o2b import events
from o2b.catalog.models import Meter
from o2b.errors import Invalid, Refused
from subscriptions.models import UsageCorrection, UsageEvent, UsageKey, UsageKind, UsageTotal
from subscriptions.usage.rules.answers import PENDING, REJECTED
from subscriptions.usage.rules.told import Told
from subscriptions.usage.services.dismissing import checked_reason
from subscriptions.usage.services.taking import take_usage

MOST_TRIES = 100


class NotCorrectable(Refused):
    """It was corrected already, or is itself a retraction."""

    code = "not_correctable"


class CorrectionRefused(Invalid):
    """The meter does not take such a value."""

    code = "correction_refused"


class _Undone(Exception):
    """Rolls a trial back."""


@dataclass(frozen=True, slots=True)
class Amended:
    """What became of the total of the event's day; `key` is the id of the event that corrects.

    `value` is the new one, None where the event is taken back.
    """

    key: str
    old: Decimal
    value: Decimal | None
    total_before: Decimal
    total_after: Decimal


@transaction.atomic
def correct_event(
    *, event_id: int, value: Decimal | None, reason: str, user_id: int, at: datetime
) -> Amended:
    """Replace the event's value, or without one take it back; both events stay.

    The event that corrects is called <id>~r1, ~r2, … of the same source, and has the same time.
    """
    why = checked_reason(reason)
    found = UsageEvent.objects.get(pk=event_id)
    amended = _amend(found, value, at)
    events.record(
        "usage_event.corrected",
        found,
        at=at,
        actor_id=user_id,
        source=found.source,
        id=found.key,
        by=amended.key,
        reason=why,
    )
    return amended


def try_correction(*, event_id: int, value: Decimal | None, at: datetime) -> Amended:
    """What a correction would do: it is done and taken back at once, so that nothing is written."""
    found = UsageEvent.objects.get(pk=event_id)
    try:
        with transaction.atomic():
            amended = _amend(found, value, at)
            raise _Undone
    except _Undone:
        return amended


def _amend(event: UsageEvent, value: Decimal | None, at: datetime) -> Amended:
    if event.kind == UsageKind.RETRACTS:
        raise NotCorrectable(_("A retraction cannot be corrected; send the usage anew."))
    if UsageCorrection.objects.filter(pk=event.pk).exists():
        raise NotCorrectable(_("The event is corrected already; correct the one in its place."))
    told = Told(
        id=_free_key(event),
        source=event.source,
        meter=Meter.objects.get(pk=event.meter_id).code,
        subject=event.subject,
        time=event.at,
        value=value,
        properties=event.properties,
        replaces="" if value is None else event.key,
        retracts=event.key if value is None else "",
    )
    before = _total(event)
    answer = take_usage([told], at=at, keep_refused=False).answers[0]
    if answer.status == REJECTED:
        raise CorrectionRefused(answer.message, field=_field(answer.field), reason=answer.code)
    if answer.status == PENDING:
        raise NotCorrectable(
            _("Nobody has the subject of the event any more, so that no event can take its place.")
        )
    return Amended(told.id, event.value, value, before, _total(event))


def _free_key(event: UsageEvent) -> str:
    """The first id of this kind that its source has not used."""
    stem = event.key.rpartition("~r")[0] if _numbered(event.key) else event.key
    names = [f"{stem}~r{n}" for n in range(1, MOST_TRIES)]
    used = set(
        UsageKey.objects.filter(source=event.source, key__in=names).values_list("key", flat=True)
    )
    key = next((name for name in names if name not in used), "")
    if not key:
        raise NotCorrectable(_("It was corrected too often; send the correction by REST."))
    return key


def _numbered(key: str) -> bool:
    stem, mark, number = key.rpartition("~r")
    return bool(stem and mark and number.isascii() and number.isdigit())


def _field(field: str) -> str | None:
    return "value" if field in ("value", "unit") else None


def _total(event: UsageEvent) -> Decimal:
    """What the totals of its service, meter, day and part hold now."""
    total = UsageTotal.objects.filter(
        service_id=event.service_id, meter_id=event.meter_id, day=event.day, part=event.part
    ).values_list("quantity", flat=True)
    return total.first() or Decimal(0)
