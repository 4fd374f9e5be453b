"""What must hold before a run is approved: its equations, its rows, and who has looked at what."""

from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.models import BillRun, ParkedAccount
from billing.runs.selectors.looking import unlooked
from billing.runs.selectors.progress import Counts, counts_of, rows_of
from billing.runs.selectors.rules import rules_of
from o2b.errors import Refused
from o2b.web.show import moment_text


class RunNotReady(Refused):
    code = "run_not_ready"


class RunIncomplete(Refused):
    code = "run_incomplete"


class RetriesPending(Refused):
    code = "retries_pending"


class AdvocatesLooking(Refused):
    code = "advocates_looking"


def refuse_unready(run: BillRun, *, at: datetime) -> None:
    """Refuse what is incomplete, still being drafted again, or still looked at by advocates."""
    pending = ParkedAccount.objects.filter(run=run, retry_asked_at__isnull=False).count()
    if pending:
        text = ngettext(
            "%(n)s account is being drafted again; wait for it.",
            "%(n)s accounts are being drafted again; wait for them.",
            pending,
        )
        raise RetriesPending(text % {"n": pending})
    counts = counts_of(run_id=run.pk)
    if not counts.holds:
        raise RunIncomplete(_unequal(counts))
    if not rows_of(run_id=run.pk).agree_with(counts):
        raise RunIncomplete(_("What was counted is not what was drafted; cancel this run."))
    until = waits_until(run)
    if until is not None and at < until and (waiting := unlooked(run_id=run.pk)):
        text = ngettext(
            "%(n)s bill waits for its advocate; it can be approved without a word from %(when)s.",
            "%(n)s bills wait for their advocates; they can be approved without a word from "
            "%(when)s.",
            waiting,
        )
        told = {"n": waiting, "when": moment_text(until)}
        raise AdvocatesLooking(text % told, until=until.isoformat())


def waits_until(run: BillRun) -> datetime | None:
    """Until when approval waits for advocates, if the legal entity wants it to wait at all."""
    hours = 0 if run.is_reversal else rules_of(run.legal_entity_id).advocate_hours
    if not hours or run.drafted_at is None:
        return None
    return run.drafted_at + timedelta(hours=hours)


def _unequal(counts: Counts) -> str:
    if counts.drafted != counts.to_finalise + counts.set_aside:
        text = _(
            "%(drafted)s drafted accounts are not %(final)s to finalise and %(aside)s set aside."
        )
        return text % {
            "drafted": counts.drafted,
            "final": counts.to_finalise,
            "aside": counts.set_aside,
        }
    text = _(
        "%(looked_at)s accounts are not %(drafted)s drafted, %(nothing)s with nothing due, "
        "%(carried)s carried over and %(parked)s parked."
    )
    return text % {
        "looked_at": counts.looked_at,
        "drafted": counts.drafted,
        "nothing": counts.nothing_due,
        "carried": counts.carried,
        "parked": counts.parked,
    }
