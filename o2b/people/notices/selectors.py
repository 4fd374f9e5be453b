"""Questions about notices: what a person was told, what is unread, how they like to hear of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from o2b.people.models import Notice, NoticePreference, Topic

MOST_COUNTED = 100


@dataclass(frozen=True, slots=True)
class Way:
    """How a person hears of one topic."""

    topic: str
    label: str
    in_app: bool
    by_mail: bool


def notices_of(user_id: int) -> QuerySet[Notice]:
    """What a person was told in the app, newest first."""
    return Notice.objects.filter(user=user_id, in_app=True).order_by("-pk")


def unread_count(user_id: int) -> int:
    """How many notices are unread; never counts past a hundred."""
    return notices_of(user_id).filter(read_at=None)[:MOST_COUNTED].count()


def ways_of(user_id: int) -> Sequence[Way]:
    """Every topic, and how this person hears of it; both ways, where they said nothing."""
    said = {one.topic: one for one in NoticePreference.objects.filter(user=user_id)}
    return [
        Way(
            topic.value,
            str(topic.label),
            said[topic].in_app if topic in said else True,
            said[topic].by_mail if topic in said else True,
        )
        for topic in Topic
    ]
