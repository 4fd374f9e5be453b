"""Stored prices as the rules of books look at them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from o2b.catalog.models import ContractPrice, Price, Product, ProductVersion
from o2b.catalog.resolution.matching import as_texts
from o2b.catalog.resolution.stored import charge_terms
from o2b.catalog.rules.books import BookRow, RowFault
from o2b.catalog.rules.faults import gettext_noop
from o2b.charging.terms import TermsInvalid

NOT_BILLABLE = gettext_noop("%(product)s, %(key)s: %(fault)s")
FIXED = frozenset(field.name for field in Price._meta.concrete_fields)


@dataclass(frozen=True, slots=True)
class Known:
    """Of some products: their codes, and the characteristics that any version of each has."""

    codes: Mapping[int, str]
    characteristics: Mapping[str, Collection[str]]


def known_of(products: Collection[int]) -> Known:
    """Two queries, whatever the number of products."""
    codes = dict(Product.objects.filter(pk__in=products).values_list("pk", "code"))
    names: dict[str, set[str]] = defaultdict(set)
    versions = ProductVersion.objects.filter(product__in=products).order_by()
    for product, specs in versions.values_list("product_id", "characteristics"):
        names[codes[product]].update(spec["name"] for spec in specs)
    return Known(codes, names)


def examine(
    price: Price | ContractPrice, currency: str, code: str, *, row: int
) -> BookRow | RowFault:
    """A stored price for the rules, or why it could not be billed, in the column that says so.

    `code` is its product's. A contract's price is of every version of the product.
    """
    try:
        charge = charge_terms(price, currency)
    except TermsInvalid as exc:
        column = exc.field if exc.field.split(".")[0] in FIXED else _column(exc.field)
        facts = {"product": code, "key": price.key, "fault": exc.message}
        return RowFault(NOT_BILLABLE, facts, row, column, code, price.key)
    match = as_texts(price.match)
    if isinstance(price, ContractPrice):
        return BookRow(row, code, charge, match=match)
    return BookRow(
        row, code, charge, price.from_version, price.to_version, match, price.discount_limit
    )


def _column(field: str) -> str:
    return "interval_unit" if field == "interval" else f"details.{field}"


def examine_all(
    prices: Iterable[Price | ContractPrice], currency: str, known: Known
) -> tuple[list[BookRow], list[RowFault]]:
    """Those that can be billed, and the faults of the others; by the key of the price."""
    rows: list[BookRow] = []
    faults: list[RowFault] = []
    for price in prices:
        found = examine(price, currency, known.codes[price.product_id], row=price.pk)
        if isinstance(found, RowFault):
            faults.append(found)
        else:
            rows.append(found)
    return rows, faults
