"""Whom the publication of a price-book version touches: asked of every stage, grouped by kind."""

from dataclasses import dataclass, field
from typing import Any

from o2b import asks
from o2b.asks import Impact

SHOWN = 8  # examples in sight; the others are folded away


@dataclass(slots=True)
class Group:
    """All that the stages told of one reason: the examples in sight, and those folded away."""

    told: Impact
    first: list[Any]
    others: list[Any]

    @property
    def beyond(self) -> int:
        """Things that are counted, but told of by nobody."""
        return self.told.total - len(self.first) - len(self.others)


@dataclass(slots=True)
class Kind:
    """Quotes, orders, subscriptions…: how many are touched and how many not, and why."""

    name: str
    title: str
    affected: int = 0
    untouched: int = 0
    groups: list[Group] = field(default_factory=list)


def impact_of(user: Any, version_id: int) -> list[Kind]:
    """Every kind of thing that anybody told of, those that are touched first."""
    kinds: dict[str, Kind] = {}
    for told in asks.ask("affected_by_publication", user, version_id):
        kind = kinds.setdefault(told.kind, Kind(told.kind, told.title))
        if told.affected:
            kind.affected += told.total
        else:
            kind.untouched += told.total
        examples = list(told.examples)
        kind.groups.append(Group(told, examples[:SHOWN], examples[SHOWN:]))
    for kind in kinds.values():
        kind.groups.sort(key=lambda group: not group.told.affected)
    return list(kinds.values())
