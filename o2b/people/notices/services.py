"""Verbs of notices: tell people, note what they have read and how they like to hear of things."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from o2b import events
from o2b.models import Outbox
from o2b.people.models import Notice, NoticePreference, Topic
from o2b.sql import ask

MAIL_TASK = "people.mail_notices"
LONGEST_TITLE, LONGEST_TEXT = 200, 5000

# One statement, whatever the number of notices and people: who is active hears of it as preferred.
# A mail wakes somebody: what happened more than a day before it is told here (an import's history)
# stays in the app.
TELL = """
INSERT INTO people_notice
    (user_id, topic, key, title, text, url, tone, at, in_app, by_mail, mail_tries, mail_error)
SELECT told.user_id, told.topic, told.key, told.title, told.text, told.url, told.tone, told.at,
       told.in_app, told.by_mail, 0, ''
FROM (
    SELECT n.*, coalesce(p.in_app, true) AS in_app,
           coalesce(p.by_mail, true) AND u.email <> '' AND n.at > now() - interval '1 day'
               AS by_mail
    FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
                %s::text[], %s::timestamptz[])
         AS n (user_id, topic, key, title, text, url, tone, at)
    JOIN people_user u ON u.id = n.user_id AND u.is_active
    LEFT JOIN people_noticepreference p ON p.user_id = n.user_id AND p.topic = n.topic
) AS told
WHERE told.in_app OR told.by_mail
ORDER BY told.user_id, told.key
ON CONFLICT (user_id, key) DO NOTHING
RETURNING user_id, by_mail
"""


@dataclass(frozen=True, slots=True)
class Note:
    """One thing to tell to some people; `key` names it, so that nobody is told twice."""

    user_ids: Collection[int]
    topic: str
    key: str
    title: str
    at: datetime
    text: str = ""
    url: str = ""
    tone: str = ""


def tell(
    *,
    user_ids: Iterable[int],
    topic: str,
    key: str,
    title: str,
    at: datetime,
    text: str = "",
    url: str = "",
    tone: str = "",
) -> int:
    """Tell some people one thing; how many were told. Who was told this key before is not."""
    return tell_many([Note(list(user_ids), topic, key, title, at, text, url, tone)])


def tell_many(notes: Sequence[Note]) -> int:
    """Tell many things to many people, in one INSERT; how many notices that made.

    Call it in the transaction of the change. Texts are in the language of the house.
    """
    rows = [
        (
            user_id,
            str(note.topic),
            note.key,
            _one_line(note.title)[:LONGEST_TITLE],
            note.text.replace("\0", "")[:LONGEST_TEXT],
            note.url,
            note.tone,
            note.at,
        )
        for note in notes
        for user_id in sorted(set(note.user_ids))
    ]
    if not rows:
        return 0
    with transaction.atomic():
        told: list[tuple[int, bool]] = ask(
            TELL, [list(column) for column in zip(*rows, strict=True)]
        )
        _call_for_mail(sorted({user_id for user_id, by_mail in told if by_mail}))
    return len(told)


def _one_line(text: str) -> str:
    return " ".join(text.replace("\0", "").split())


def _call_for_mail(user_ids: Sequence[int]) -> None:
    """One message a person, not a notice: what waits for one person goes out together."""
    calls = Outbox.objects.bulk_create(
        Outbox(event_name="notice.told", task=MAIL_TASK, key=user_id) for user_id in user_ids
    )
    if calls:
        transaction.on_commit(lambda: events.publish(calls), robust=True)


def read_notice(*, notice_id: int, user_id: int, at: datetime) -> Notice:
    """Note that a person has seen one of their notices."""
    notice = Notice.objects.get(pk=notice_id, user=user_id)
    if notice.read_at is None:
        notice.read_at = at
        notice.save(update_fields=["read_at"])
    return notice


def read_all(*, user_id: int, at: datetime, up_to: int) -> int:
    """Note that a person has seen all notices up to one; those that came since stay unread."""
    mine = Notice.objects.filter(user=user_id, in_app=True, read_at=None, pk__lte=up_to)
    return mine.update(read_at=at)


def prefer(*, user_id: int, ways: Mapping[str, tuple[bool, bool]]) -> None:
    """Keep how a person likes to hear of topics: {topic: (in the app, by mail)}."""
    NoticePreference.objects.bulk_create(
        (
            NoticePreference(user_id=user_id, topic=topic, in_app=in_app, by_mail=by_mail)
            for topic, (in_app, by_mail) in ways.items()
            if topic in Topic.values
        ),
        update_conflicts=True,
        unique_fields=["user", "topic"],
        update_fields=["in_app", "by_mail"],
    )
