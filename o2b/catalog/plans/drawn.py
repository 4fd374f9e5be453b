"""The nodes of a plan's picture: its steps, the steps of other lines, and in a dry run the way."""

from collections.abc import Mapping, Sequence
from typing import Any

from o2b.catalog.plans.faults import each_of
from o2b.catalog.plans.links import beyond, inside
from o2b.catalog.plans.picture import Node, Picture, draw
from o2b.catalog.plans.rehearsal import Rehearsal

AWAY, AUTOMATIC, LEFT_OUT, ON_WAY, POINT = "away", "go", "out", "longest", "ponr"
MOST_DRAWN = 200


def picture_of_plan(tasks: Any) -> Picture:
    """All steps as they are written, whatever their conditions."""
    steps = [at.said for at in each_of(tasks)][:MOST_DRAWN]
    refs = list(dict.fromkeys(ref for step in steps for ref in beyond(step)))
    return draw([*map(_away, refs), *(_node(step, _refs(step), _tone(step)) for step in steps)])


def picture_of_rehearsal(tried: Rehearsal) -> Picture:
    """What would be laid, with the longest way; what is left out stands beside it."""
    waits = [wait for one in tried.steps for wait in one.waits if wait.products]
    refs = list(dict.fromkeys(wait.ref for wait in waits))
    laid = [
        _node(
            one.step,
            [*one.laid.after, *(wait.ref for wait in one.waits if wait.products)],
            ON_WAY if one.on_way else "",
        )
        for one in tried.steps
    ]
    out = [_node(step, inside(step), LEFT_OUT) for step in tried.left_out]
    return draw([*map(_away, refs), *laid, *out])


def _node(step: Mapping[str, Any], after: Sequence[str], tone: str) -> Node:
    key = str(step.get("key"))
    where = str(step.get("queue") or step.get("handler") or "")
    return Node(key, str(step.get("name") or key), where, after, tone)


def _away(ref: str) -> Node:
    scope, _slash, key = ref.partition("/")
    return Node(ref, key, scope, (), AWAY)


def _refs(step: Mapping[str, Any]) -> list[str]:
    return [*inside(step), *beyond(step)]


def _tone(step: Mapping[str, Any]) -> str:
    if step.get("point_of_no_return") is True:
        return POINT
    return AUTOMATIC if step.get("kind") == "automatic" else ""
