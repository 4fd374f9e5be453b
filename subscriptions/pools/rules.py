"""Which pool a service draws from on a day, and what every pool covers of what was used."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from o2b.charging import ChargeFacts
from o2b.charging.facts import Prepaid
from o2b.charging.pooling import Drawing, Lot, Use, draw, wanted_by_day
from subscriptions.usage.rules.metering import ByDeck

Ref = tuple[int, int, str]  # item, Terms, key: which charge


class Membership(NamedTuple):
    """A pool that somebody draws from on some days."""

    pool_id: int
    begins_on: date
    ends_on: date | None

    def holds(self, day: date) -> bool:
        return self.begins_on <= day and (self.ends_on is None or day < self.ends_on)


class Draws(NamedTuple):
    """Whom an item draws from: by what is said of its service, else of its account, else its own.

    `own` is the pool of the account itself, None if it has none.
    """

    of_service: Sequence[Membership] = ()
    of_account: Sequence[Membership] = ()
    own: int | None = None

    def on(self, day: date) -> int | None:
        """The one pool that counts on a day; None: it draws from none."""
        for told in (self.of_service, self.of_account):
            for each in told:
                if each.holds(day):
                    return each.pool_id
        return self.own

    def by(self, day: date) -> str:
        """What decides it on a day: `service`, `account` or `own`."""
        if any(each.holds(day) for each in self.of_service):
            return "service"
        return "account" if any(each.holds(day) for each in self.of_account) else "own"


class Drawer(NamedTuple):
    """A charge that may draw: what was used of it, and from which pool on which day.

    `service` is the first of its chain, `where` the dimensions that count for it, `by_deck` how
    its calls find their rates.
    """

    ref: Ref
    facts: ChargeFacts
    draws: Draws
    service: int = 0
    where: str | None = None
    by_deck: ByDeck | None = None


def uses_of(pool_id: int, drawers: Iterable[Drawer], *, on: date) -> list[Use]:
    """What all of them want from a pool up to a day; they are told in the order of drawing."""
    return [
        Use(day, order, drawer.ref, units)
        for order, drawer in enumerate(drawers)
        for day, units in wanted_by_day(drawer.facts, on=on)
        if drawer.draws.on(day) == pool_id
    ]


def covered_by(drawing: Drawing) -> dict[Ref, tuple[Prepaid, ...]]:
    """The prepaid units of each charge, by day."""
    return {
        ref: tuple(Prepaid(day, units) for day, units in sorted(by_day.items()))
        for ref, by_day in drawing.by_ref().items()
        if isinstance(ref, tuple)
    }


def drawn_from(
    pool_id: int, lots: Iterable[Lot], drawers: Sequence[Drawer], *, on: date
) -> Drawing:
    """How a pool stands at the end of a day."""
    return draw(lots, uses_of(pool_id, drawers, on=on), on=on)


def joined(found: Iterable[Mapping[Ref, tuple[Prepaid, ...]]]) -> dict[Ref, tuple[Prepaid, ...]]:
    """What several pools cover of the same charges, each on days of its own."""
    whole: dict[Ref, tuple[Prepaid, ...]] = {}
    for each in found:
        for ref, prepaid in each.items():
            whole[ref] = whole.get(ref, ()) + prepaid
    return whole
