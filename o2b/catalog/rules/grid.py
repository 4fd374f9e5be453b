"""Read the cells of a price as somebody typed or pasted them: values, or the fault of each cell."""

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from o2b.catalog.rules.faults import gettext_noop as _
from o2b.periods import Unit

LARGEST = Decimal(10) ** 14
PLACES = 8
LONGEST_CELL = 100_000
MOST_NAMES = 20
LARGEST_SMALL = 32767
SLUG = re.compile(r"[-a-zA-Z0-9_]+")
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,59}")


class CellFault(ValueError):
    """What is wrong with one cell; English, with %(named)s places for the facts."""

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts


def read_cells(cells: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, CellFault]]:
    """The values of those cells that are given, by column, and the fault of each other one."""
    values: dict[str, Any] = {}
    faults: dict[str, CellFault] = {}
    for column, cell in cells.items():
        read = COLUMNS.get(column)
        try:
            if read is None:
                raise CellFault(_("There is no such column."))
            values[column] = read(cell)
        except CellFault as fault:
            faults[column] = fault
    return values, faults


def _text(cell: Any, longest: int = 200) -> str:
    if cell is None:
        return ""
    if not isinstance(cell, str) or "\0" in cell:
        raise CellFault(_("This is no text."))
    if len(cell) > longest:
        raise CellFault(_("At most %(most)s characters."), most=longest)
    return cell.strip()


def _slug(longest: int, *, needed: bool = False) -> Callable[[Any], str]:
    def read(cell: Any) -> str:
        text = _text(cell, longest)
        if needed and not text:
            raise CellFault(_("This is missing."))
        if text and not SLUG.fullmatch(text):
            raise CellFault(_("Letters, digits, hyphens and underscores only."))
        return text

    return read


def _decimal(cell: Any) -> Decimal:
    if isinstance(cell, str) and "," in cell[:40]:
        raise CellFault(_("Write decimals with a point, and no separators: 1234.50."))
    if isinstance(cell, float | bool) or not isinstance(cell, str | int | Decimal):
        raise CellFault(_("This is no number."))
    try:
        number = Decimal(cell.strip()[:60] if isinstance(cell, str) else cell)
    except InvalidOperation:
        raise CellFault(_("This is no number.")) from None
    if not number.is_finite():
        raise CellFault(_("This is no number."))
    if number and not -30 < number.adjusted() < 30 or abs(number) >= LARGEST:
        raise CellFault(_("The number is too large or too small."))
    if round(number, PLACES) != number:
        raise CellFault(_("At most %(places)s decimals."), places=PLACES)
    return round(number, PLACES)


def _price(cell: Any) -> Decimal:
    return Decimal(0) if cell in (None, "") else _decimal(cell)


def _percent(cell: Any) -> Decimal | None:
    if cell in (None, ""):
        return None
    number = _decimal(cell)
    if not 0 <= number <= 100:
        raise CellFault(_("The largest discount lies between 0 and 100 percent."))
    return number


def _whole(cell: Any) -> int:
    text = str(cell).strip() if isinstance(cell, str | int) and not isinstance(cell, bool) else ""
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= LARGEST_SMALL:
        raise CellFault(_("A whole number from 1 to %(most)s."), most=LARGEST_SMALL)
    return int(text)


def _whole_or_none(cell: Any) -> int | None:
    return None if cell in (None, "") else _whole(cell)


def _whole_or_one(cell: Any) -> int:
    return 1 if cell in (None, "") else _whole(cell)


def _unit(cell: Any) -> str:
    text = _text(cell)
    if text and text not in {unit.value for unit in Unit}:
        named = ", ".join(unit.value for unit in Unit)
        raise CellFault(_("An interval is one of: %(named)s."), named=named)
    return text


def _document(kind: type, form: str) -> Callable[[Any], Any]:
    """Plain JSON, as such or as text."""

    def read(cell: Any) -> Any:
        if cell in (None, ""):
            return kind()
        try:
            if not isinstance(cell, str):
                cell = json.dumps(cell)
            if len(cell) > LONGEST_CELL:
                raise CellFault(_("At most %(most)s characters."), most=LONGEST_CELL)
            document = json.loads(cell, parse_float=Decimal, parse_constant=_no_number)
            document = json.loads(json.dumps(document, default=str))
        except (TypeError, ValueError, RecursionError) as exc:
            if isinstance(exc, CellFault):
                raise
            raise CellFault(form) from exc
        if not isinstance(document, kind) or "\\u0000" in json.dumps(document):
            raise CellFault(form)
        return document

    return read


def _no_number(text: str) -> None:
    raise ValueError(text)


def _match(cell: Any) -> dict[str, str]:
    """{"speed": "150"}, or the same as text: speed=150; term=1."""
    if isinstance(cell, str) and cell.strip() and not cell.strip().startswith("{"):
        pairs = [part.partition("=") for part in cell[:LONGEST_CELL].split(";") if part.strip()]
        cell = {name.strip(): value.strip() for name, _sign, value in pairs}
    document = _document(dict, MATCH_FORM)(cell)
    if len(document) > MOST_NAMES:
        raise CellFault(_("At most %(most)s characteristics."), most=MOST_NAMES)
    match: dict[str, str] = {}
    for name, value in document.items():
        if isinstance(value, bool):
            value = "true" if value else "false"
        plain = isinstance(value, str | int) and 0 < len(str(value).strip()) <= 200
        if not NAME.fullmatch(name) or not plain:
            raise CellFault(MATCH_FORM)
        match[name] = str(value).strip()
    return match


MATCH_FORM = _("Names with values, such as: speed=150; term=1.")
TIERS_FORM = _("Tiers are a list of {up_to, unit_price}.")
DETAILS_FORM = _("Details are names with values.")

COLUMNS: dict[str, Callable[[Any], Any]] = {
    "product": _slug(60, needed=True),
    "key": _slug(40, needed=True),
    "kind": _text,
    "model": _text,
    "unit_price": _price,
    "tiers": _document(list, TIERS_FORM),
    "details": _document(dict, DETAILS_FORM),
    "interval_unit": _unit,
    "interval_count": _whole_or_one,
    "timing": _text,
    "alignment": _text,
    "proration": _text,
    "tax_code": _slug(50),
    "revenue_rule": _slug(50),
    "from_version": _whole_or_one,
    "to_version": _whole_or_none,
    "match": _match,
    "discount_limit": _percent,
}
