"""Turn stored charges into pure ones, with the conventions of who bills them."""

import json
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from o2b.catalog.models import TermsCharge
from o2b.catalog.models.prices import ChargeShape
from o2b.charging.terms import (
    ChargeTerms,
    Conventions,
    Discount,
    DiscountKind,
    details_of,
    tiers_of,
)
from o2b.periods import Interval

CONVENTIONS = frozenset(Conventions.__dataclass_fields__)


def conventions_text(document: Any) -> str:
    """Those settings of a legal entity that a charge is counted by, as one text; "" if none."""
    if not isinstance(document, Mapping):
        return ""
    return _text({name: value for name, value in document.items() if name in CONVENTIONS})


def charge_terms(row: ChargeShape, currency: str, conventions: str = "") -> ChargeTerms:
    """The pure form of a stored charge (a price, a contract's price, or a charge of Terms).

    `conventions` are the legal entity's (see `conventions_text`); the row's own go before them,
    setting by setting, and a charge of Terms has its own only. Raises TermsInvalid.
    """
    frozen = isinstance(row, TermsCharge)
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
        (_text(row.tiers), _text(row.details), "" if frozen else conventions),
    )


def _text(document: Any) -> str:
    return json.dumps(document, sort_keys=True) if document else ""


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
    parts: tuple[str, str, str],
) -> ChargeTerms:
    """Built once for equal rows: checking a charge costs more than finding it again."""
    timing, alignment, proration = how
    tax_code, revenue_rule = codes
    tiers, details, conventions = parts
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
        tiers=tiers_of(json.loads(tiers)) if tiers else (),
        **_details(details, conventions),
    )


def _details(details: str, conventions: str) -> dict[str, Any]:
    if not details and not conventions:
        return {}
    document = json.loads(details) if details else {}
    own = document.get("conventions") if isinstance(document, dict) else ""
    if conventions and (own is None or isinstance(own, dict)):
        document["conventions"] = json.loads(conventions) | (own or {})
    return details_of(document)
