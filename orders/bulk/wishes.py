"""Rows of a sheet as the orders that they ask for; faults are told by row and cell."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from o2b.catalog.exchange import cells
from o2b.catalog.exchange.faults import CellInvalid
from o2b.customers.models import Account
from o2b.errors import Refused
from orders.bulk.sheet import CHARACTERISTIC, OF_THE_ORDER
from orders.models import BulkRow, Order, Priority
from quotes.inputs import LineInput

LONGEST_NOTE = 2000
PRIORITIES = {p.name.lower(): p.value for p in Priority} | {str(p.value): p.value for p in Priority}


@dataclass(slots=True)
class Wish:
    """One order that the sheet asks for: its rows, its lines, and what is wrong, by row."""

    key: str
    rows: Sequence[BulkRow]
    account: str = ""
    lines: list[LineInput] = field(default_factory=list)
    start_on: date | None = None
    work_from: date | None = None
    promised_on: date | None = None
    priority: int = Priority.NORMAL
    note: str = ""
    faults: dict[int, tuple[str, str]] = field(default_factory=dict)
    customer: Account | None = None
    order: Order | None = None

    def blame(self, message: str, *, column: str = "", line: int = 0) -> None:
        """Note what is wrong with a row (by the place of its line); the first thing is kept."""
        self.faults.setdefault(self.rows[line].number, (column[:60], message))

    def refuse(self, refusal: Refused) -> None:
        """Note a refusal beside the row and the column that it names."""
        place, _dot, column = (refusal.field or "").partition(".")
        index = place.removeprefix("lines[").removesuffix("]")
        line = int(index) if index.isdigit() and int(index) < len(self.rows) else 0
        named = column or ("" if place.startswith("lines") else place)
        if named.startswith("characteristics."):
            named = CHARACTERISTIC + named.removeprefix("characteristics.")
        self.blame(refusal.message, column=named, line=line)


def wishes_of(rows: Iterable[BulkRow]) -> list[Wish]:
    """The orders of the rows, in the order of their first row; a row without a key stands alone."""
    together: dict[str, list[BulkRow]] = {}
    for row in rows:
        together.setdefault(row.key or f"\0{row.number}", []).append(row)
    return [_wish(rows) for rows in together.values()]


def cells_of(row: BulkRow) -> dict[str, str]:
    """The cells of a row by column."""
    return {name: text for name, _is, text in (each.partition("=") for each in row.told)}


def _wish(rows: Sequence[BulkRow]) -> Wish:
    wish = Wish(rows[0].key, rows)
    said: dict[str, str] = {}
    for i, row in enumerate(rows):
        if row.problem:
            wish.blame(row.problem, column=row.field, line=i)
        told = cells_of(row)
        for name in OF_THE_ORDER:
            text = told.get(name, "")
            if text and said.setdefault(name, text) != text:
                wish.blame(_contradiction(name, said[name], row.key), column=name, line=i)
        wish.lines.append(_line(wish, told, i))
    _read_order(wish, said)
    return wish


def _contradiction(name: str, first: str, key: str) -> str:
    told = {"key": key, "first": first[:60]}
    if name == "account":
        return _("The order “%(key)s” is for “%(first)s” above: one account an order.") % told
    return _("The order “%(key)s” says “%(first)s” above: say it once, or the same.") % told


def _read_order(wish: Wish, said: Mapping[str, str]) -> None:
    """What counts for the whole order is blamed on its first row."""
    wish.account = said.get("account", "")
    if not wish.account:
        wish.blame(_("Say whose order it is: the account's number."), column="account")
    wish.start_on = _read(wish, "start_on", said, cells.day, 0)
    wish.work_from = _read(wish, "work_from", said, cells.day, 0)
    wish.promised_on = _read(wish, "promised_on", said, cells.day, 0)
    wish.priority = _read(wish, "priority", said, _priority, 0) or Priority.NORMAL
    wish.note = _read(wish, "note", said, _note, 0) or ""


def _line(wish: Wish, told: Mapping[str, str], i: int) -> LineInput:
    if not told.get("product"):
        wish.blame(_("Say which product: its code."), column="product", line=i)
    if not told.get("quantity"):
        wish.blame(_("Say how many: a number."), column="quantity", line=i)
    asked: dict[str, Any] = _read(wish, "characteristics", told, _document, i) or {}
    for name, text in told.items():
        if name.startswith(CHARACTERISTIC):
            asked[name.removeprefix(CHARACTERISTIC)] = text
    quantity = _read(wish, "quantity", told, cells.decimal, i) or 0
    rule = told.get("start_rule", "").lower()
    return LineInput(told.get("product", ""), quantity, asked, start_rule=rule)


def _read(
    wish: Wish, name: str, told: Mapping[str, str], reader: Callable[[str], Any], i: int
) -> Any:
    """What a cell says, None where it is empty or says nothing that makes sense."""
    text = told.get(name, "")
    if not text:
        return None
    try:
        return reader(text)
    except CellInvalid as fault:
        wish.blame(str(fault), column=name, line=i)
        return None


def _priority(text: str) -> int:
    return int(PRIORITIES[cells.one_of(text.lower(), PRIORITIES)])


def _note(text: str) -> str:
    return cells.phrase(text, longest=LONGEST_NOTE)


def _document(text: str) -> dict[str, Any]:
    found: dict[str, Any] = cells.document(text, dict)
    return found
