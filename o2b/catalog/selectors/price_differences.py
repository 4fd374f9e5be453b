"""What changed between two versions of a price book: old and new price, percent, new, gone."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from o2b.catalog.models import Price, PriceBookVersion
from o2b.catalog.selectors.granted import MeterNames
from o2b.catalog.selectors.rates import match_words, name_of, own_parts_of, rhythm_of
from o2b.money import EXACT
from o2b.sql import ask

NEW, GONE, DEARER, CHEAPER, OTHER = "new", "gone", "dearer", "cheaper", "other"
# Unit prices compare as amounts only where nothing else about the price differs.
_SAME = ("model", "kind", "interval_unit", "interval_count", "tiers", "details")
_ALSO = ("timing", "alignment", "proration", "tax_code", "revenue_rule", "discount_limit")
_PLACES = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class PriceChange:
    """One charge that is not as it was; an amount is None where there is none."""

    code: str
    product: str
    charge: str
    kind: str
    before: Decimal | None
    after: Decimal | None
    percent: Decimal | None
    said_before: str
    said_after: str
    currency: str
    match: str = ""


def price_differences(before: PriceBookVersion, after: PriceBookVersion) -> list[PriceChange]:
    """Every price that differs, by product and charge; Postgres finds them, we read only those."""
    pairs = _pairs(f"SELECT old.id, new.id FROM {_JOINED}", before, after)
    prices = _read([key for pair in pairs for key in pair if key is not None])
    currency = after.book.currency
    meters = MeterNames()
    found = [_change(prices.get(old), prices.get(new), currency, meters) for old, new in pairs]
    return sorted(found, key=lambda change: (change.product, change.code, change.charge))


def price_counts(before: PriceBookVersion, after: PriceBookVersion) -> dict[str, int]:
    """How many prices are dearer, cheaper, new, gone or otherwise different; one query."""
    counted = _pairs(f"SELECT {_KIND}, count(*) FROM {_JOINED} GROUP BY 1", before, after)
    return dict.fromkeys((DEARER, CHEAPER, NEW, GONE, OTHER), 0) | dict(counted)


def _row(alias: str, names: Iterable[str]) -> str:
    return "ROW(" + ", ".join(f"{alias}.{name}" for name in names) + ")"


# What makes two prices the same one, and what may differ between them.
_IDENTITY = ("product_id", "key", "from_version", "match")
_COMPARED = ("unit_price", "to_version", *_SAME, *_ALSO)
_JOINED = f"""
    (SELECT * FROM catalog_price WHERE version_id = %s) old
    FULL JOIN (SELECT * FROM catalog_price WHERE version_id = %s) new
        ON {" AND ".join(f"old.{name} = new.{name}" for name in _IDENTITY)}
    WHERE old.id IS NULL OR new.id IS NULL
        OR {_row("old", _COMPARED)} IS DISTINCT FROM {_row("new", _COMPARED)}
"""
_KIND = f"""
    CASE WHEN old.id IS NULL THEN '{NEW}' WHEN new.id IS NULL THEN '{GONE}'
        WHEN old.unit_price = 0 OR old.tiers <> '[]' OR old.unit_price = new.unit_price
            OR {_row("old", _SAME)} IS DISTINCT FROM {_row("new", _SAME)} THEN '{OTHER}'
        WHEN new.unit_price > old.unit_price THEN '{DEARER}' ELSE '{CHEAPER}' END
"""


def _pairs(sql: str, before: PriceBookVersion, after: PriceBookVersion) -> list[Any]:
    return ask(sql, [before.pk, after.pk])


def _read(keys: list[int]) -> dict[int, Price]:
    found: dict[int, Price] = {}
    for start in range(0, len(keys), 10_000):
        prices = Price.objects.filter(pk__in=keys[start : start + 10_000])
        found |= {price.pk: price for price in prices.select_related("product")}
    return found


def _change(old: Price | None, new: Price | None, currency: str, meters: MeterNames) -> PriceChange:
    one = new or old
    assert one is not None
    percent, kind = None, NEW if old is None else GONE
    if old and new:
        percent = _percent(old, new)
        kind = OTHER
        if percent is not None and old.unit_price != new.unit_price:
            kind = DEARER if new.unit_price > old.unit_price else CHEAPER
    return PriceChange(
        code=one.product.code,
        product=one.product.name,
        charge=name_of(one.key),
        kind=kind,
        before=_amount(old),
        after=_amount(new),
        percent=percent,
        said_before=_said(old, currency, meters),
        said_after=_said(new, currency, meters),
        currency=currency,
        match=", ".join(match_words(one.match)),
    )


def _amount(price: Price | None) -> Decimal | None:
    """The unit price, where it is what is paid."""
    return None if price is None or price.tiers else price.unit_price.normalize()


def _percent(old: Price, new: Price) -> Decimal | None:
    if not old.unit_price or any(getattr(old, n) != getattr(new, n) for n in _SAME):
        return None
    if old.tiers:
        return None
    difference = EXACT.subtract(new.unit_price, old.unit_price)
    return (difference * 100 / old.unit_price).quantize(_PLACES)


def _said(price: Price | None, currency: str, meters: MeterNames) -> str:
    if price is None:
        return ""
    return "; ".join([rhythm_of(price), *own_parts_of(price, currency, meters)])
