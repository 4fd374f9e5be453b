"""Who hears that something is asked of them, and what came of what they asked."""

from collections.abc import Iterable
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from o2b.people.groups import ADMINISTRATOR
from o2b.people.models import Topic, User
from o2b.people.notices.services import tell
from orders.models import Approval

MOST_TOLD = 50


def tell_asked(asked: Approval) -> None:
    """Tell who was asked; else everybody who may approve work, but who asks."""
    title = _("Approval asked: %(what)s, O-%(order)s")
    tell(
        user_ids=_deciders(asked),
        topic=Topic.APPROVAL,
        key=f"approval-{asked.pk}",
        title=title % {"what": asked.get_kind_display(), "order": asked.order_id},
        text=asked.reason,
        url=reverse("orders:approvals"),
        tone="go",
        at=asked.asked_at,
    )


def tell_answer(approval: Approval, at: datetime) -> None:
    """Tell who asked what was answered."""
    if approval.asked_by_id is None:
        return
    title = _("Your question is %(answered)s: %(what)s, O-%(order)s")
    told = {
        "answered": approval.get_state_display(),
        "what": approval.get_kind_display(),
        "order": approval.order_id,
    }
    task = approval.task_id
    tell(
        user_ids=[approval.asked_by_id],
        topic=Topic.APPROVAL,
        key=f"approval-{approval.pk}-answered",
        title=title % told,
        text=approval.answer,
        url=reverse("orders:task", args=[task]) if task else reverse("orders:approvals"),
        tone="good" if approval.state == Approval.State.GRANTED else "bad",
        at=at,
    )


def _deciders(asked: Approval) -> Iterable[int]:
    if asked.of_whom_id is not None and asked.of_whom_id != asked.asked_by_id:
        return [asked.of_whom_id]
    if asked.of_whom_id is not None:
        # The advocate asks for themselves: an administrator is the second person.
        people = User.objects.filter(groups__name=ADMINISTRATOR, is_active=True)
    else:
        people = User.objects.with_perm("orders.approve_work", include_superusers=False)
    return (
        people.exclude(pk=asked.asked_by_id or 0)
        .order_by("pk")
        .values_list("pk", flat=True)[:MOST_TOLD]
    )
