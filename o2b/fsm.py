"""Life cycles: the base of every model that has one, and `move()`, the law applied to many rows."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from django.db import models, transaction
from django_fsm import FSMField, TransitionNotAllowed

from o2b import events
from o2b.errors import Refused

M = TypeVar("M", bound="Stateful")


class Stateful(models.Model):
    """A model whose `state` only its transitions may change.

    A transition may say in `custom` what a move leaves behind: `event`, the news it makes, and
    `stamp`, the field that takes the time. Both `move()` and services that lock one row use them.
    """

    STATE_FIELD: ClassVar[str] = "state"

    class Meta:
        abstract = True

    def refresh_from_db(
        self, using: str | None = None, fields: Any = None, from_queryset: Any = None
    ) -> None:
        """Reload the protected state too; the field refuses to be set twice."""
        for field in self._meta.concrete_fields:
            if isinstance(field, FSMField) and (fields is None or field.attname in fields):
                self.__dict__.pop(field.attname, None)
        super().refresh_from_db(using=using, fields=fields, from_queryset=from_queryset)


def law(model: type[Stateful]) -> set[tuple[str, str, str]]:
    """Every declared transition as (source, name, target), for the tests of life cycles."""
    found = model().get_all_state_transitions()  # type: ignore[attr-defined]
    return {(str(t.source), t.name, str(t.target)) for t in found}


def move(
    queryset: models.QuerySet[M],
    name: str,
    *,
    at: datetime,
    actor_id: int | None = None,
    cause: str = "",
    **facts: Any,
) -> list[M]:
    """Apply one declared transition to every row that may take it, in one UPDATE.

    Rows in another state stay as they are and are not returned. Locks in ascending key, stamps the
    field that the transition names in `custom`, and writes one event a row.
    """
    model = queryset.model
    arrows = _arrows(model, name)
    sources = [a.source for a in arrows]
    with transaction.atomic():
        rows = list(
            queryset.filter(state__in=sources)
            .order_by("pk")
            .select_for_update(of=("self",), no_key=True)
        )
        if not rows:
            return []
        return move_locked(rows, name, at=at, actor_id=actor_id, cause=cause, **facts)


def move_locked(
    rows: Sequence[M],
    name: str,
    *,
    at: datetime,
    actor_id: int | None = None,
    cause: str = "",
    values: dict[str, Any] | None = None,
    facts_of: Callable[[M], dict[str, object]] | None = None,
    **facts: Any,
) -> list[M]:
    """Apply one declared transition to rows that this transaction holds locked, in one UPDATE.

    `values` are fields that all of them get in the same UPDATE. A row in another state than the
    law allows is a mistake of the caller: nothing is written.
    """
    if not rows:
        return []
    arrows = _arrows(type(rows[0]), name)
    target, custom, sources = arrows[0].target, arrows[0].custom, {a.source for a in arrows}
    if strays := [row for row in rows if row.state not in sources]:  # type: ignore[attr-defined]
        raise TransitionNotAllowed(f"{strays[0]} is {strays[0].state}: no {name}")  # type: ignore[attr-defined]
    stamp = custom.get("stamp")
    change = {"state": str(target)} | ({stamp: at} if stamp else {}) | (values or {})
    type(rows[0])._base_manager.filter(pk__in=[row.pk for row in rows]).update(**change)
    for row in rows:
        row.__dict__.update(change)
    if news := custom.get("event"):
        events.record_many(
            news, rows, at=at, actor_id=actor_id, cause=cause, facts_of=facts_of, **facts
        )
    return list(rows)


def _arrows(model: type[Stateful], name: str) -> list[Any]:
    found = [t for t in model().get_all_state_transitions() if t.name == name]  # type: ignore[attr-defined]
    if not found:
        raise LookupError(f"{model.__name__} declares no transition {name}")
    return found


def apply(
    row: Stateful,
    name: str,
    *,
    at: datetime,
    refusal: type[Refused],
    actor_id: int | None = None,
    cause: str = "",
    facts: dict[str, object] | None = None,
    **arguments: object,
) -> None:
    """Take one locked row through a transition, save it and record its event, or refuse."""
    try:
        getattr(row, name)(at=at, **arguments)
    except TransitionNotAllowed as exc:
        raise refusal(f"{row} is {row.state}, so one cannot {name.replace('_', ' ')} it") from exc  # type: ignore[attr-defined]
    row.save()
    custom = _arrows(type(row), name)[0].custom
    if news := custom.get("event"):
        events.record(news, row, at=at, actor_id=actor_id, cause=cause, **(facts or {}))
