"""Notices on their way as mail: leased row by row, sent outside any transaction, tried again."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from o2b.people.models import Notice
from o2b.people.notices.gateways import BrokenOff, Letter, ServerAway, post

AT_ONCE = 500
LEASE = timedelta(minutes=2)
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(minutes=15)
GIVEN_UP_AFTER = timedelta(days=2)
MOST_IN_A_LETTER = 50


@dataclass(frozen=True, slots=True)
class Parcel:
    """All that waits for one person, as one letter."""

    notices: Sequence[Notice]
    letter: Letter


def mail_waiting(*, machine_now: datetime, user_ids: Collection[int] | None = None) -> int:
    """Mail what waits, to these people or to all; how many letters went out.

    What the server refuses, or does not answer to, waits twice as long each time; meanwhile what
    comes after for the same person waits with it, and goes out together with it.
    """
    left = [_pack(notices) for notices in _take(machine_now, user_ids)]
    sent = 0
    try:
        for fault in post([parcel.letter for parcel in left]):
            parcel = left.pop(0)
            if fault:
                _fail([parcel], fault, machine_now)
            else:
                _sent(parcel, machine_now)
                sent += 1
    except ServerAway as away:
        _fail(left, str(away), machine_now)
        left = []
    except BrokenOff as broken:
        _fail([left.pop(0)], str(broken), machine_now)
    _let_go(left)
    return sent


def _take(machine_now: datetime, user_ids: Collection[int] | None) -> list[list[Notice]]:
    """Lease what is due, by person; a person for whom something is under way or failed waits."""
    waiting = Notice.objects.filter(
        by_mail=True, mailed_at=None, recorded_at__gt=machine_now - GIVEN_UP_AFTER
    )
    held = waiting.filter(user=OuterRef("user"), mail_after__gt=machine_now)
    due = waiting.filter(Q(mail_after=None) | Q(mail_after__lte=machine_now)).filter(~Exists(held))
    if user_ids is not None:
        due = due.filter(user__in=user_ids)
    with transaction.atomic():
        rows = list(
            due.select_for_update(skip_locked=True, of=("self",))
            .select_related("user")
            .order_by("pk")[:AT_ONCE]
        )
        _rows(rows).update(mail_after=machine_now + LEASE)
    by_user: dict[int, list[Notice]] = {}
    for notice in rows:
        by_user.setdefault(notice.user_id, []).append(notice)
    return list(by_user.values())


def _rows(notices: Sequence[Notice]) -> QuerySet[Notice]:
    return Notice.objects.filter(pk__in=[notice.pk for notice in notices])


def _sent(parcel: Parcel, at: datetime) -> None:
    _rows(parcel.notices).update(mailed_at=at, mail_after=None, mail_error="")


def _fail(parcels: Sequence[Parcel], fault: str, at: datetime) -> None:
    for parcel in parcels:
        tries = max(notice.mail_tries for notice in parcel.notices)
        wait = min(FIRST_WAIT * 2 ** min(tries, 10), LONGEST_WAIT)
        _rows(parcel.notices).update(
            mail_tries=F("mail_tries") + 1, mail_error=fault[:300], mail_after=at + wait
        )


def _let_go(parcels: Sequence[Parcel]) -> None:
    """There was no time left for these: the next round takes them."""
    _rows([notice for parcel in parcels for notice in parcel.notices]).update(mail_after=None)


def _pack(notices: Sequence[Notice]) -> Parcel:
    """One letter for what waits for one person: the news itself, or a list of it."""
    user, n = notices[0].user, len(notices)
    subject = notices[0].title
    if n > 1:
        subject = ngettext("%(n)s piece of news", "%(n)s pieces of news", n) % {"n": n}
    shown = [_told(notice) for notice in notices[:MOST_IN_A_LETTER]]
    if n > MOST_IN_A_LETTER:
        shown.append(_("… and %(n)s more.") % {"n": n - MOST_IN_A_LETTER})
    foot = _("All of your news: %(all)s\nWhat you want to hear of, and how: %(preferences)s") % {
        "all": _address(reverse("people:notices")),
        "preferences": _address(reverse("people:notice-preferences")),
    }
    return Parcel(
        notices,
        Letter(
            to=user.email,
            subject=subject,
            body="\n\n".join([*shown, "-- \n" + foot]),
            key=f"notices-{notices[0].pk}-{notices[-1].pk}",
        ),
    )


def _told(notice: Notice) -> str:
    link = _address(reverse("people:notice-open", args=[notice.pk])) if notice.url else ""
    return "\n".join(part for part in (notice.title, notice.text, link) if part)


def _address(path: str) -> str:
    return f"{settings.O2B_PUBLIC_URL}{path}"
