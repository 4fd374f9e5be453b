"""Set up work as a pack's rows say: calendars, queues, people in them, pools, rules, systems.

What is there already stays as it is; every fault is refused by file, row and field.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _

from o2b.errors import Invalid
from o2b.packs.refusals import PackInvalid
from o2b.packs.work import PEOPLE, Row, Work
from o2b.people.models import User
from orders.fallout.services.rules import save_rule
from orders.licences.services import add_keys, open_pool
from orders.models import (
    EscalationRule,
    FalloutRule,
    LicencePool,
    OutsideSystem,
    Queue,
    QueueMember,
    WorkCalendar,
)

QUEUE: tuple[type[models.Model], str] = (Queue, "code")
CALENDAR: tuple[type[models.Model], str] = (WorkCalendar, "code")
USER: tuple[type[models.Model], str] = (User, "username")


@dataclass(frozen=True, slots=True)
class Section:
    """A section of rows: its model, what makes a row the same, plain fields, and references."""

    model: type[models.Model]
    key: tuple[str, ...]
    plain: tuple[str, ...]
    refs: Mapping[str, tuple[type[models.Model], str]] = field(default_factory=dict)

    @property
    def columns(self) -> frozenset[str]:
        return frozenset((*self.plain, *self.refs))


# In this order, for each may name what stands above it.
SECTIONS: Mapping[str, Section] = {
    "calendars": Section(
        WorkCalendar,
        ("code",),
        ("code", "name", "time_zone", "country", "subdivision", "hours", "closed_on"),
    ),
    "queues": Section(
        Queue,
        ("code",),
        ("code", "name", "hourly_rate", "amber_percent"),
        {"calendar": CALENDAR, "owner": USER},
    ),
    "members": Section(
        QueueMember, ("queue", "user"), ("skills", "capacity"), {"queue": QUEUE, "user": USER}
    ),
    "escalations": Section(
        EscalationRule,
        ("queue", "level", "after_minutes", "tell"),
        ("level", "after_minutes"),
        {"queue": QUEUE, "tell": USER},
    ),
    "outside_systems": Section(
        OutsideSystem, ("code",), ("code", "name", "threshold", "cool_down")
    ),
}
RULES = Section(
    FalloutRule,
    ("handler", "failure_class", "product", "says"),
    ("handler", "failure_class", "product", "says", "remedy", "advice"),
    {"queue": QUEUE},
)
POOLS = Section(LicencePool, ("code",), ("code", "name", "warn_below", "keys"))
OTHERS = {"fallout_rules": RULES, "licence_pools": POOLS}


@transaction.atomic
def set_up_work(
    *, work: Work, text_of: Callable[[object], str], at: datetime, by: int
) -> dict[str, int]:
    """Write what is missing, all of it or nothing; returns how many rows of each section are new.

    `text_of` reads another file of the same pack: the keys of a pool.
    """
    _refuse_unknown(work)
    made = {name: _write(SECTIONS[name], work[name]) for name in SECTIONS if name in work}
    if rules := work.get("fallout_rules"):
        made["fallout_rules"] = sum(_write_rule(row) for row in rules)
    if pools := work.get("licence_pools"):
        made["licence_pools"] = sum(_open_pool(row, text_of, at, by) for row in pools)
    return made


def _refuse_unknown(work: Work) -> None:
    known = {name: section.columns for name, section in {**SECTIONS, **OTHERS}.items()}
    for name, rows in work.items():
        if name == PEOPLE:
            continue
        if name not in known:
            message = _("There is no section “%(name)s”.") % {"name": name[:60]}
            raise PackInvalid(message, field=rows[0].file if rows else name)
        for row in rows:
            for column in sorted(set(row.said) - known[name]):
                raise row.fault(column[:60], _("There is no such field."))


def _write(section: Section, rows: Sequence[Row]) -> int:
    made = 0
    for row in rows:
        said = _fields(section, row)
        if _is_there(section, said, row):
            continue
        _checked(section, said, row).save()
        made += 1
    return made


def _is_there(section: Section, said: Mapping[str, Any], row: Row) -> bool:
    """Whether a row of this key was written before."""
    same = {name: said.get(name) for name in section.key}
    try:
        return section.model._default_manager.filter(**same).exists()
    except (TypeError, ValueError, ValidationError) as fault:
        raise row.fault("*", fault) from fault


def _fields(section: Section, row: Row) -> dict[str, Any]:
    """The fields of a row, with what it names looked up."""
    said = {name: _plain(row.said[name]) for name in section.plain if name in row.said}
    for name, (model, by) in section.refs.items():
        code = row.said.get(name)
        if code is None:
            continue
        found = model._default_manager.filter(**{by: code}).first() if _is_code(code) else None
        if found is None:
            message = _("There is no %(what)s “%(code)s”.")
            told = {"what": model._meta.verbose_name, "code": str(code)[:60]}
            raise row.fault(name, message % told)
        said[name] = found
    for name in section.key:
        if isinstance(said.get(name), str) and "\0" in said[name]:
            raise row.fault(name, _("Letters, digits, - and _."))
    return said


def _plain(value: Any) -> Any:
    """A number with a point is told by its digits."""
    return str(value) if isinstance(value, float) else value


def _is_code(value: Any) -> bool:
    return isinstance(value, str) and "\0" not in value


def _checked(section: Section, said: Mapping[str, Any], row: Row) -> models.Model:
    """The row as its model, not yet written; what no row says has its default."""
    new = section.model(**said)
    unsaid = {each.name for each in section.model._meta.fields} - section.columns
    try:
        new.full_clean(exclude=unsaid)
    except ValidationError as fault:
        column, problems = next(iter(fault.message_dict.items()))
        raise row.fault("*" if column == NON_FIELD_ERRORS else column, problems[0]) from fault
    except (TypeError, ValueError, AttributeError) as fault:
        raise row.fault("*", fault) from fault
    return new


def _write_rule(row: Row) -> bool:
    said = _fields(RULES, row)
    for name in RULES.plain:
        if not isinstance(said.get(name, ""), str):
            raise row.fault(name, _("A text."))
    same = {name: said.get(name, "") for name in RULES.key}
    if FalloutRule.objects.filter(**same).exists():
        return False
    try:
        save_rule(**said)
    except Invalid as fault:
        raise row.fault(fault.field or "*", fault) from fault
    return True


def _open_pool(row: Row, text_of: Callable[[object], str], at: datetime, by: int) -> bool:
    said = _fields(POOLS, row)
    keys = said.pop("keys", None)
    if LicencePool.objects.filter(code=said.get("code")).exists():
        return False
    said.setdefault("warn_below", 0)
    _checked(POOLS, said, row)
    pool = open_pool(
        code=said["code"], name=said["name"], warn_below=said["warn_below"], at=at, by=by
    )
    if keys is None:
        return True
    try:
        _count, faults = add_keys(pool_id=pool.pk, text=text_of(keys), at=at, by=by)
    except Invalid as fault:
        raise row.fault("keys", fault) from fault
    for each in faults:
        message = _("row %(row)s: %(problem)s") % {"row": each.row, "problem": each.problem}
        raise PackInvalid(message, field=str(keys))
    return True
