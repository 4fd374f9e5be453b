"""Verbs of licence keys: give to tasks, show once, mail, revoke; open and fill pools."""

import csv
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from o2b import events, fsm
from o2b.errors import Invalid, Refused
from o2b.people.models import Topic
from o2b.people.notices.services import tell
from orders.licences import selectors
from orders.licences.rules import LONGEST, make_key
from orders.models import LicenceKey, LicencePool, Task

A_BATCH = 1000
MOST_AT_ONCE = 20_000

FREE, ISSUED = LicenceKey.State.FREE, LicenceKey.State.ISSUED


class KeyShown(Refused):
    """It is shown once."""

    code = "key_shown"


class KeysInvalid(Invalid):
    code = "keys_invalid"


class PoolInvalid(Invalid):
    code = "pool_invalid"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one task is to be given."""

    task_id: int
    line_id: int
    units: int = 1
    pool: str = ""
    # The task by its keys, where the customer gets a letter.
    letter: Task | None = None


@dataclass(frozen=True, slots=True)
class Short:
    """A pool that cannot serve a task: it is not there, empty, or others hold its last keys."""

    pool: str
    is_there: bool = True
    is_held: bool = False


@dataclass(frozen=True, slots=True)
class RowFault:
    """A row of keys that was not taken, and why."""

    row: int
    problem: str


def give_keys(*, wanted: Sequence[Wanted], at: datetime) -> dict[int, tuple[str, ...] | Short]:
    """Give each task its keys, made at once or from a pool; what a task has, it is given again.

    A few statements, whatever the number of tasks. Call it in the transaction of their outcome.
    """
    found: dict[int, tuple[str, ...] | Short] = dict(
        selectors.keys_of_tasks([one.task_id for one in wanted])
    )
    new = [one for one in wanted if one.task_id not in found]
    found |= _make([one for one in new if not one.pool], at)
    by_pool: dict[str, list[Wanted]] = defaultdict(list)
    for one in new:
        if one.pool:
            by_pool[one.pool].append(one)
    pools = LicencePool.objects.filter(code__in=by_pool).in_bulk(field_name="code")
    for code in sorted(by_pool):
        found |= _take(pools.get(code), code, by_pool[code], at)
    letters = [one.letter for one in new if one.letter and isinstance(found[one.task_id], tuple)]
    if letters:
        ask_for_mail(tasks=letters, at=at)
    return found


def _make(wanted: Sequence[Wanted], at: datetime) -> dict[int, tuple[str, ...]]:
    made = {one.task_id: tuple(make_key() for _n in range(one.units)) for one in wanted}
    LicenceKey.objects.bulk_create(
        (
            LicenceKey(
                key=key,
                state=ISSUED,
                task_id=one.task_id,
                line_id=one.line_id,
                number=number,
                issued_at=at,
            )
            for one in wanted
            for number, key in enumerate(made[one.task_id], start=1)
        ),
        batch_size=A_BATCH,
    )
    return made


def _take(
    pool: LicencePool | None, code: str, wanted: Sequence[Wanted], at: datetime
) -> dict[int, tuple[str, ...] | Short]:
    """Free keys of a pool for as many tasks as it can serve; nobody waits for another's."""
    if pool is None:
        return {one.task_id: Short(code, is_there=False) for one in wanted}
    free = LicenceKey.objects.select_for_update(skip_locked=True).filter(pool=pool, state=FREE)
    keys = list(free.order_by("pk")[: sum(one.units for one in wanted)])
    given: dict[int, tuple[str, ...] | Short] = {}
    taken = 0
    for one in wanted:
        mine = keys[taken : taken + one.units]
        if len(mine) < one.units:
            continue
        taken += one.units
        for number, key in enumerate(mine, start=1):
            key.issue(at=at)
            key.task_id, key.line_id, key.number = one.task_id, one.line_id, number
        given[one.task_id] = tuple(key.key for key in mine)
    fields = ["state", "task", "line", "number", "issued_at"]
    LicenceKey.objects.bulk_update(keys[:taken], fields, A_BATCH)
    _warn(pool, at)
    lacking = [one for one in wanted if one.task_id not in given]
    left = selectors.free_in(pool) if lacking else 0
    return given | {one.task_id: Short(code, is_held=left >= one.units) for one in lacking}


def _warn(pool: LicencePool, at: datetime) -> None:
    """Tell the administrators, once, that a pool runs low; adding keys lets it warn again."""
    left = selectors.free_in(pool, most=pool.warn_below)
    if left >= pool.warn_below:
        return
    if not LicencePool.objects.filter(pk=pool.pk, warned_at=None).update(warned_at=at):
        return
    message = _("“%(pool)s” has %(n)s keys left")
    tell(
        user_ids=selectors.keepers(),
        topic=Topic.WORK,
        key=f"pool-low-{pool.pk}-{at.isoformat()}",
        title=message % {"pool": pool.name, "n": left},
        text=_("Orders that want a key fall out when there is none. Please add some."),
        url=reverse("orders:licence-pool", args=[pool.pk]),
        tone="warn",
        at=at,
    )


@transaction.atomic
def show_keys(*, task_id: int, user_id: int, at: datetime) -> list[LicenceKey]:
    """The keys of a task in full, once; who saw them and when is kept."""
    task = Task.objects.get(pk=task_id)
    keys = list(LicenceKey.objects.select_for_update().filter(task=task).order_by("number"))
    if not keys:
        raise LicenceKey.DoesNotExist(f"task {task_id} was given no key")
    if any(key.shown_at for key in keys):
        raise KeyShown(_("It was shown already, and a key is shown once."))
    if any(key.state != ISSUED for key in keys):
        raise KeyShown(_("It is revoked."))
    LicenceKey.objects.filter(task=task).update(shown_at=at)
    events.record("licence.shown", task, at=at, actor_id=user_id, task=task.name)
    return keys


def ask_for_mail(*, tasks: Iterable[Task], at: datetime) -> None:
    """Owe a letter to each of these tasks' customers; in the transaction of their outcome."""
    events.record_many("licence.to_mail", list(tasks), at=at, facts_of=lambda t: {"task": t.name})


@transaction.atomic
def note_mailed(*, task_id: int, to: str, owed: Iterable[int], at: datetime) -> None:
    """The letter with the keys of a task is on its way."""
    task = Task.objects.get(pk=task_id)
    LicenceKey.objects.filter(task=task, mailed_at=None).update(mailed_at=at)
    events.record("licence.mailed", task, at=at, task=task.name, to=to)
    events.done(owed)


@transaction.atomic
def note_not_mailed(*, task_id: int, reason: str, at: datetime, owed: Collection[int] = ()) -> None:
    """The letter did not go out: the advocate hears of it, once a task; `owed` is owed no more."""
    task = Task.objects.select_related("account", "line").get(pk=task_id)
    tell(
        user_ids=[task.account.advocate_id],
        topic=Topic.FALLOUT,
        key=f"licence-not-mailed-{task_id}",
        title=_("The licence of %(line)s was not mailed") % {"line": task.line},
        text=reason,
        url=reverse("orders:task-licence", args=[task_id]),
        tone="bad",
        at=at,
    )
    events.done(owed)


def revoke_keys(*, line_ids: Collection[int], at: datetime) -> list[LicenceKey]:
    """The line has ended, and its keys with it."""
    keys = LicenceKey.objects.filter(line__in=line_ids).select_related("line")
    return fsm.move(keys, "revoke", at=at)


@transaction.atomic
def open_pool(*, code: str, name: str, warn_below: int, at: datetime, by: int) -> LicencePool:
    """A new pool, without any keys."""
    if LicencePool.objects.filter(code=code).exists():
        raise PoolInvalid(_("A pool has this code already."), field="code")
    pool = LicencePool.objects.create(code=code, name=name, warn_below=warn_below)
    events.record("licence_pool.opened", pool, at=at, actor_id=by, code=code)
    return pool


@transaction.atomic
def add_keys(*, pool_id: int, text: str, at: datetime, by: int) -> tuple[int, list[RowFault]]:
    """Add keys, one a row (of a CSV its first column): how many, and the rows that were refused."""
    pool = LicencePool.objects.select_for_update().get(pk=pool_id)
    rows = _rows(text)
    known = selectors.known_keys(rows.values())
    fresh: dict[str, int] = {}
    faults = []
    for row, key in rows.items():
        if problem := _fault(key, fresh, known):
            faults.append(RowFault(row, problem))
        else:
            fresh[key] = row
    LicenceKey.objects.bulk_create(
        (LicenceKey(pool=pool, key=key) for key in fresh), batch_size=A_BATCH
    )
    if selectors.free_in(pool, most=pool.warn_below) >= pool.warn_below:
        LicencePool.objects.filter(pk=pool.pk).update(warned_at=None)
    events.record("licence_pool.filled", pool, at=at, actor_id=by, added=len(fresh))
    return len(fresh), faults


def _rows(text: str) -> dict[int, str]:
    """Row number → key, without blank rows."""
    if "\0" in text:
        raise KeysInvalid(_("This is no text."), field="keys")
    try:
        read = list(csv.reader(text.splitlines()))
    except csv.Error as exc:
        raise KeysInvalid(_("This cannot be read as rows."), field="keys") from exc
    rows = {n: row[0].strip() for n, row in enumerate(read, start=1) if row and row[0].strip()}
    if not rows:
        raise KeysInvalid(_("There is no key in it."), field="keys")
    if len(rows) > MOST_AT_ONCE:
        message = _("At most %(most)s keys at once.")
        raise KeysInvalid(message % {"most": MOST_AT_ONCE}, field="keys")
    return rows


def _fault(key: str, fresh: Mapping[str, int], known: Collection[str]) -> str:
    if len(key) > LONGEST:
        return _("longer than %(longest)s characters") % {"longest": LONGEST}
    if not key.isprintable():
        return _("holds a character that cannot be printed")
    if key in fresh:
        return _("the same as row %(row)s") % {"row": fresh[key]}
    return _("known already") if key in known else ""
