"""What lines cost before and after a draft of a book counts: the same resolution, twice."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from o2b.catalog.models import PriceBookVersion
from o2b.catalog.resolution.resolve import Asked, Resolution, resolved
from o2b.catalog.resolution.sources import Sources, read_sources
from o2b.charging.models import BeyondTiers, EventsNeeded
from o2b.charging.pricing import price
from o2b.charging.terms import ChargeTerms, Kind
from o2b.errors import Refused


@dataclass(frozen=True, slots=True)
class Compared:
    """The Terms of some lines without the draft and with it; None where they have no price."""

    without: list[Resolution] | None
    with_it: list[Resolution] | None

    @property
    def before(self) -> Decimal | None:
        return _total(self.without)

    @property
    def after(self) -> Decimal | None:
        return _total(self.with_it)

    @property
    def same(self) -> bool:
        """Whether the lines are promised the same, however many charges they have."""
        if self.without is None or self.with_it is None:
            return self.without is self.with_it
        return [r.terms for r in self.without] == [r.terms for r in self.with_it]


def compare_publication(
    *, version: PriceBookVersion, asked: Sequence[Asked], on: date
) -> list[Compared]:
    """What each account's lines would cost on a day, in the queries of two resolutions."""
    accounts = [one.account for one in asked]
    products = {wanted.product_version.product_id for one in asked for wanted in one.wanted}
    without = read_sources(accounts=accounts, products=products, on=on)
    with_it = read_sources(accounts=accounts, products=products, on=on, as_if=version)
    return [Compared(_tried(one, without), _tried(one, with_it)) for one in asked]


def period_price(charges: Iterable[ChargeTerms], quantity: Decimal) -> Decimal | None:
    """All charges but usage for a full period each, and once what is paid once."""
    try:
        prices = [price(c, quantity) for c in charges if c.kind is not Kind.USAGE]
    except (BeyondTiers, EventsNeeded):
        return None
    return sum(prices, Decimal(0))


def _tried(asked: Asked, sources: Sources) -> list[Resolution] | None:
    try:
        return resolved(asked, sources)
    except Refused:
        return None


def _total(resolutions: Sequence[Resolution] | None) -> Decimal | None:
    if resolutions is None:
        return None
    prices = [period_price(r.terms.charges, r.quantity) for r in resolutions]
    return None if None in prices else sum((p for p in prices if p is not None), Decimal(0))
