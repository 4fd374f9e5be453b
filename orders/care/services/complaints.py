"""Complaints are opened, taken in hand, handed over, resolved, opened again; and their clock."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext as _

from o2b import events, fsm
from o2b.customers.models import Account
from o2b.errors import Invalid, Refused
from o2b.people.models import Topic, User
from o2b.people.notices.services import Note, tell_many
from orders.care.selectors import who_hears
from orders.care.services.limits import (
    LONGEST_NAME,
    MOST_UNANSWERED,
    TooMany,
    check_day,
    lock_order,
    said,
)
from orders.models import Complaint, Order, OrderLine
from orders.rules.worktime import Calendar, add_working, knows_country, standard_hours

WORKING_DAY = 9 * 60
S = Complaint.State


class ComplaintNotReady(Refused):
    """The complaint stands where this is not done to it."""

    code = "complaint_not_ready"


class NotAPerson(Invalid):
    """Nobody who could answer a complaint."""

    code = "not_a_person"


@transaction.atomic
def open_complaint(
    *,
    line_id: int,
    text: str,
    source: str,
    at: datetime,
    name: str = "",
    about: str = "",
    actor_id: int | None = None,
) -> Complaint:
    """Something about a line is not as promised: the account's advocate owns it first."""
    what = said(text)
    from_outside = actor_id is None
    who = said(name, field="name", longest=LONGEST_NAME) if name or from_outside else ""
    of = OrderLine.objects.values_list("order_id", flat=True).get(pk=line_id)
    order = lock_order(of)
    line = OrderLine.objects.select_related("product_version__product").get(pk=line_id)
    if from_outside:
        _check_complaints(order, at)
    complaint = Complaint.objects.create(
        order=order,
        line=line,
        account=order.account,
        source=source,
        about=about.replace("\0", "").strip()[:80],
        name=who,
        text=what,
        owner=order.account.advocate,
        opened_at=at,
        due_at=due_at(order.account, at),
    )
    events.record("complaint.opened", complaint, at=at, actor_id=actor_id, source=source)
    note = _note(complaint, "opened", _("Complaint about %(line)s"), at)
    tell_many([replace(note, user_ids=set(note.user_ids) - {actor_id})])
    return complaint


def due_at(account: Account, at: datetime) -> datetime:
    """By when a complaint is to be resolved: working days where the account lives."""
    country = account.legal_entity.country
    calendar = Calendar.of(
        standard_hours(),
        time_zone=account.time_zone,
        country=country if knows_country(country) else "",
    )
    return add_working(at, settings.O2B_COMPLAINT_DAYS * WORKING_DAY, calendar)


@transaction.atomic
def take_complaint(*, complaint_id: int, at: datetime, actor_id: int) -> Complaint:
    """Somebody takes it in hand, and owns it from now on."""
    complaint = _lock(complaint_id)
    complaint.owner_id, complaint.taken_by_id = actor_id, actor_id
    fsm.apply(complaint, "take", at=at, refusal=ComplaintNotReady, actor_id=actor_id)
    return complaint


@transaction.atomic
def hand_over_complaint(*, complaint_id: int, to_id: int, at: datetime, actor_id: int) -> Complaint:
    """Let somebody else own it; they are told."""
    complaint = _lock(complaint_id)
    if complaint.state == S.RESOLVED:
        raise ComplaintNotReady(_("This complaint is resolved; open it again first."))
    to = who_hears().filter(pk=to_id).first()
    if to is None:
        raise NotAPerson(_("Choose somebody who hears complaints."), field="to")
    complaint.owner = to
    complaint.save(update_fields=["owner"])
    event = events.record(
        "complaint.handed_over", complaint, at=at, actor_id=actor_id, to=to.username
    )
    if to.pk != actor_id:
        title = _("You now own the complaint about %(line)s")
        tell_many([_note(complaint, f"handed:{event.pk}", title, at)])
    return complaint


@transaction.atomic
def resolve_complaint(
    *, complaint_id: int, resolution: str, at: datetime, actor_id: int
) -> Complaint:
    """It is settled, and how; the customer reads that on their page."""
    how = said(resolution, field="resolution")
    complaint = _lock(complaint_id)
    fsm.apply(
        complaint,
        "resolve",
        at=at,
        refusal=ComplaintNotReady,
        actor_id=actor_id,
        facts={"reason": how[:500]},
        by=actor_id,
        resolution=how,
    )
    return complaint


@transaction.atomic
def reopen_complaint(*, complaint_id: int, reason: str, at: datetime, actor_id: int) -> Complaint:
    """It was not settled after all: its clock runs anew, and its owner hears of it."""
    why = said(reason, field="reason")
    complaint = _lock(complaint_id)
    complaint.due_at, complaint.warned_at = due_at(complaint.account, at), None
    fsm.apply(
        complaint,
        "reopen",
        at=at,
        refusal=ComplaintNotReady,
        actor_id=actor_id,
        facts={"reason": why[:500]},
    )
    title = _("Complaint about %(line)s is open again")
    key = f"reopened:{int(at.timestamp())}"
    tell_many([_note(complaint, key, title, at, text=why)])
    return complaint


@transaction.atomic
def warn_overdue(*, machine_now: datetime, limit: int = 500) -> int:
    """Complaints whose clock ran out: news once; to the owner, the advocate and the order leads."""
    # Annotated first: a filter would join the clock as if every account had one.
    its_now = Coalesce(F("account__test_clock__now"), Value(machine_now))
    late = list(
        Complaint.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
        .annotate(its_now=its_now)
        .filter(warned_at=None, due_at__lte=F("its_now"))
        .exclude(state=S.RESOLVED)
        .select_related("account__test_clock", "line__product_version__product", "order")
        .order_by("pk")[:limit]
    )
    if not late:
        return 0
    leads = list(
        User.objects.with_perm(
            "orders.manage_work",
            include_superusers=False,
            backend="django.contrib.auth.backends.ModelBackend",
        ).values_list("pk", flat=True)
    )
    title = _("Complaint about %(line)s is overdue")
    notes = []
    for moment, complaints in _by_moment(late, machine_now).items():
        Complaint.objects.filter(pk__in=[c.pk for c in complaints]).update(warned_at=moment)
        events.record_many("complaint.overdue", complaints, at=moment)
        notes += [
            _note(c, f"overdue:{int(c.due_at.timestamp())}", title, moment, *leads, tone="bad")
            for c in complaints
        ]
    tell_many(notes)
    return len(late)


def _by_moment(late: Sequence[Complaint], machine_now: datetime) -> dict[datetime, list[Complaint]]:
    found: dict[datetime, list[Complaint]] = {}
    for complaint in late:
        found.setdefault(complaint.account.test_now or machine_now, []).append(complaint)
    return found


def _note(
    complaint: Complaint,
    news: str,
    title: str,
    at: datetime,
    *others: int,
    text: str = "",
    tone: str = "warn",
) -> Note:
    """News of a complaint to its owner, its account's advocate, and others."""
    product = complaint.line.product_version.product
    return Note(
        user_ids={complaint.owner_id, complaint.account.advocate_id, *others},
        topic=Topic.COMPLAINT,
        key=f"complaint:{complaint.pk}:{news}",
        title=title % {"line": f"{complaint.line} {product}"},
        text=f"{complaint.account}\n{text or complaint.text}",
        url=reverse("orders:complaint", args=[complaint.pk]),
        tone=tone,
        at=at,
    )


def _lock(complaint_id: int) -> Complaint:
    related = ("account__legal_entity", "line__product_version__product", "order")
    locked = Complaint.objects.select_for_update(of=("self",), no_key=True).select_related(*related)
    return locked.get(pk=complaint_id)


def _check_complaints(order: Order, at: datetime) -> None:
    theirs = Complaint.objects.filter(order=order, source=Complaint.Source.TRACKING)
    if theirs.exclude(state=S.RESOLVED).count() >= MOST_UNANSWERED:
        raise TooMany(_("Several of your complaints are still in our hands. Please wait for that."))
    check_day(theirs.filter(opened_at__gt=at - timedelta(days=1)).count())
