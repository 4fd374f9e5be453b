"""Choose the source that prices one line, say why, and turn its stored charges into pure ones."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from o2b.catalog.models import PriceBookVersion, ProductVersion, TermsCharge
from o2b.catalog.models.prices import ChargeShape
from o2b.catalog.resolution.sources import Sources
from o2b.charging.terms import ChargeTerms, Discount, DiscountKind
from o2b.customers.models import Account
from o2b.errors import Invalid
from o2b.periods import Interval

ANY_LATER = 32767


class NoPrice(Invalid):
    """Neither the contract nor a book has a price for the product."""

    code = "no_price"


@dataclass(frozen=True, slots=True)
class Choice:
    """The charges that won, the book they stand in (none for a contract's own), and why."""

    charges: list[ChargeTerms]
    book_version: PriceBookVersion | None
    why: list[dict[str, object]]


def choose(version: ProductVersion, *, account: Account, sources: Sources, field: str) -> Choice:
    """The best source for a product version; raises NoPrice naming the field."""
    product = version.product_id
    why: list[dict[str, object]] = []
    won: tuple[Sequence[ChargeShape], PriceBookVersion | None] | None = None
    if contract := sources.contracts.get(account.pk):
        own = sources.negotiated.get((contract.pk, product), ())
        why.append(_told(f"contract {contract}", bool(own), "a price of its own"))
        won = (own, None) if own else None
    for book_version in sources.books_of(account):
        if won:
            why.append({"source": f"book {book_version}", "won": False, "reason": "ranks lower"})
            continue
        prices = _for_version(sources.listed.get((book_version.pk, product), ()), version.number)
        book = "the default book" if book_version.book.is_default else "the segment's book"
        why.append(_told(f"book {book_version}", bool(prices), book))
        won = (prices, book_version) if prices else None
    if won is None:
        raise NoPrice(
            f"{version} has no price in {account.currency}: publish a book that prices it",
            field=field,
        )
    rows, from_book = won
    return Choice([charge_terms(row, account.currency) for row in rows], from_book, why)


def _for_version(prices: Iterable[ChargeShape], number: int) -> list[ChargeShape]:
    return [
        p
        for p in prices
        if p.from_version <= number <= (p.to_version or ANY_LATER)  # type: ignore[attr-defined]
    ]


def _told(source: str, won: bool, reason: str) -> dict[str, object]:
    return {"source": source, "won": won, "reason": reason if won else "no price"}


def charge_terms(row: ChargeShape, currency: str) -> ChargeTerms:
    """The pure form of a stored charge (a price, a contract's price, or a charge of Terms)."""
    discounts = row.discounts if isinstance(row, TermsCharge) else ()
    return _pure(
        row.key,
        row.kind,
        row.model,
        row.unit_price,
        currency,
        (row.interval_unit, row.interval_count) if row.interval_unit else None,
        (row.timing, row.alignment, row.proration),
        tuple((d["kind"], d["value"]) for d in discounts),
        (row.tax_code, row.revenue_rule),
    )


@lru_cache(maxsize=4096)
def _pure(
    key: str,
    kind: str,
    model: str,
    unit_price: Decimal,
    currency: str,
    interval: tuple[str, int] | None,
    how: tuple[str, str, str],
    discounts: tuple[tuple[str, str], ...],
    codes: tuple[str, str],
) -> ChargeTerms:
    """Built once for equal rows: checking a charge costs more than finding it again."""
    timing, alignment, proration = how
    tax_code, revenue_rule = codes
    return ChargeTerms(
        key=key,
        kind=kind,  # type: ignore[arg-type]  # plain strings become members on construction
        model=model,  # type: ignore[arg-type]
        unit_price=unit_price,
        currency=currency,
        interval=Interval(*interval) if interval else None,  # type: ignore[arg-type]
        timing=timing,  # type: ignore[arg-type]
        alignment=alignment,  # type: ignore[arg-type]
        proration=proration,  # type: ignore[arg-type]
        discounts=tuple(Discount(DiscountKind(k), Decimal(v)) for k, v in discounts),
        tax_code=tax_code,
        revenue_rule=revenue_rule,
    )
