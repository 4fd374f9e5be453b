"""How items and subscriptions stand today, as their versions say; and who turns on which day."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from django.db import transaction
from django.db.models import DateField, DateTimeField, F, Func, Value
from django.db.models.functions import Cast, Coalesce

from o2b import clock, events, fsm
from o2b.copying import set_all
from o2b.periods import FOREVER
from subscriptions.models import Item, ServiceState, Subscription
from subscriptions.rules.timeline import Span, span_on
from subscriptions.timelines.chains import Chain, by_item, chains_of, lock_free_chains

AT_ONCE = 500
S = ServiceState
NEWS = {
    "activate": "item.activated",
    "suspend": "item.suspended",
    "resume": "item.resumed",
}
# From where to where, and by which declared transitions.
WAYS: dict[tuple[str, str], tuple[str, ...]] = {
    (S.PENDING, S.ACTIVE): ("activate",),
    (S.PENDING, S.SUSPENDED): ("activate", "suspend"),
    (S.ACTIVE, S.SUSPENDED): ("suspend",),
    (S.SUSPENDED, S.ACTIVE): ("resume",),
    (S.PENDING, S.ENDED): ("end",),
    (S.ACTIVE, S.ENDED): ("end",),
    (S.SUSPENDED, S.ENDED): ("end",),
}


def project(chains: Iterable[Chain], spans: Mapping[int, Sequence[Span]], *, at: datetime) -> None:
    """Let each item stand as its spans say of today, and its subscription as its items say.

    What the caller has set of their revision and first day is written too.
    """
    chains = list(chains)
    items = [item for chain in chains for item in chain.items]
    ways = {item.pk: _way_out(chain, item, spans) for chain in chains for item in chain.items}
    lines = {item.pk: chain.root.order_line_id for chain in chains for item in chain.items}
    moves: dict[tuple[str, ...], list[Item]] = defaultdict(list)
    for item in items:
        stands = projected(item, spans[item.pk], clock.day(item.account, at))
        item.product_version_id = stands.product_version_id
        item.ended_on, item.next_turn_on = stands.ended_on, stands.next_turn_on
        if way := WAYS.get((item.state, stands.state)):
            moves[way].append(item)
    set_all(items, ["revision", "started_on", "product_version", "ended_on", "next_turn_on"])
    for way, rows in moves.items():
        for name in way:
            fsm.move_locked(rows, name, at=at)
            _tell(name, rows, ways, lines, at)
    _project_subscriptions({item.subscription_id for item in items}, at)


class Stands(NamedTuple):
    """What an item's own row says of it, as of one day."""

    state: str
    product_version_id: int
    ended_on: date | None
    next_turn_on: date | None


def projected(item: Item, spans: Sequence[Span], today: date) -> Stands:
    """How an item of these spans stands today; over, it stands as on its last day."""
    over = bool(spans) and today >= spans[-1].period.end
    span = span_on(spans, today) or (spans[-1] if over else None)
    version = span.product_version if span else item.product_version_id
    return Stands(state_on(spans, today), version, _end_of(item, spans), _next_turn(spans, today))


def _way_out(chain: Chain, item: Item, spans: Mapping[int, Sequence[Span]]) -> str:
    """What it is called when this item ends; nothing where it never had a day.

    What was passed on to another account has not ended for the world: its keys stay valid.
    """
    had = [each for each in chain.items if spans[each.pk]]
    last = max(had, key=lambda each: spans[each.pk][-1].period.start, default=chain.root)
    if item is last:
        return "item.ended"
    return "item.transferred" if spans[item.pk] else ""


def _tell(
    name: str,
    items: Sequence[Item],
    ways: Mapping[int, str],
    lines: Mapping[int, int],
    at: datetime,
) -> None:
    """What happened, with the order line that began the service: by it others know the service."""

    def facts(item: Item) -> dict[str, object]:
        ended = item.ended_on.isoformat() if item.ended_on else None
        return {"order_line": lines[item.pk], "ended_on": ended}

    by_news: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        by_news[ways[item.pk] if name == "end" else NEWS[name]].append(item)
    for news, own in by_news.items():
        if news:
            events.record_many(news, own, at=at, facts_of=facts)


@transaction.atomic
def turn_due(*, machine_now: datetime, limit: int = AT_ONCE) -> int:
    """Let items turn whose day has come where they live: begin, pause, go on, end; how many.

    Two of these at once take different services.
    """
    its_now = Coalesce(F("account__test_clock__now"), Value(machine_now))
    local = Func(
        F("account__time_zone"), its_now, function="timezone", output_field=DateTimeField()
    )
    due = (
        Item.objects.filter(next_turn_on__isnull=False)
        .alias(its_day=Cast(local, DateField()))
        .filter(next_turn_on__lte=F("its_day"))
        .annotate(first=Coalesce("root_id", F("pk")))
        .order_by("next_turn_on", "pk")
        .values_list("first", flat=True)[:limit]
    )
    roots = lock_free_chains(set(due))
    chains = chains_of(roots)
    _locked({item.subscription_id for chain in chains.values() for item in chain.items})
    by_moment: dict[datetime, list[Chain]] = defaultdict(list)
    for chain in chains.values():
        by_moment[chain.last.account.test_now or machine_now].append(chain)
    for at, own in by_moment.items():
        spans = {pk: found for chain in own for pk, found in by_item(chain, chain.spans).items()}
        project(own, spans, at=at)
    return len(chains)


def state_on(spans: Sequence[Span], day: date) -> str:
    """The state that a day asks for; an item of which no day is left has ended."""
    span = span_on(spans, day)
    if span is not None:
        return S.ACTIVE if span.in_use else S.SUSPENDED
    if not spans:
        return S.ENDED
    return S.PENDING if day < spans[0].period.start else S.ENDED


def _end_of(item: Item, spans: Sequence[Span]) -> date | None:
    if not spans:
        return item.started_on
    end = spans[-1].period.end
    return None if end == FOREVER else end


def _next_turn(spans: Sequence[Span], today: date) -> date | None:
    """The next day on which a span begins or the last one ends."""
    days = {d for span in spans for d in (span.period.start, span.period.end)} - {FOREVER}
    return min((day for day in days if day > today), default=None)


def _project_subscriptions(keys: set[int], at: datetime) -> None:
    """A subscription is in use while one of its items is; it ends with the last.

    It is locked before its items are read: two of them that end at once see each other.
    """
    subscriptions = _locked(keys)
    moves: dict[tuple[str, ...], list[Subscription]] = defaultdict(list)
    rows = []
    for subscription, stands in together_of(subscriptions):
        before = (subscription.started_on, subscription.ended_on)
        subscription.started_on, subscription.ended_on = stands.started_on, stands.ended_on
        if way := WAYS.get((subscription.state, stands.state)):
            moves[way].append(subscription)
        if (subscription.started_on, subscription.ended_on) != before:
            rows.append(subscription)
    set_all(rows, ["started_on", "ended_on"])
    for way, moved in moves.items():
        for name in way:
            fsm.move_locked(moved, name, at=at)
        if way[-1] == "end":
            events.record_many("subscription.ended", moved, at=at)


def _locked(keys: Collection[int]) -> list[Subscription]:
    """These subscriptions, locked in ascending key."""
    rows = Subscription.objects.filter(pk__in=keys).order_by("pk")
    return list(rows.select_for_update(no_key=True))


class Together(NamedTuple):
    """What a subscription's own row says of it, as its items stand."""

    state: str
    started_on: date | None
    ended_on: date | None


def together_of(
    subscriptions: Sequence[Subscription],
) -> Iterator[tuple[Subscription, Together]]:
    """Each subscription, and how it stands by its items."""
    items: dict[int, list[Item]] = defaultdict(list)
    for item in Item.objects.filter(subscription__in=subscriptions):
        items[item.subscription_id].append(item)
    for subscription in subscriptions:
        own = items[subscription.pk]
        days = [item.started_on for item in own if item.started_on]
        ends = [item.ended_on for item in own]
        yield (
            subscription,
            Together(
                _together({item.state for item in own}),
                min(days, default=subscription.started_on),
                None if None in ends else max(filter(None, ends), default=None),
            ),
        )


def _together(states: set[str]) -> str:
    return next(state for state in (S.ACTIVE, S.SUSPENDED, S.PENDING, S.ENDED) if state in states)
