"""What is exported, in the columns that an import reads; and the imports that were."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from o2b.catalog.exchange import cells, charges
from o2b.catalog.exchange.charges import columns_of
from o2b.catalog.exchange.contracts import head_of
from o2b.catalog.exchange.layouts import BOOKS, CONTRACTS, LAYOUTS, OF_A_CONTRACT
from o2b.catalog.exchange.products import cells_of, identity_text
from o2b.catalog.exchange.report import Result, unpacked
from o2b.catalog.exchange.sheets import Form, write_csv, write_xlsx
from o2b.catalog.models import (
    CatalogImport,
    CatalogUpload,
    Contract,
    Price,
    PriceBookVersion,
    ProductVersion,
)
from o2b.catalog.models.exchange import SheetKind
from o2b.errors import Invalid
from o2b.sql import ask

BATCH = 2000
_KEYS = "SELECT DISTINCT jsonb_object_keys(match) AS name FROM {table} WHERE {column} = ANY(%s)"


class NothingToExport(Invalid):
    code = "nothing_to_export"


def export_catalog(*, kind: str, selection: Any = None, form: str = Form.CSV) -> Iterator[bytes]:
    """A sheet that reads back as what it was written from, piece by piece.

    `selection` is a version of a book by id; codes of products (None: all); ids of contracts
    (None: the newest version of each).
    """
    header, rows = _SHEETS[SheetKind(kind)](selection)
    first = next(rows, None)
    if first is None:
        raise NothingToExport(_("There is nothing to export."))
    told = ([row.get(name, "") for name in header] for row in chain([first], rows))
    return write_csv(header, told) if Form(form) is Form.CSV else write_xlsx(header, told)


def example(kind: str) -> Iterator[bytes]:
    """A sheet with nothing but the header, to be filled in."""
    return write_csv(LAYOUTS[SheetKind(kind)].columns, [])


def _products(codes: Sequence[str] | None) -> tuple[Sequence[str], Iterator[dict[str, str]]]:
    versions = newest_versions()
    if codes is not None:
        versions = versions.filter(product__code__in=codes)
    told = (
        {
            "code": version.product.code,
            **identity_text(version.product),
            **cells_of(version).text(),
        }
        for version in versions.iterator(chunk_size=BATCH)
    )
    return LAYOUTS[SheetKind.PRODUCTS].columns, told


def newest_versions() -> QuerySet[ProductVersion]:
    """The newest version of each product, with all that a sheet says of it."""
    return (
        ProductVersion.objects.order_by("product__code", "-number")
        .distinct("product__code")
        .select_related("product", "successor__product")
        .prefetch_related("rules__other", "options__component")
    )


def _prices(version_id: int) -> tuple[Sequence[str], Iterator[dict[str, str]]]:
    version = PriceBookVersion.objects.get(pk=version_id)
    names = _match_names("catalog_price", "version_id", [version.pk])
    # In the order of their keys: that of the sheet that they were imported from.
    prices = (
        Price.objects.filter(version=version).order_by("pk").values("product__code", *_OF_PRICE)
    )
    told = (
        {
            "product": price["product__code"],
            **columns_of(price),
            "from_version": str(price["from_version"]),
            "to_version": str(price["to_version"] or ""),
            "discount_limit": cells.plain_text(price["discount_limit"]),
            **_matched(price["match"]),
        }
        for price in prices.iterator(chunk_size=BATCH)
    )
    return (*BOOKS.columns, *names), told


_OF_CHARGE = (
    "key",
    "kind",
    "model",
    "unit_price",
    "tiers",
    "details",
    "interval_unit",
    "interval_count",
    "timing",
    "alignment",
    "proration",
    "tax_code",
    "revenue_rule",
    "match",
)
_OF_PRICE = (*_OF_CHARGE, "from_version", "to_version", "discount_limit")


def _contracts(ids: Sequence[int] | None) -> tuple[Sequence[str], Iterator[dict[str, str]]]:
    if ids is None:
        contracts = newest_contracts()
    else:
        contracts = with_all(Contract.objects.filter(pk__in=ids))
        contracts = contracts.order_by("account__reference", "code", "pk")
    ids = list(contracts.values_list("pk", flat=True))
    names = _match_names("catalog_contractprice", "contract_id", ids)
    told = (row for each in contracts.iterator(chunk_size=BATCH) for row in _contract_rows(each))
    return (*CONTRACTS.columns, *names), told


def newest_contracts() -> QuerySet[Contract]:
    """The newest version of each contract, with all that a sheet says of it."""
    contracts = Contract.objects.order_by("account__reference", "code", "-number")
    return with_all(contracts.distinct("account__reference", "code"))


def with_all(contracts: QuerySet[Contract]) -> QuerySet[Contract]:
    """Contracts with all that a sheet says of them."""
    return contracts.select_related("account").prefetch_related(
        "prices__product", "discounts", "commitments__product", "pools__product"
    )


def _contract_rows(contract: Contract) -> Iterator[dict[str, str]]:
    """The head in the first row alone; a contract without charges is one row."""
    name = {"account": contract.account.reference, "contract": contract.code}
    head = head_of(contract).text()
    prices = sorted(contract.prices.all(), key=lambda price: price.pk)
    rows = [
        {"product": price.product.code, **columns_of(vars(price)), **_matched(price.match)}
        for price in prices
    ]
    for i, row in enumerate(rows or [{}]):
        keep = OF_A_CONTRACT if not i else ("valid_from",)
        yield {**name, **{column: head[column] for column in keep}, **row}


def _matched(match: dict[str, Any]) -> dict[str, str]:
    return {charges.MATCH + name: str(value) for name, value in match.items()}


def _match_names(table: str, column: str, ids: list[int]) -> list[str]:
    """A column for each characteristic that a price among these is for."""
    return sorted(
        charges.MATCH + name for (name,) in ask(_KEYS.format(table=table, column=column), [ids])
    )


_SHEETS: dict[str, Callable[[Any], tuple[Sequence[str], Iterator[dict[str, str]]]]] = {
    SheetKind.PRODUCTS: _products,
    SheetKind.BOOKS: _prices,
    SheetKind.CONTRACTS: _contracts,
}


def results_page(
    packed: bytes, *, words: str = "", became: str = "", begin: int = 0, size: int = 50
) -> tuple[list[Result], bool]:
    """Some of the results that match, and whether there are more."""
    wanted = words.lower().split()
    found: Iterable[Result] = (
        each
        for each in unpacked(packed)
        if (not became or each.became == became)
        and all(word in f"{each.what} {each.new}".lower() for word in wanted)
    )
    page = list(islice(found, begin, begin + size + 1))
    return page[:size], len(page) > size


def imports_for_list() -> QuerySet[CatalogImport]:
    """Every import, the newest first, without the results that are only read one by one."""
    return CatalogImport.objects.defer("results").select_related("by").order_by("-at", "-pk")


def get_import(import_id: int) -> CatalogImport:
    return CatalogImport.objects.select_related("by", "undone_by").get(pk=import_id)


def get_upload(upload_id: int, *, user_id: int) -> CatalogUpload:
    """A file that this person tried; to others it is not there."""
    return CatalogUpload.objects.defer("body").get(pk=upload_id, by=user_id)


def made_by(taken: CatalogImport) -> list[Any]:
    """The drafts that an import made and that are there still; of many, the first fifty."""
    books = PriceBookVersion.objects.filter(pk__in=_ids(taken, PriceBookVersion))
    versions = ProductVersion.objects.filter(pk__in=_ids(taken, ProductVersion))
    contracts = Contract.objects.filter(pk__in=_ids(taken, Contract))
    return [
        *books.select_related("book"),
        *versions.select_related("product")[:50],
        *contracts.select_related("account")[:50],
    ]


def _ids(taken: CatalogImport, model: Any) -> list[int]:
    return taken.made.get(model._meta.label_lower, [])


def versions_for_export() -> QuerySet[PriceBookVersion]:
    """Versions of books whose prices can be exported, the newest of each book first."""
    versions = PriceBookVersion.objects.select_related("book")
    return versions.order_by("book__code", "-number")[:200]
