"""Give up an event that waits: it is refused for good, and its key stays taken."""

import json
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from o2b import events
from o2b.errors import Invalid
from subscriptions.models import UsageKind, UsagePending, UsageRejected
from subscriptions.models.usage import DISMISSED

LONGEST_REASON = 400


class ReasonMissing(Invalid):
    code = "reason_missing"


def checked_reason(reason: str) -> str:
    """Why somebody mends usage, in words; raises ReasonMissing."""
    text = " ".join(reason.split())[:LONGEST_REASON]
    if not text:
        raise ReasonMissing(_("Say why."), field="reason")
    return text


@transaction.atomic
def dismiss_pending(*, pending_id: int, reason: str, user_id: int, at: datetime) -> UsageRejected:
    """One that waited counts never: it stands with the refused ones from the moment it came.

    Whoever sends it again hears that it is a duplicate.
    """
    why = checked_reason(reason)
    row = UsagePending.objects.select_for_update().get(pk=pending_id)
    refused = UsageRejected.objects.create(
        source=row.source,
        key=row.key,
        code=DISMISSED,
        field="",
        message=why,
        told=told_of(row),
        recorded_at=row.recorded_at,
        settled_at=at,
    )
    events.record(
        "usage_pending.dismissed",
        row,
        at=at,
        actor_id=user_id,
        source=row.source,
        id=row.key,
        reason=why,
    )
    row.delete()
    return refused


def told_of(row: UsagePending) -> str:
    """The event as it could have been sent."""
    said = {
        "id": row.key,
        "source": row.source,
        "meter": row.meter,
        "subject": row.subject,
        "account": row.account,
        "time": row.at.isoformat(),
        "value": None if row.kind == UsageKind.RETRACTS else f"{row.value.normalize():f}",
        "properties": row.properties,
        "replaces": row.corrects if row.kind == UsageKind.REPLACES else "",
        "retracts": row.corrects if row.kind == UsageKind.RETRACTS else "",
    }
    return json.dumps({n: v for n, v in said.items() if v not in ("", None)}, ensure_ascii=False)
