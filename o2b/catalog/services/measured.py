"""What prices say of meters: usage that none measures or keeps, grants that no pool can take."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db.models import Q, QuerySet

from o2b.catalog.book_rows import examine_all, known_of
from o2b.catalog.models import Price, PriceBook
from o2b.catalog.models.products import Lifecycle
from o2b.catalog.rules.books import BookRow, RowFault
from o2b.catalog.rules.carrying import faults_of_carrying, looked_at
from o2b.catalog.rules.decks import faults_of_decks
from o2b.catalog.rules.granting import (
    Aggregations,
    drawn_by,
    faults_of_grants,
    pools_of,
    undrawn,
)
from o2b.catalog.rules.meters import Meters, faults_of_usage, unmeasured
from o2b.catalog.rules.unpriced import limited, unpriced
from o2b.catalog.selectors.carrying import kept_by_meters
from o2b.catalog.selectors.decks import known_decks
from o2b.catalog.selectors.meters import (
    measured_by,
    published_aggregations,
    published_dimensions,
    said_of_dimensions,
)
from o2b.charging.terms import Kind

MOST_LOOKED_AT = 1000


def faults_of_meters(rows: Sequence[BookRow], *, since: date) -> list[RowFault]:
    """Usage by a meter or a deck that is unknown or does not tell what the price looks at.

    And grants into a pool that cannot be. `since` is the first day of the prices.
    """
    looking = looked_at(rows)
    kept = kept_by_meters(looking, since) if looking else {}
    pools = pools_of(rows)
    known = published_aggregations(pools) if pools else {}
    return [
        *faults_of_usage(rows, _meters_of(rows)),
        *faults_of_carrying(rows, kept, since),
        *faults_of_decks(rows, known_decks(rows)),
        *faults_of_grants(rows, known),
    ]


def warnings_of_meters(
    prices: QuerySet[Any], *, currency: str, book: PriceBook | None = None
) -> list[RowFault]:
    """What may be published, but helps nothing: usage unmeasured or unpriced, units undrawn.

    Usage may draw by another published book of the currency: an account pays by several. `book` is
    the one whose draft is looked at, so that what it says no more does not count.
    """
    asked = prices.filter(Q(kind=Kind.USAGE.value) | Q(details__has_key="grant"))
    found = list(asked.order_by("product__code", "key"))
    known = known_of({price.product_id for price in found})
    rows, _broken = examine_all(found, currency, known)
    meters = published_aggregations(pools_of(rows))
    drawn = drawn_by(rows, meters)
    if open_ := pools_of(rows) - drawn:
        elsewhere = {code: meters[code] for code in open_ if code in meters}
        drawn |= _drawn_elsewhere(elsewhere, currency, book)
    # What no published meter is named by is refused, not warned of.
    lost = [fault for fault in undrawn(rows, drawn) if fault.facts["meter"] in meters]
    return [*unmeasured(rows, _meters_of(rows)), *_left_over(rows, book), *lost]


def _left_over(rows: Sequence[BookRow], book: PriceBook | None) -> list[RowFault]:
    """Values of dimensions that no price of a book is for; a contract stands beside a book's."""
    groups = limited(rows) if book is not None else {}
    said = said_of_dimensions({meter for _product, meter in groups}) if groups else {}
    return list(unpriced(groups, said))


def _meters_of(rows: Sequence[BookRow]) -> Meters:
    """The published meters that some prices are measured by; no query without usage."""
    codes = {row.charge.meter_code for row in rows if row.charge.kind is Kind.USAGE}
    return published_dimensions(codes) if codes else {}


def _drawn_elsewhere(meters: Aggregations, currency: str, book: PriceBook | None) -> set[str]:
    """Of some meters those by which a published price in the currency draws."""
    found: set[str] = set()
    listed = Price.objects.filter(
        version__state=Lifecycle.PUBLISHED, version__book__currency=currency
    )
    if book is not None:
        listed = listed.exclude(version__book=book)
    for code, how in meters.items():
        prices = list(measured_by(code, listed)[:MOST_LOOKED_AT])
        known = known_of({price.product_id for price in prices})
        rows, _broken = examine_all(prices, currency, known)
        found |= drawn_by(rows, {code: how})
    return found
