"""The price-book grid: a price as text cells under the headers of a sheet, and the way back.

Cells speak the language of imports and exports, so that a block copied from an exported file can be
pasted, and what is shown here can be pasted there.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from o2b.catalog.exchange import cells as sheet
from o2b.catalog.exchange.charges import MATCH, columns_of
from o2b.catalog.exchange.faults import CellInvalid
from o2b.catalog.exchange.granting import grant
from o2b.catalog.models import Price
from o2b.catalog.rules.books import RowFault
from o2b.charging.terms import Alignment, Kind, Model, Proration, Timing

Choices = tuple[tuple[str, str | Promise], ...]

KINDS: Choices = (
    (Kind.RECURRING.value, _("recurring")),
    (Kind.ONE_TIME.value, _("one-time")),
    (Kind.USAGE.value, _("usage")),
)
MODELS: Choices = (
    (Model.PER_UNIT.value, _("per unit")),
    (Model.FLAT.value, _("flat")),
    (Model.GRADUATED.value, _("graduated tiers")),
    (Model.VOLUME.value, _("volume tiers")),
    (Model.STAIRSTEP.value, _("stair steps")),
    (Model.PACKAGE.value, _("per package")),
    (Model.PERCENTAGE.value, _("percentage")),
    (Model.GRADUATED_PERCENTAGE.value, _("graduated percentage")),
    (Model.RATED.value, _("rated calls")),
)
TIMINGS: Choices = (
    (Timing.ADVANCE.value, _("in advance")),
    (Timing.ARREARS.value, _("in arrears")),
)
ALIGNMENTS: Choices = (
    (Alignment.BILL_DAY.value, _("bill day")),
    (Alignment.ANNIVERSARY.value, _("anniversary")),
    (Alignment.CALENDAR.value, _("calendar")),
)
PRORATIONS: Choices = (
    (Proration.DAY.value, _("by day")),
    (Proration.NONE.value, _("none")),
    (Proration.FULL.value, _("full")),
)

# Models whose unit price says nothing, and what stands in its cell instead.
UNPRICED: dict[str, str | Promise] = {
    **{model.value: _("by tiers") for model in Model if model.has_tiers},
    Model.RATED.value: _("by rates"),
}

_DETAILS = ("package_size", "minimum", "maximum")
_READ: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys((*_DETAILS, "included"), sheet.number),
    "where": sheet.where,
    "grants": grant,
    "details": lambda text: sheet.document(text, dict),
}
_FAULT = re.compile(r"(?:details\.)?(\w+)(?:\.(\d+))?(?:\.(\w+))?")
_COLUMN_OF = {
    "interval_unit": "interval",
    "interval_count": "interval",
    "allowance": "included",
    "grant": "grants",
    "match": MATCH,
}


@dataclass(frozen=True, slots=True)
class GridColumn:
    """One column: `kind` is text, number, choice, product, interval or tiers; `main` in sight."""

    name: str
    title: str | Promise
    kind: str = "text"
    choices: Choices = ()
    main: bool = True

    def told(self) -> dict[str, Any]:
        """For the browser."""
        told = asdict(self)
        choices = [[value, str(words)] for value, words in self.choices]
        return told | {"title": str(self.title), "choices": choices}


FIRST = (
    GridColumn("product", _("Product"), "product"),
    GridColumn("key", _("Charge")),
    GridColumn("kind", _("Kind"), "choice", KINDS),
    GridColumn("model", _("Model"), "choice", MODELS),
    GridColumn("unit_price", _("Unit price"), "number"),
    GridColumn("tiers", _("Tiers"), "tiers"),
)
THEN = (
    GridColumn("interval", _("Interval"), "interval"),
    GridColumn("timing", _("Timing"), "choice", TIMINGS),
    GridColumn("alignment", _("Alignment"), "choice", ALIGNMENTS),
    GridColumn("proration", _("Proration"), "choice", PRORATIONS),
    GridColumn("tax_code", _("Tax code")),
    GridColumn("discount_limit", _("Most discount, %"), "number"),
)
MORE = (
    GridColumn("package_size", _("Package of"), "number", main=False),
    GridColumn("minimum", _("At least"), "number", main=False),
    GridColumn("maximum", _("At most"), "number", main=False),
    GridColumn("included", _("Units included"), "number", main=False),
    GridColumn("from_version", _("From version"), "number", main=False),
    GridColumn("to_version", _("To version"), "number", main=False),
    GridColumn("revenue_rule", _("Revenue rule"), main=False),
    GridColumn("meter", _("Meter"), main=False),
    GridColumn("where", _("Only usage where"), main=False),
    GridColumn("grants", _("Grants"), main=False),
    GridColumn("deck", _("Rate deck"), main=False),
    GridColumn("number", _("Called number in"), main=False),
    GridColumn("details", _("Further details (JSON)"), main=False),
)


def grid_columns(matched: Sequence[str]) -> list[GridColumn]:
    """All columns; one more for each characteristic that prices are told apart by."""
    cells = [GridColumn(f"{MATCH}{name}", name.replace("_", " ")) for name in matched]
    return [*FIRST, *cells, *THEN, *MORE]


def shown(cells: Mapping[str, str], name: str) -> str:
    """The text of a cell in the grid."""
    unpriced = UNPRICED.get(cells.get("model", "")) if name == "unit_price" else None
    return cells.get(name, "") if unpriced is None else str(unpriced)


def cells_of(price: Price) -> dict[str, str]:
    """A stored price as cells by column."""
    shape = (
        "key", "kind", "model", "unit_price", "tiers", "details", "interval_unit",
        "interval_count", "timing", "alignment", "proration", "tax_code", "revenue_rule",
    )  # fmt: skip
    return {
        "product": price.product.code,
        **columns_of({name: getattr(price, name) for name in shape}),
        "discount_limit": sheet.plain_text(price.discount_limit),
        "from_version": str(price.from_version),
        "to_version": "" if price.to_version is None else str(price.to_version),
        **{f"{MATCH}{name}": value for name, value in price.match.items()},
    }


NEW_ROW = {
    "kind": Kind.RECURRING.value,
    "model": Model.PER_UNIT.value,
    "interval": "month",
    "timing": Timing.ADVANCE.value,
    "alignment": Alignment.BILL_DAY.value,
    "proration": Proration.DAY.value,
    "from_version": "1",
}


@dataclass(frozen=True, slots=True)
class CellFault:
    """What is wrong with one cell; of tiers with one cell of the sub-table."""

    row: int
    column: str
    message: str
    tier: int | None = None
    part: str = ""


def row_of(index: int, cells: Mapping[str, str]) -> tuple[dict[str, Any], list[CellFault]]:
    """A row as `edit_prices` takes it; and what could not be read at all."""
    cells = {name: text.strip() for name, text in cells.items()}
    plain = ("product", "key", "kind", "model", "unit_price", "timing", "alignment", "proration")
    also = ("tax_code", "revenue_rule", "discount_limit", "from_version", "to_version")
    row: dict[str, Any] = {name: cells.get(name, "") for name in (*plain, *also)}
    # A price that is left over from another model counts nowhere.
    row["unit_price"] = "0" if row["model"] in UNPRICED else row["unit_price"]
    faults: list[CellFault] = []
    row["match"] = {
        name.removeprefix(MATCH): text
        for name, text in cells.items()
        if name.startswith(MATCH) and text
    }
    try:
        length = sheet.interval(cells["interval"]) if cells.get("interval") else None
        row["interval_unit"] = length.unit.value if length else ""
        row["interval_count"] = length.count if length else 1
    except CellInvalid as fault:
        faults.append(CellFault(index, "interval", str(fault)))
    row["tiers"] = []
    for n, text in enumerate(sheet.parts(cells.get("tiers", ""))):
        try:
            row["tiers"] += sheet.tiers(text)
        except CellInvalid as fault:
            faults.append(CellFault(index, "tiers", str(fault), n, "unit_price"))
    row["details"] = _details(index, cells, faults)
    return row, faults


def _details(index: int, cells: Mapping[str, str], faults: list[CellFault]) -> dict[str, Any]:
    """The optional parts; what cannot be read is left out and becomes a fault of its cell."""
    said = dict(cells)
    for name, read in _READ.items():
        try:
            if said.get(name):
                read(said[name])
        except CellInvalid as fault:
            faults.append(CellFault(index, name, str(fault)))
            del said[name]
    return _parts(said)


def _parts(cells: Mapping[str, str]) -> dict[str, Any]:
    details: dict[str, Any] = {}
    if text := cells.get("details", ""):
        details = sheet.document(text, dict)
    for name in (*_DETAILS, "meter"):
        if text := cells.get(name, ""):
            details[name] = text
    if text := cells.get("where", ""):
        details["where"] = sheet.where(text)
    if text := cells.get("grants", ""):
        details["grant"] = grant(text)
    by_deck = {name: text for name in ("deck", "number") if (text := cells.get(name, ""))}
    if by_deck:
        # Windows of the day stand in the details; here is which deck.
        call = details.get("call")
        details["call"] = (call if isinstance(call, dict) else {}) | by_deck
    if text := cells.get("included", ""):
        # What rolls over and is shared stands in the details; here is how much.
        allowance = details.get("allowance")
        details["allowance"] = (allowance if isinstance(allowance, dict) else {}) | {"units": text}
    return details


def fault_of(fault: RowFault, cells: Mapping[str, str]) -> CellFault:
    """A fault of the service beside the cell that shows it."""
    message = gettext(fault.message) % fault.facts
    found = _FAULT.fullmatch(fault.column)
    name, index, part = found.groups() if found else ("product", None, None)
    # The row says already which product and charge it is.
    prefix = f"{fault.product}, {fault.key}: "
    message = message.removeprefix(prefix)
    message = f"{message[:1].upper()}{message[1:]}"
    tier = int(index) if name == "tiers" and index else None
    column = _COLUMN_OF.get(name, name)
    if column == MATCH:
        column = next((c for c in cells if c.startswith(MATCH) and cells[c]), "product")
    known = {c.name for c in (*FIRST, *THEN, *MORE)}
    if column not in known and not column.startswith(MATCH):
        column = "details" if fault.column.startswith("details") else "product"
    return CellFault(-1 if fault.row is None else fault.row, column, message, tier, part or "")
