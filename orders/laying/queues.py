"""Queues by the codes that plans name; a code that nobody set up yet becomes a queue."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from orders.models import Queue


def codes_of(steps: Iterable[Mapping[str, Any]]) -> set[str]:
    """The queues of steps and of what undoes them."""
    both = (said for step in steps for said in (step, step.get("compensation") or {}))
    return {said["queue"] for said in both if said.get("queue")}


def queues_called(codes: Collection[str]) -> dict[str, Queue]:
    """The queues of these codes; those that are missing are set up."""
    wanted = {code for code in codes if code}
    if not wanted:
        return {}
    known = _named(wanted)
    if missing := sorted(wanted - known.keys()):
        Queue.objects.bulk_create(
            [Queue(code=code, name=code.replace("-", " ").capitalize()) for code in missing],
            ignore_conflicts=True,
        )
        known = _named(wanted)
    return known


def _named(codes: Collection[str]) -> dict[str, Queue]:
    found = Queue.objects.filter(code__in=codes).select_related("calendar")
    return {queue.code: queue for queue in found}
