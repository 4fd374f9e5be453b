"""Questions about rate decks: the rate of a number on a day, lists, what a version changes."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from o2b.catalog.models import (
    Contract,
    ContractPrice,
    DeckRate,
    MeterVersion,
    Price,
    RateDeck,
    RateDeckVersion,
    TermsCharge,
)
from o2b.catalog.models.products import Lifecycle
from o2b.catalog.rules.books import BookRow
from o2b.catalog.rules.decks import Known, decks_named
from o2b.charging import DeckRate as Rate
from o2b.charging import NoRate, PrefixTable

MOST_TABLES = 16  # in the memory of a process; a table of 50,000 prefixes has about 25 MB
COLUMNS = ("prefix", "destination", "rate", "connect_fee", "first_seconds", "next_seconds")


class _Span(NamedTuple):
    """The days of a published version; of several that hold, the last one counts."""

    version_id: int
    starts_on: date
    ends_on: date | None


class DeckDays:
    """One deck as it is published now, asked for the rate of a number on a day."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.spans: list[_Span] = []
        self._finds: dict[date, Callable[[str], Rate | None] | None] = {}

    def rate(self, number: str, day: date) -> Rate | NoRate:
        """What the deck says of a number on a day, or that it says nothing."""
        try:
            find = self._finds[day]
        except KeyError:
            version_id = self.version_on(day)
            find = None if version_id is None else prefix_table(version_id).find
            self._finds[day] = find
        if find is None:
            return NoRate(self.code, number, day, published=False)
        return find(number) or NoRate(self.code, number, day)

    def version_on(self, day: date) -> int | None:
        """The version whose rates hold on a day."""
        for span in self.spans:
            if span.starts_on <= day and (span.ends_on is None or day < span.ends_on):
                return span.version_id
        return None


def decks_in_force(codes: Collection[str]) -> dict[str, DeckDays]:
    """Decks by their code, also those that are not there: they rate nothing; one query."""
    found = {code: DeckDays(code) for code in codes}
    published = RateDeckVersion.objects.filter(deck__code__in=codes).exclude(state=Lifecycle.DRAFT)
    rows = published.order_by("-starts_on", "-number")
    for code, pk, starts_on, ends_on in rows.values_list(
        "deck__code", "pk", "starts_on", "retired_on"
    ):
        found[code].spans.append(_Span(pk, starts_on, ends_on))
    return found


def versions_followed(version: RateDeckVersion) -> set[int]:
    """The published versions that a draft would take days from, were it published as it stands.

    Those that begin later keep their days; where one of them retires, the draft comes after it.
    """
    code = version.deck.code
    now = decks_in_force([code])[code]
    now.spans = [span for span in now.spans if span.version_id != version.pk]
    then = DeckDays(code)
    mine = _Span(version.pk, version.starts_on, None)
    then.spans = sorted([mine, *now.spans], key=lambda each: each.starts_on, reverse=True)
    turns = {version.starts_on}
    for span in now.spans:
        turns |= {span.starts_on, span.ends_on or span.starts_on}
    taken = {day for day in turns if then.version_on(day) == version.pk}
    return {before for day in taken if (before := now.version_on(day)) is not None}


@lru_cache(maxsize=MOST_TABLES)
def prefix_table(version_id: int) -> PrefixTable:
    """The rates of a published version: frozen, so kept in memory by its id."""
    return PrefixTable(rates_of_version(version_id))


def rates_of_version(version_id: int) -> list[Rate]:
    """Its rates in the order of their prefixes."""
    version = RateDeckVersion.objects.select_related("deck").get(pk=version_id)
    rows = DeckRate.objects.filter(version=version).order_by("prefix")
    per = version.deck.per_seconds
    return [
        Rate(rate, per, fee, first, then, prefix, destination)
        for prefix, destination, rate, fee, first, then in rows.values_list(*COLUMNS).iterator(
            chunk_size=10_000
        )
    ]


class Found(NamedTuple):
    """The rate of a number on a day, by which version; None without one."""

    version: RateDeckVersion | None
    rate: Rate | None


def find_rate(deck: RateDeck, number: str, day: date) -> Found:
    """What calls to a number cost on a day, by the published versions; two queries."""
    version_id = decks_in_force([deck.code])[deck.code].version_on(day)
    if version_id is None:
        return Found(None, None)
    version = RateDeckVersion.objects.select_related("deck").get(pk=version_id)
    prefixes = [number[:length] for length in range(1, len(number) + 1)]
    rows = DeckRate.objects.filter(version=version, prefix__in=prefixes).values_list(*COLUMNS)
    longest = max(rows, key=lambda row: len(row[0]), default=None)
    if longest is None:
        return Found(version, None)
    prefix, destination, rate, fee, first, then = longest
    return Found(version, Rate(rate, deck.per_seconds, fee, first, then, prefix, destination))


def decks_for_list() -> QuerySet[RateDeck]:
    """Every deck with its newest number and whether it is published or has a draft."""
    versions = RateDeckVersion.objects.filter(deck=OuterRef("pk")).order_by("-number")
    return RateDeck.objects.annotate(
        published=Exists(versions.filter(state=Lifecycle.PUBLISHED)),
        any_draft=Exists(versions.filter(state=Lifecycle.DRAFT)),
        newest=Subquery(versions.values("number")[:1]),
        prefixes=Subquery(versions.values("rates")[:1]),
    )


def versions_of_deck(deck: RateDeck) -> list[RateDeckVersion]:
    """Its versions, the newest first."""
    versions = deck.versions.select_related("deck", "prepared_by", "published_by")
    return list(versions.order_by("-number"))


def get_deck_version(code: str, number: int) -> RateDeckVersion:
    """One version of a deck; a missing one is a 404."""
    found = RateDeckVersion.objects.select_related("deck", "prepared_by", "published_by")
    return found.get(deck__code=code, number=number)


class PublishedDeck(NamedTuple):
    """What a price must know of a deck: its currency, and digits of its longest prefix."""

    currency: str
    longest: int


def published_decks(codes: Collection[str]) -> dict[str, PublishedDeck]:
    """Decks that have a published version, by their code."""
    found: dict[str, PublishedDeck] = {}
    versions = RateDeckVersion.objects.filter(deck__code__in=codes, state=Lifecycle.PUBLISHED)
    for code, currency, longest in versions.values_list(
        "deck__code", "deck__currency", "longest"
    ).order_by():
        before = found.get(code)
        found[code] = PublishedDeck(currency, max(longest, before.longest if before else 0))
    return found


def number_dimensions(meters: Collection[str]) -> dict[str, dict[str, int]]:
    """Of published meters whose every event counts: their dimensions, with the digits kept."""
    versions = MeterVersion.objects.filter(
        meter__code__in=meters, meter__aggregation="each", state=Lifecycle.PUBLISHED
    )
    found: dict[str, dict[str, int]] = {}
    for code, dimensions in versions.values_list("meter__code", "dimensions").order_by():
        known = found.setdefault(code, {})
        known |= {each["name"]: each.get("digits") or 0 for each in dimensions}
    return found


def known_decks(rows: Sequence[BookRow]) -> Known:
    """What prices by decks are checked against; no query where none is."""
    decks, meters = decks_named(rows)
    return Known(published_decks(decks), number_dimensions(meters)) if decks else Known({}, {})


# A longer prefix below one that was there would take numbers from it.
ADDS = """
WITH was AS (SELECT * FROM catalog_deckrate WHERE version_id = %(before)s),
    now AS (SELECT * FROM catalog_deckrate WHERE version_id = %(after)s),
    added AS (SELECT prefix FROM now EXCEPT SELECT prefix FROM was)
SELECT NOT EXISTS (
    SELECT prefix, rate, connect_fee, first_seconds, next_seconds FROM was
    EXCEPT SELECT prefix, rate, connect_fee, first_seconds, next_seconds FROM now
) AND NOT EXISTS (
    SELECT FROM added CROSS JOIN generate_series(1, length(added.prefix) - 1) AS size
        JOIN was ON was.prefix = left(added.prefix, size)
)
"""


def only_adds(before: int, after: int) -> bool:
    """Whether every number that one version rates costs the same by another."""
    with connection.cursor() as cursor:
        cursor.execute(ADDS, {"before": before, "after": after})
        return bool(cursor.fetchone()[0])


def digits_of_prices(deck: str) -> list[tuple[str, str, int]]:
    """(meter, dimension, digits) of every price and promise by a deck."""
    named = Q(details__call__deck=deck)
    said: set[tuple[str, str]] = set()
    for rows in (
        Price.objects.filter(named).exclude(version__state=Lifecycle.DRAFT),
        ContractPrice.objects.filter(named).exclude(contract__state=Contract.State.DRAFT),
        TermsCharge.objects.filter(named),
    ):
        told: QuerySet[Any, Any] = rows.order_by().values_list("key", "details").distinct()
        for key, details in told:
            said.add((details.get("meter") or key, details["call"]["number"]))
    known: Mapping[str, Mapping[str, int]] = number_dimensions({meter for meter, _ in said})
    return [
        (meter, name, digits)
        for meter, name in sorted(said)
        if (digits := known.get(meter, {}).get(name, 0))
    ]
