"""Write what happened, and what is owed because of it, in the caller's transaction."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import models, transaction

from o2b.copying import write_all
from o2b.events.outbox import publish
from o2b.flow import REACTIONS, Reaction
from o2b.models import Event, Outbox


def record(
    name: str,
    subject: models.Model,
    *,
    at: datetime,
    actor_id: int | None = None,
    cause: str = "",
    **facts: Any,
) -> Event:
    """Write one event and its outbox rows. Call it inside the transaction of the change."""
    return record_many(name, [subject], at=at, actor_id=actor_id, cause=cause, **facts)[0]


def record_many(
    name: str,
    subjects: Sequence[models.Model],
    *,
    at: datetime,
    actor_id: int | None = None,
    cause: str = "",
    actor_of: Callable[[Any], int | None] | None = None,
    facts_of: Callable[[Any], dict[str, Any]] | None = None,
    **facts: Any,
) -> list[Event]:
    """Write one event a subject, in one INSERT, and one outbox row a distinct reaction key."""
    if name not in REACTIONS:
        raise LookupError(f"{name} is not in o2b.flow")
    events = write_all(
        Event(
            name=name,
            subject_type=subject._meta.label_lower,
            subject_id=subject.pk,
            account_id=_key(subject, "account"),
            order_id=_key(subject, "order"),
            at=at,
            actor_id=actor_of(subject) if actor_of else actor_id,
            cause=cause,
            facts=facts | facts_of(subject) if facts_of else facts,
        )
        for subject in subjects
    )
    owed = write_all(
        Outbox(event_name=name, task=reaction.task, key=key, account_id=account_id)
        for reaction in REACTIONS[name]
        for key, account_id in _keys(reaction, events)
    )
    if owed:
        transaction.on_commit(lambda: publish(owed), robust=True)
    return events


def _key(subject: models.Model, kind: str) -> int | None:
    if subject._meta.model_name == kind:
        return subject.pk
    return getattr(subject, f"{kind}_id", None)


def _keys(reaction: Reaction, events: Iterable[Event]) -> list[tuple[int, int | None]]:
    """Each key once, in ascending order, and the account that it is about."""
    found = {getattr(event, f"{reaction.by}_id"): event.account_id for event in events}
    if None in found:
        raise LookupError(f"{reaction.task} wants the {reaction.by} of an event that has none")
    return sorted(found.items())
