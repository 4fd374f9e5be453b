"""Questions about licence keys: what a task was given, what is left in a pool, whom to tell."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from django.db.models import Count, Q, QuerySet

from o2b.people.groups import ADMINISTRATOR
from o2b.people.models import User
from orders.models import LicenceKey, LicencePool

STATES = LicenceKey.State


def keys_of_tasks(task_ids: Collection[int]) -> dict[int, tuple[str, ...]]:
    """The keys that tasks have, in full, by task."""
    found: dict[int, list[str]] = defaultdict(list)
    given = LicenceKey.objects.filter(task__in=task_ids).order_by("task", "number")
    for task_id, key in given.values_list("task_id", "key"):
        found[task_id].append(key)
    return {task_id: tuple(keys) for task_id, keys in found.items()}


def keys_of_task(task_id: int) -> list[LicenceKey]:
    return list(LicenceKey.objects.filter(task=task_id).order_by("number"))


def known_keys(keys: Iterable[str]) -> set[str]:
    """Which of these keys somebody has typed or made before."""
    return set(LicenceKey.objects.filter(key__in=list(keys)).values_list("key", flat=True))


def free_in(pool: LicencePool, *, most: int | None = None) -> int:
    """How many keys are left in a pool; counted no further than `most`."""
    free = LicenceKey.objects.filter(pool=pool, state=STATES.FREE)
    return free.count() if most is None else free[:most].count()


def keepers() -> list[int]:
    """Who is told of pools: administrators."""
    people = User.objects.filter(Q(groups__name=ADMINISTRATOR) | Q(is_superuser=True))
    return list(people.filter(is_active=True).values_list("pk", flat=True).distinct())


def pools_for_list() -> QuerySet[Any]:
    """Every pool with how many keys are free, issued and revoked."""
    counts = {state.value: Count("keys", filter=Q(keys__state=state)) for state in STATES}
    return LicencePool.objects.annotate(**counts)


def get_pool(pool_id: int) -> Any:
    return pools_for_list().get(pk=pool_id)


def keys_of_pool(pool_id: int) -> QuerySet[LicenceKey]:
    """Keys that were given out, the newest first; free ones are counted, never shown."""
    given = LicenceKey.objects.filter(pool=pool_id).exclude(state=STATES.FREE)
    return given.select_related("line__account__customer").order_by("-issued_at", "-pk")
