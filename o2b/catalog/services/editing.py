"""Edit the prices of a draft as a grid: rows come, change and go together, or none of them does."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from o2b import events
from o2b.catalog.book_rows import Known, examine, examine_all, known_of
from o2b.catalog.models import Price, PriceBookVersion, Product
from o2b.catalog.rules.books import CLASH, BookRow, RowFault, faults_of_rows
from o2b.catalog.rules.faults import gettext_noop
from o2b.catalog.rules.grid import read_cells
from o2b.catalog.services.books import locked_draft, touched
from o2b.errors import Invalid

MOST_ROWS = 5000
NOT_CELLS = frozenset(("id", "delete", "currency"))
NO_ROW = gettext_noop("This row is not in the draft, or is there twice.")
NO_PRODUCT = gettext_noop("There is no product “%(product)s”.")
OTHER_CURRENCY = gettext_noop("The book is in %(currency)s.")


class TooManyRows(Invalid):
    code = "too_many_rows"


@transaction.atomic
def edit_prices(
    *, version_id: int, by: int, at: datetime, rows: Sequence[Mapping[str, Any]]
) -> list[RowFault]:
    """Write rows of a draft: all of them, or none and the faults, by index of the row and column.

    A row is {id, …columns of rules.grid}: without `id` it is new, with `delete` it goes; what is
    not given of a stored one stays. `product` is a code, `currency`, if told, the book's.
    """
    draft = locked_draft(version_id)
    if len(rows) > MOST_ROWS:
        message = _("At most %(most)s rows at once.") % {"most": MOST_ROWS}
        raise TooManyRows(message, field="rows")
    edit = _Edit(draft, rows)
    faults = edit.faults()
    if faults:
        return sorted(faults, key=lambda fault: -1 if fault.row is None else fault.row)
    edit.write()
    touched(draft, by=by)
    events.record("price_book_version.edited", draft, at=at, actor_id=by, rows=len(rows))
    return []


class _Edit:
    """What is to be written, read and checked once."""

    def __init__(self, draft: PriceBookVersion, rows: Sequence[Mapping[str, Any]]) -> None:
        self.draft = draft
        self.found: list[RowFault] = []
        ids = {key for row in rows if type(key := row.get("id")) is int and 0 < key < 2**63}
        stored = draft.prices.filter(pk__in=ids).select_related("product")
        self.stored = {price.pk: price for price in stored}
        codes = {c for row in rows if isinstance(c := row.get("product"), str) and "\0" not in c}
        self.products = {p.code: p for p in Product.objects.filter(code__in=codes)}
        self.gone: set[int] = set()
        self.prices: dict[int, Price] = {}
        seen: set[int] = set()
        for index, row in enumerate(rows):
            self._read(index, row, seen)

    def _read(self, index: int, row: Mapping[str, Any], seen: set[int]) -> None:
        cells = {name: cell for name, cell in row.items() if name not in NOT_CELLS}
        price = self._stored(row.get("id"), seen)
        if price is None:
            self._fault(index, "id", NO_ROW)
            return
        if price.pk is not None and row.get("delete"):
            self.gone.add(price.pk)
            return
        currency = self.draft.book.currency
        if row.get("currency") not in (None, "", currency):
            self._fault(index, "currency", OTHER_CURRENCY, {"currency": currency})
        if price.pk is None:
            cells = {"product": None, "key": None, "kind": None} | cells
        values, broken = read_cells(cells)
        for column, fault in broken.items():
            self._fault(index, column, fault.message, fault.facts)
        if not self._name_product(price, values.pop("product", None), index) or broken:
            return
        for column, value in values.items():
            setattr(price, column, value)
        self.prices[index] = price

    def _stored(self, key: Any, seen: set[int]) -> Price | None:
        """The row with that key, a new one without a key, None if there is none to edit."""
        if key in (None, ""):
            return Price(version=self.draft)
        if type(key) is not int or key not in self.stored or key in seen:
            return None
        seen.add(key)
        return self.stored[key]

    def _name_product(self, price: Price, code: str | None, index: int) -> bool:
        if code is None:
            return price.product_id is not None
        if code not in self.products:
            self._fault(index, "product", NO_PRODUCT, {"product": code})
            return False
        price.product = self.products[code]
        return True

    def faults(self) -> list[RowFault]:
        """Of the cells, of each charge, and of the rows beside their neighbours."""
        currency = self.draft.book.currency
        rows: list[BookRow] = []
        for index, price in self.prices.items():
            checked = examine(price, currency, price.product.code, row=index)
            if isinstance(checked, RowFault):
                self.found.append(checked)
            else:
                rows.append(checked)
        if self.found:
            return self.found
        known = known_of({price.product_id for price in self.prices.values()})
        beside = list(self.draft.prices.filter(product__in=known.codes))
        mine = {price.pk for price in self.prices.values()} | self.gone
        others = [price for price in beside if price.pk not in mine]
        rows += _neighbours(others, currency, known)
        after = list(faults_of_rows(rows, known.characteristics))
        if not after:
            return []
        # What clashed before clashes still, but that is no reason to refuse this.
        before = _neighbours(beside, currency, known)
        old = {_said(fault) for fault in faults_of_rows(before, known.characteristics)}
        return [
            fault if mine_it_is else replace(fault, row=None)
            for fault in after
            if (mine_it_is := fault.row is not None and fault.row >= 0)
            and fault.code != CLASH
            or _said(fault) not in old
        ]

    def write(self) -> None:
        """Rows keep their keys; written anew, so that two of them may change places."""
        again = [price.pk for price in self.prices.values() if price.pk is not None]
        self.draft.prices.filter(pk__in=[*again, *self.gone]).delete()
        Price.objects.bulk_create(
            [self.prices[index] for index in sorted(self.prices)], batch_size=1000
        )

    def _fault(
        self, index: int, column: str, message: str, facts: Mapping[str, object] | None = None
    ) -> None:
        self.found.append(RowFault(message, facts or {}, row=index, column=column))


def _neighbours(prices: Sequence[Price], currency: str, known: Known) -> list[BookRow]:
    """Stored rows, as far as they can be read; their keys are negative, for they are no index."""
    rows, _broken = examine_all(prices, currency, known)
    return [replace(row, row=-row.row) for row in rows]


def _said(fault: RowFault) -> tuple[object, ...]:
    return (fault.product, fault.key, fault.message, str(sorted(fault.facts.items())))
