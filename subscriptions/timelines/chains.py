"""A chain: the items of one service, first to last, with its facts and what is believed of it."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from django.db.models import F
from django.db.models.functions import Coalesce

from orders.models import OrderLine
from subscriptions.models import Item, ItemChange, ItemVersion
from subscriptions.rules.described import Said, described_on
from subscriptions.rules.facts import Act, Billing, Fact, standing_facts
from subscriptions.rules.timeline import Span, spans_of

START_KEY = 1
# The changes whose order lines tell the characteristics from their day on.
DESCRIBED = (Act.TERMS, Act.REPLACE, Act.MOVE)


@dataclass(slots=True)
class Chain:
    """The items of one service, one a leg; `facts` hold its start too."""

    items: list[Item]
    facts: list[Fact]
    changes: list[ItemChange] = field(default_factory=list)

    @property
    def root(self) -> Item:
        return self.items[0]

    @property
    def last(self) -> Item:
        """Whose it is in the end; a transfer that was taken back leaves an item without days."""
        return self.holder_on(date.max)

    def holder_on(self, day: date) -> Item:
        """Whose it is on a day; before it began the first's, once it is over the last's."""
        spans = self.spans
        begun = [span for span in spans if span.period.start <= day]
        facing = begun[-1] if begun else next(iter(spans), None)
        return self.item_of(facing.account) if facing else self.root

    def item_of(self, account_id: int) -> Item:
        """The item by which an account has it; each has one at most."""
        return next(item for item in self.items if item.account_id == account_id)

    def changed_by(self, item: Item, today: date) -> Item:
        """By which item the service is changed: by this one, if days are left to it."""
        left = [span for span in self.spans if span.period.end > today]
        holds = any(span.account == item.account_id for span in left)
        return item if holds else self.holder_on(today)

    @property
    def spans(self) -> list[Span]:
        return spans_of(self.facts)

    def characteristics_on(self, day: date) -> dict[str, Any]:
        """What describes the service on a day: what lines changed of it, by their days."""
        return described_on(self.root.order_line.characteristics, self._said(self.facts), day)

    def described_spans(self, facts: Sequence[Fact]) -> list[Span]:
        """The spans of these facts, each with what describes it where its line says another."""
        spans, said = spans_of(facts), self._said(facts)
        if not said:
            return spans
        first = self.root.order_line
        told = {c.order_line_id: c.order_line.characteristics for c in self.changes if describes(c)}
        told[first.pk] = first.characteristics
        found = []
        for span in spans:
            held = described_on(first.characteristics, said, span.period.start)
            beside = None if held == told[span.line] else described_text(held)
            found.append(replace(span, described=beside))
        return found

    def _said(self, facts: Sequence[Fact]) -> list[Said]:
        """What lines say of these facts that hold."""
        telling = [change for change in self.changes if describes(change)]
        if not telling:
            return []
        held = {fact.key for fact in standing_facts(list(facts))}
        return [
            Said(c.revision, c.on, c.order_line.characteristics, found_by(c.order_line))
            for c in telling
            if c.revision in held
        ]

    @property
    def next_key(self) -> int:
        return max(fact.key for fact in self.facts) + 1


def describes(change: ItemChange) -> bool:
    """Whether its line tells the characteristics: another price of what is there tells none."""
    another = change.act != Act.TERMS or change.product_version_id is not None
    return change.act in DESCRIBED and another


def found_by(line: OrderLine) -> dict[str, Any] | None:
    """The characteristics that a change found on its day, where its line kept them."""
    found: dict[str, Any] | None = (line.in_service or {}).get("characteristics")
    return found


def described_text(characteristics: Mapping[str, Any] | None) -> str | None:
    """What describes a version, so that it can be compared."""
    return None if characteristics is None else json.dumps(characteristics, sort_keys=True)


def roots_of(item_ids: Collection[int]) -> dict[int, int]:
    """Each item's first of its chain."""
    rows = Item.objects.filter(pk__in=item_ids).values_list("pk", Coalesce("root_id", F("pk")))
    return dict(rows)


def lock_chains(root_ids: Collection[int]) -> None:
    """Lock whole chains, in ascending key: whoever changes them comes one after the other."""
    for column in ("pk__in", "root__in"):
        wanted = Item.objects.filter(**{column: root_ids}).order_by("pk")
        list(wanted.select_for_update(no_key=True).values_list("pk"))


def lock_free_chains(root_ids: Collection[int]) -> list[int]:
    """Lock those chains that nobody holds just now, and tell which."""
    wanted = Item.objects.filter(pk__in=root_ids).order_by("pk")
    free = wanted.select_for_update(no_key=True, skip_locked=True).values_list("pk", flat=True)
    roots = list(free)
    rest = Item.objects.filter(root__in=roots).order_by("pk")
    list(rest.select_for_update(no_key=True).values_list("pk"))
    return roots


def chains_of(root_ids: Collection[int]) -> dict[int, Chain]:
    """The chains by their roots, in three queries whatever their number."""
    found = Item.objects.filter(pk__in=root_ids) | Item.objects.filter(root__in=root_ids)
    items: dict[int, list[Item]] = defaultdict(list)
    related = ("account__test_clock", "order_line", "subscription")
    for item in found.select_related(*related).order_by("pk"):
        items[item.root_id_or_own].append(item)
    changes: dict[int, list[ItemChange]] = defaultdict(list)
    for change in ItemChange.objects.filter(item__in=root_ids).select_related(
        "withdraws", "order_line"
    ):
        changes[change.item_id].append(change)
    return {
        pk: Chain(own, [start_of(own[0]), *map(fact_of, changes[pk])], changes[pk])
        for pk, own in sorted(items.items())
    }


def start_of(root: Item) -> Fact:
    """How the service began, as its item and the line that delivered it say."""
    if root.anchor_on is None:
        raise ValueError(f"{root} is in service and has no first day")
    line = root.order_line
    return Fact(
        key=START_KEY,
        act=Act.START,
        on=root.anchor_on,
        product_version=line.product_version_id,
        terms=line.terms_id,
        quantity=line.quantity,
        account=root.account_id,
        line=line.pk,
    )


def fact_of(change: ItemChange) -> Fact:
    """A stored change as the rules take it."""
    withdrawn = change.withdraws.revision if change.withdraws else None
    return Fact(
        key=change.revision,
        act=Act(change.act),
        on=change.on,
        product_version=change.product_version_id,
        terms=change.terms_id,
        quantity=change.quantity,
        billing=Billing(change.billing) if change.billing else None,
        account=change.account_id,
        withdraws=withdrawn,
        line=change.order_line_id if describes(change) else None,
        delivered=change.delivered,
    )


def believed(item_ids: Iterable[int]) -> dict[int, list[ItemVersion]]:
    """The versions of each item that are believed now."""
    found: dict[int, list[ItemVersion]] = defaultdict(list)
    rows = ItemVersion.objects.filter(item__in=list(item_ids), recorded__endswith__isnull=True)
    for version in rows.order_by("item_id", "valid"):
        found[version.item_id].append(version)
    return found


def by_item(chain: Chain, spans: Sequence[Span]) -> dict[int, list[Span]]:
    """Item → its spans; an account comes once in a chain, so it names its item."""
    of_account = {item.account_id: item.pk for item in chain.items}
    found: dict[int, list[Span]] = {item.pk: [] for item in chain.items}
    for span in spans:
        found[of_account[span.account]].append(span)
    return found


def priced_anew(
    chains: Iterable[Chain],
    spans: Mapping[int, Sequence[Span]],
    known: Mapping[int, Sequence[ItemVersion]],
) -> set[int]:
    """Items that owe anything once, of chains of which more or less is delivered than before.

    It goes by the most that ever was, in whosever days that came: their own may be the same.
    """
    found: set[int] = set()
    for chain in chains:
        keys = [item.pk for item in chain.items]
        was = max((version.delivered for key in keys for version in known[key]), default=0)
        now = max((span.delivered for key in keys for span in spans[key]), default=0)
        if was != now:
            found |= {key for key in keys if any(span.opens for span in spans[key])}
    return found
