"""Short ways to make rate decks."""

from datetime import UTC, date, datetime
from decimal import Decimal

from o2b.catalog.models import RateDeckVersion
from o2b.catalog.services.decks import (
    add_deck,
    draft_version,
    fill_version,
    move_version,
    publish_version,
)
from o2b.charging import DeckRate
from tests.factories import LONG_AGO, a_user

RATES = {"49": "0.02", "49171": "0.18", "44": "0.03"}


def rates(told: dict[str, str]) -> list[DeckRate]:
    """`{"49": "0.60/60/60+0.10"}`: rate, increments (by the second unless told), connect fee."""
    found = []
    for prefix, text in told.items():
        text, _, fee = text.partition("+")
        price, *steps = text.split("/")
        first, then = map(int, steps) if steps else (1, 1)
        found.append(
            DeckRate(Decimal(price), 60, Decimal(fee or 0), first, then, prefix, f"To {prefix}")
        )
    return found


def a_deck(
    code: str = "intl", told: dict[str, str] | None = None, *, currency: str = "EUR"
) -> RateDeckVersion:
    """A deck with a version that is published from long ago."""
    told = RATES if told is None else told
    deck = add_deck(
        code=code,
        name=code.title(),
        currency=currency,
        by=None,
        at=LONG_AGO,
        starts_on=date(2025, 1, 1),
    )
    version = deck.versions.get()
    fill_version(version_id=version.pk, rates=rates(told), by=None, at=LONG_AGO)
    return publish_version(version_id=version.pk, at=LONG_AGO)


def next_version(
    told: dict[str, str], starts_on: str, *, code: str = "intl", at: datetime | None = None
) -> RateDeckVersion:
    """The deck's next version, published by a second person with these rates in place of all."""
    at = at or datetime(2025, 1, 2, tzinfo=UTC)
    writer = a_user().pk
    draft = draft_version(code=code, by=writer, at=at)
    fill_version(version_id=draft.pk, rates=rates(told), by=writer, at=at)
    move_version(version_id=draft.pk, starts_on=date.fromisoformat(starts_on), by=writer, at=at)
    return publish_version(version_id=draft.pk, at=at, by=a_user().pk)
