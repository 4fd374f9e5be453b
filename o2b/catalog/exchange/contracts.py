"""A contract as the rows of a sheet: a head that repeats, and a charge in each row."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from o2b.catalog.exchange import cells, charges
from o2b.catalog.exchange.faults import CellInvalid
from o2b.catalog.exchange.layouts import OF_A_CONTRACT
from o2b.catalog.exchange.sheets import Row
from o2b.catalog.models import Contract, ContractCommitment, ContractDiscount
from o2b.charging.terms import Discount, DiscountKind, TermsInvalid

LONGEST_NAME, LONGEST_UNIT = 60, 30
MOST_UNITS, UNIT_PLACES = Decimal(10) ** 12, 6
COMMITMENT = frozenset({"kind", "amount", "interval", "product", "key"})
POOL = frozenset(
    {"name", "units", "unit", "price", "product", "rollover_periods", "expires_after_months"}
)
_DEFAULTS = {"rollover_periods": 0}


@dataclass(slots=True)
class ContractRows:
    """The rows of one contract, which stand together, as they were read."""

    account: str
    code: str
    rows: list[Row] = field(default_factory=list)

    @property
    def head(self) -> Row:
        return self.rows[0]


@dataclass(frozen=True, slots=True)
class ContractHead:
    """What a contract says beside its charges."""

    valid_from: date
    valid_to: date | None
    term_months: int
    discounts: list[tuple[str, Decimal]]
    commitments: list[dict[str, Any]]
    pools: list[dict[str, Any]]

    def text(self) -> dict[str, str]:
        return {
            "valid_from": self.valid_from.isoformat(),
            "valid_to": self.valid_to.isoformat() if self.valid_to else "",
            "term_months": str(self.term_months),
            "discounts": "; ".join(_discount_text(*each) for each in self.discounts),
            "commitments": cells.document_text(self.commitments),
            "pools": cells.document_text(self.pools),
        }

    @property
    def products(self) -> set[str]:
        said = (*self.commitments, *self.pools)
        return {each["product"] for each in said if each.get("product")}


def read_head(row: Row, before: ContractHead | None) -> ContractHead | None:
    """The head as its first row says it; None where a cell is at fault."""
    readers = {
        "valid_from": cells.day,
        "valid_to": lambda text: cells.day(text) if text else None,
        "term_months": lambda text: cells.whole(text or "0"),
        "discounts": _discounts,
        "commitments": _commitments,
        "pools": _pools,
    }
    found: dict[str, Any] = {}
    for name, read in readers.items():
        try:
            keep = before is not None and name not in row.columns
            found[name] = getattr(before, name) if keep else read(row.get(name))
        except CellInvalid as fault:
            row.fault(name, str(fault))
    if len(found) < len(readers):
        return None
    head = ContractHead(**found)
    if head.valid_to and head.valid_to <= head.valid_from:
        row.fault("valid_to", _("It ends before it begins: write the first day outside."))
        return None
    return head


def head_of(contract: Contract) -> ContractHead:
    """A stored contract; discounts, commitments and pools are prefetched."""
    return ContractHead(
        valid_from=contract.valid_from,
        valid_to=contract.valid_to,
        term_months=contract.term_months,
        discounts=[(d.kind, d.value) for d in contract.discounts.all()],
        commitments=[_commitment_cells(each) for each in contract.commitments.all()],
        pools=[
            {
                name: _plain(value)
                for name in sorted(POOL - {"product"})
                if (value := getattr(each, name)) is not None and value != _DEFAULTS.get(name)
            }
            | ({"product": each.product.code} if each.product else {})
            for each in contract.pools.all()
        ],
    )


def same_head(head: Row, row: Row) -> None:
    """Later rows of a contract repeat its head, or leave it empty."""
    for name in OF_A_CONTRACT:
        if row.get(name) and row.get(name) != head.get(name):
            row.fault(
                name,
                _("Row %(row)s says otherwise of the same contract: leave the cell empty.")
                % {"row": head.number},
            )


def _commitment_cells(each: ContractCommitment) -> dict[str, Any]:
    said = {
        "kind": each.kind,
        "amount": cells.plain_text(each.amount),
        "interval": cells.interval_text(each.interval_unit, each.interval_count),
        "product": each.product.code if each.product else "",
        "key": each.key,
    }
    return {name: value for name, value in said.items() if value}


def _plain(value: Any) -> Any:
    return cells.plain_text(value) if isinstance(value, Decimal) else value


def _discounts(text: str) -> list[tuple[str, Decimal]]:
    """10%; 5 is ten percent, and then 5 a month, in the order in which they apply."""
    found = []
    for part in cells.parts(text):
        value = cells.decimal(part.removesuffix("%").strip())
        kind = DiscountKind.PERCENT if part.endswith("%") else DiscountKind.AMOUNT
        try:
            Discount(kind, value)
        except TermsInvalid as fault:
            raise CellInvalid(fault.message) from fault
        found.append((kind.value, value))
    return found


def _discount_text(kind: str, value: Decimal) -> str:
    return cells.plain_text(value) + ("%" if kind == ContractDiscount.Kind.PERCENT else "")


def _commitments(text: str) -> list[dict[str, Any]]:
    found = _objects(text, COMMITMENT, ("kind", "amount"))
    for each in found:
        cells.one_of(str(each["kind"]), ContractCommitment.Kind.values)
        each["amount"] = _not_negative(each["amount"])
        length = cells.interval(str(each.get("interval", "month")))
        each["interval"] = cells.interval_text(length.unit.value, length.count)
        for name in ("product", "key"):
            if name in each:
                cells.word(str(each[name]), longest=charges.LONGEST_KEY if name == "key" else 60)
    return found


def _pools(text: str) -> list[dict[str, Any]]:
    found = [_pool(each) for each in _objects(text, POOL, ("name", "units", "unit"))]
    if len({each["name"] for each in found}) < len(found):
        raise CellInvalid(_("Two pools have one name."))
    return found


def _pool(said: dict[str, Any]) -> dict[str, Any]:
    readers: dict[str, Callable[[str], Any]] = {
        "name": lambda text: cells.phrase(text, longest=LONGEST_NAME),
        "unit": lambda text: cells.phrase(text, longest=LONGEST_UNIT),
        "units": _not_negative,
        "price": _not_negative,
        "product": cells.word,
        "rollover_periods": cells.whole,
        "expires_after_months": cells.whole,
    }
    pool = {name: readers[name](str(value)) for name, value in said.items()}
    units = Decimal(pool["units"])
    if not units:
        raise CellInvalid(_("A pool holds more than nothing."))
    if units >= MOST_UNITS or units != round(units, UNIT_PLACES):
        raise CellInvalid(_("A pool's units have at most 12 digits and 6 decimals."))
    return {name: value for name, value in pool.items() if value != _DEFAULTS.get(name)}


def _objects(text: str, known: frozenset[str], needed: tuple[str, ...]) -> list[dict[str, Any]]:
    found = cells.document(text, list) if text else []
    for each in found:
        if not isinstance(each, Mapping) or set(each) - known or not set(needed) <= set(each):
            raise CellInvalid(
                _("Write a list of objects with %(needed)s; known are %(known)s.")
                % {"needed": ", ".join(needed), "known": ", ".join(sorted(known))}
            )
    return [dict(each) for each in found]


def _not_negative(value: Any) -> str:
    text = cells.number(str(value))
    if Decimal(text) < 0:
        raise CellInvalid(_("“%(text)s” is less than zero.") % {"text": text[:60]})
    return cells.plain_text(Decimal(text))


def shape_text(product: str, key: str, price: str, shape: Any) -> dict[str, str]:
    """A row's charge as its cells, in the one way in which stored ones are told too."""
    stored = {name: getattr(shape, name) for name in shape.__dataclass_fields__}
    said = charges.columns_of(stored | {"key": key, "unit_price": Decimal(price)})
    return {"product": product} | said
