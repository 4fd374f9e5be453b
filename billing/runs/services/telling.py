"""Advocates hear, before approval, which first and changed bills a run would send."""

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.models import BillRun
from billing.runs.selectors.looking import looks_of
from o2b.people.models import Topic
from o2b.people.notices.services import Note, tell_many


def tell_advocates(*, run_id: int) -> int:
    """One notice an advocate, with the way to the bills; how many were told."""
    run = BillRun.objects.get(pk=run_id)
    if run.state != BillRun.State.TO_APPROVE or run.drafted_at is None or run.is_reversal:
        return 0
    return tell_many(
        [
            Note(
                user_ids=[each.advocate_id],
                topic=Topic.APPROVAL,
                key=f"bills_to_look_at:{run.pk}",
                title=ngettext("%(n)s bill to look at", "%(n)s bills to look at", each.bills)
                % {"n": each.bills},
                text=_("First bills, and bills after a change, of %(run)s: look before they go.")
                % {"run": run.number},
                url=reverse("billing:run-looks", args=[run.pk]),
                at=run.drafted_at,
            )
            for each in looks_of(run_id=run_id)
        ]
    )
