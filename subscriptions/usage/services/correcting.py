"""Correct an event by another: replace it or take it back; both stay, the total follows."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import Q

from o2b.catalog.models import Meter
from subscriptions.models import (
    Item,
    UsageCorrection,
    UsageEvent,
    UsageKey,
    UsagePending,
    UsageSubject,
    Waiting,
)
from subscriptions.pools.services import BeyondLimit, hard_pools_hold
from subscriptions.pools.statements import REVISE_OF
from subscriptions.usage.rules.answers import ACCEPTED, DUPLICATE, PENDING
from subscriptions.usage.rules.judging import ADD, RETRACTS, SKEW, Judged, Rejection
from subscriptions.usage.statements import ADD_TO_TOTALS, NEXT_BATCH, WHOSE
from subscriptions.usage.statements.correcting import (
    CLAIM,
    CORRECT,
    LOCK_TOTAL,
    MARK,
    ONE,
    RECOUNT_ONE,
    STORE,
    SUBTRACT,
)


class _Refused(Exception):
    """Rolls back to the savepoint, with the reason."""

    def __init__(self, why: Rejection) -> None:
        super().__init__(why.code)
        self.why = why


class _Home(NamedTuple):
    """Whose usage it is, on which day."""

    service: int
    day: date
    moment: str


def take_correction(told: Judged, *, at: datetime) -> Rejection | tuple[str, str]:
    """Claim the id and correct; (status, why it waits), or why it is refused. In a transaction."""
    try:
        with transaction.atomic():
            event_id = _claim(told)
            if event_id is None:
                return DUPLICATE, ""
            waits = _apply(told, event_id, at)
            if waits:
                _wait(told, event_id, waits)
                return PENDING, waits
            return ACCEPTED, ""
    except _Refused as refused:
        return refused.why


@transaction.atomic
def retry_correction(pending_id: int, *, at: datetime) -> int:
    """One that waited: 1 if it counts now, else 0. What cannot count any more stays and says so."""
    row = UsagePending.objects.select_for_update(skip_locked=True).filter(pk=pending_id).first()
    if row is None:
        return 0
    told = Judged(
        *(row.source, row.key, row.kind, row.meter_id, row.meter, row.subject, row.account),
        *(row.at, row.value, row.amount, row.part, row.how, row.timed, row.corrects),
        row.properties,
    )
    try:
        with transaction.atomic():
            waits = _apply(told, row.pk, at, received_on=row.recorded_at.astimezone(UTC).date())
    except _Refused as refused:
        waits = refused.why.code
    if not waits:
        row.delete()
        return 1
    if waits != row.reason:
        UsagePending.objects.filter(pk=row.pk).update(reason=waits)
    return 0


def _claim(told: Judged) -> int | None:
    """The id of the event to be; None if (source, id) is taken."""
    with connection.cursor() as cursor:
        cursor.execute(NEXT_BATCH)
        event_id: int = cursor.fetchone()[0]
        cursor.execute(CLAIM, _values(told) | {"event": event_id})
        return event_id if cursor.rowcount else None


def _apply(told: Judged, event_id: int, at: datetime, *, received_on: date | None = None) -> str:
    """Write the correction; nothing, and why it waits, if it cannot be yet."""
    # First what is wrong whatever it corrects: that would not become better by waiting.
    home = None if told.kind == RETRACTS else _whose(told, at)
    corrected = _counted(told.source, told.corrects)
    if corrected is None:
        return Waiting.UNKNOWN_EVENT
    if corrected.kind == RETRACTS:
        raise _Refused(Rejection("of_a_retraction", _field(told)))
    if told.account and told.account not in _accounts(corrected):
        raise _Refused(Rejection("other_account", "account"))
    if isinstance(home, str):
        return home
    home = home or _Home(corrected.service_id, corrected.day, "")
    meter_id = told.meter_id or corrected.meter_id
    touched = sorted({(corrected.service_id, corrected.meter_id), (home.service, meter_id)})
    try:
        with hard_pools_hold(*_drawn_by(touched)):
            _write(told, event_id, corrected, home, touched, received_on)
    except BeyondLimit:
        raise _Refused(Rejection("beyond_limit", "value")) from None
    return ""


def _drawn_by(touched: Sequence[tuple[int, int]]) -> tuple[set[int], set[str]]:
    """The services and the codes of the meters."""
    meters = Meter.objects.filter(pk__in={meter_id for _, meter_id in touched})
    return {service for service, _ in touched}, set(meters.values_list("code", flat=True))


def _write(
    told: Judged,
    event_id: int,
    corrected: UsageEvent,
    home: _Home,
    touched: Sequence[tuple[int, int]],
    received_on: date | None,
) -> None:
    """The event, its place in the totals and the other's out of them."""
    with connection.cursor() as cursor:
        cursor.execute(CORRECT, [corrected.pk, event_id])
        if not cursor.rowcount:
            by = UsageCorrection.objects.get(pk=corrected.pk).event_id
            key = UsageEvent.objects.filter(pk=by).values_list("key", flat=True).first() or ""
            raise _Refused(Rejection("already_corrected", _field(told), key))
        # Marks and pools before totals, as batches have it.
        marked = [list(column) for column in zip(*touched, strict=True)]
        cursor.execute(MARK, marked)
        cursor.execute(REVISE_OF, marked)
        _take_out(cursor, corrected)
        new = _values(told) | {
            "event": event_id,
            "received_on": received_on,
            "corrected": corrected.pk,
            "service": home.service,
            "day": home.day,
            "part": told.part + home.moment,
            "meter_id": told.meter_id or corrected.meter_id,
        }
        cursor.execute(STORE, new)
        if told.kind != RETRACTS:
            cursor.execute(ADD_TO_TOTALS.format(events=ONE), new)


def _counted(source: str, key: str) -> UsageEvent | None:
    """The event of this id, if it is counted; its partition is told by its key."""
    known = UsageKey.objects.filter(source=source, key=key).first()
    if known is None:
        return None
    return UsageEvent.objects.filter(pk=known.event_id).first()


def _accounts(event: UsageEvent) -> set[str]:
    """References of who has the service of an event on its day.

    Where it is not sold by any meter on that day any more: of whoever has or had it.
    """
    subjects = UsageSubject.objects.filter(
        Q(ends_on=None) | Q(ends_on__gt=event.day),
        service_id=event.service_id,
        begins_on__lte=event.day,
    )
    chain = Item.objects.filter(Q(pk=event.service_id) | Q(root_id=event.service_id))
    return set(subjects.values_list("account__reference", flat=True)) or set(
        chain.values_list("account__reference", flat=True)
    )


def _whose(told: Judged, at: datetime) -> _Home | str:
    """Where it counts, or why that is not known; raises _Refused."""
    with connection.cursor() as cursor:
        cursor.execute(WHOSE, _values(told) | {"now": at})
        service, other, zone, reference, now, day = cursor.fetchone()
        if told.at > (now or at) + SKEW:
            raise _Refused(Rejection("in_the_future", "time"))
        if service is None:
            return Waiting.UNKNOWN_SUBJECT
        if service != other:
            return Waiting.AMBIGUOUS_SUBJECT
        if told.account not in ("", reference):
            raise _Refused(Rejection("other_account", "account"))
        cursor.execute("SELECT to_char(%s AT TIME ZONE %s, '\"@\"HH24:MI:SS.US')", [told.at, zone])
        (moment,) = cursor.fetchone()
    return _Home(service, day, moment if told.timed else "")


def _take_out(cursor: Any, event: UsageEvent) -> None:
    """The total without this event, which is marked as corrected already."""
    of = {
        "service": event.service_id,
        "meter_id": event.meter_id,
        "day": event.day,
        "part": event.part,
        "amount": event.amount,
        "how": event.how,
    }
    cursor.execute(LOCK_TOTAL, of)
    cursor.execute(SUBTRACT if event.how == ADD else RECOUNT_ONE, of)


def _wait(told: Judged, event_id: int, reason: str) -> None:
    UsagePending.objects.create(
        id=event_id,
        source=told.source,
        key=told.key,
        kind=told.kind,
        meter_id=told.meter_id,
        meter=told.meter,
        subject=told.subject,
        account=told.account,
        at=told.at,
        value=told.value,
        amount=told.amount,
        part=told.part,
        how=told.how,
        timed=told.timed,
        corrects=told.corrects,
        properties=told.properties,
        reason=reason,
    )


def _field(told: Judged) -> str:
    return "retracts" if told.kind == RETRACTS else "replaces"


def _values(told: Judged) -> dict[str, Any]:
    values = told._asdict()
    values["properties"] = json.dumps(told.properties) if told.properties else None
    return values
