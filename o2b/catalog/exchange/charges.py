"""The columns of one charge, in a book or in a contract: read, validated as Terms, written back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext as _

from o2b.catalog.exchange import cells
from o2b.catalog.exchange.faults import CellInvalid
from o2b.catalog.exchange.granting import grant, grant_text
from o2b.catalog.exchange.sheets import Row
from o2b.charging.terms import (
    Alignment,
    ChargeTerms,
    Kind,
    Model,
    Proration,
    TermsInvalid,
    Timing,
    details_document,
    details_of,
    tiers_document,
    tiers_of,
)
from o2b.periods import Interval

REQUIRED = ("product", "key", "kind", "unit_price")
OPTIONAL = (
    "model",
    "tiers",
    "package_size",
    "interval",
    "timing",
    "alignment",
    "proration",
    "minimum",
    "maximum",
    "included",
    "tax_code",
    "revenue_rule",
    "meter",
    "where",
    "grants",
    "deck",
    "number",
    "details",
)
MATCH = "match."
LONGEST_KEY = 40
LONGEST_SLUG = 50

# What a charge says apart from its product, key and price: equal for most rows of a book.
SHAPE = ("kind", *OPTIONAL)
DECK = ("deck", "number")
_BOUNDS = ("package_size", "minimum", "maximum")
# The columns of their own that stand in the stored details.
_IN_DETAILS: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(_BOUNDS, cells.number),
    "included": lambda text: {"units": cells.number(text)},
    "meter": lambda text: cells.word(text, longest=LONGEST_KEY),
    "where": cells.where,
    "grants": grant,
    **dict.fromkeys(DECK, lambda text: cells.word(text, longest=LONGEST_KEY)),
}
# What a column of another name says in the details, and where else a part is mended.
_PART_OF = {"included": "allowance", "grants": "grant"}
_COLUMN_OF = {
    **{part: column for column, part in _PART_OF.items()},
    **dict.fromkeys(("call", "event", "ramp"), "details"),
}
_PLAIN = frozenset({"", "flat", "per_unit"})


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """The stored columns of a charge but its key and unit price."""

    kind: str
    model: str
    tiers: list[dict[str, Any]]
    details: dict[str, Any]
    interval_unit: str
    interval_count: int
    timing: str
    alignment: str
    proration: str
    tax_code: str
    revenue_rule: str


class ChargeInvalid(ValueError):
    """A charge that could not be billed; `column` is where to mend it."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column


class ShapeReader:
    """Reads charges in one currency; an equal shape is validated once."""

    def __init__(self, currency: str) -> None:
        self._read: Callable[..., Shape] = lru_cache(maxsize=4096)(
            lambda said, price: _shape(dict(zip(SHAPE, said, strict=True)), price, currency)
        )

    def read(self, row: Row) -> tuple[str, str, Shape] | None:
        """Key, unit price and shape of a row; what is wrong with it becomes its faults."""
        get = row.cells.get
        column = "key"
        try:
            key = cells.word(get("key", ""), longest=LONGEST_KEY)
            column = "unit_price"
            price = cells.number(get("unit_price") or _price_if_tiered(row))
            said = tuple(get(name, "") for name in SHAPE)
            column = ""
            # Any number will do for the plain models: their shape is the same for each of them.
            shape = self._read(said, "0" if get("model", "") in _PLAIN else price)
        except ChargeInvalid as fault:
            row.fault(fault.column, str(fault))
        except CellInvalid as fault:
            row.fault(column, str(fault))
        else:
            return key, price, shape
        return None


def columns_of(charge: Mapping[str, Any]) -> dict[str, str]:
    """A stored charge as the cells that `ShapeReader` reads back."""
    details = dict(charge["details"])
    bounds = {name: str(details.pop(name, "")) for name in _BOUNDS}
    allowance = details.get("allowance", {})
    meter, where = details.pop("meter", ""), details.pop("where", {})
    granted = details.pop("grant", {})
    deck, number = _by_deck(details)
    included = allowance["units"] if set(allowance) == {"units"} else ""
    if included:
        del details["allowance"]
    return {
        "key": charge["key"],
        "kind": charge["kind"],
        "unit_price": cells.plain_text(charge["unit_price"]),
        "model": charge["model"],
        "tiers": cells.tiers_text(charge["tiers"]),
        "interval": cells.interval_text(charge["interval_unit"], charge["interval_count"]),
        "timing": charge["timing"],
        "alignment": charge["alignment"],
        "proration": charge["proration"],
        **bounds,
        "included": included,
        "tax_code": charge["tax_code"],
        "revenue_rule": charge["revenue_rule"],
        "meter": meter,
        "where": cells.where_text(where),
        "grants": grant_text(granted),
        "deck": deck,
        "number": number,
        "details": cells.document_text(details),
    }


def _by_deck(details: dict[str, Any]) -> tuple[str, str]:
    """Deck and number, which have columns of their own; windows of the day stay in the details."""
    call = details.get("call")
    if not isinstance(call, dict):
        return "", ""
    left = {name: value for name, value in call.items() if name not in DECK}
    details.pop("call")
    if left:
        details["call"] = left
    return str(call.get("deck", "")), str(call.get("number", ""))


def _price_if_tiered(row: Row) -> str:
    """Tiers and calls have prices of their own; elsewhere an empty price is forgotten."""
    return "0" if row.get("tiers") or row.get("model") == Model.RATED else ""


def _shape(said: Mapping[str, str], price: str, currency: str) -> Shape:
    try:
        terms = _terms(said, price, currency)
    except TermsInvalid as fault:
        name = fault.field.split(".")[0]
        if fault.field in ("call.deck", "call.number"):
            raise ChargeInvalid(fault.field.removeprefix("call."), fault.message) from fault
        column = name if name in (*SHAPE, "unit_price") else _COLUMN_OF.get(name, "details")
        text = fault.message if column == fault.field else f"{fault.field}: {fault.message}"
        raise ChargeInvalid(column, text) from fault
    length = terms.interval
    return Shape(
        kind=terms.kind.value,
        model=terms.model.value,
        tiers=tiers_document(terms.tiers),
        details=details_document(terms),
        interval_unit=length.unit.value if length else "",
        interval_count=length.count if length else 1,
        timing=terms.timing.value,
        alignment=terms.alignment.value,
        proration=terms.proration.value,
        tax_code=terms.tax_code,
        revenue_rule=terms.revenue_rule,
    )


def _terms(said: Mapping[str, str], price: str, currency: str) -> ChargeTerms:
    kind = _cell(said, "kind", lambda text: cells.one_of(text, Kind))
    usual = Timing.ARREARS if kind == Kind.USAGE else Timing.ADVANCE
    details = _cell(said, "details", lambda t: cells.document(t, dict)) if said["details"] else {}
    for name, read in _IN_DETAILS.items():
        if not said[name]:
            continue
        part = _PART_OF.get(name, name)
        if name in DECK:
            details["call"] = _with_deck(details.get("call", {}), name, _cell(said, name, read))
            continue
        if part in details:
            raise ChargeInvalid(name, _("It stands in the details as well: say it once."))
        details[part] = _cell(said, name, read)
    return ChargeTerms(
        key="key",
        kind=kind,
        model=_word(said, "model", Model, Model.PER_UNIT),
        unit_price=Decimal(price),
        currency=currency,
        interval=_interval(said),
        timing=_word(said, "timing", Timing, usual),
        alignment=_word(said, "alignment", Alignment, Alignment.BILL_DAY),
        proration=_word(said, "proration", Proration, Proration.DAY),
        tiers=tiers_of(_cell(said, "tiers", cells.tiers)),
        tax_code=_slug(said, "tax_code"),
        revenue_rule=_slug(said, "revenue_rule"),
        **details_of(details),
    )


def _with_deck(call: Any, name: str, value: str) -> dict[str, Any]:
    """The rates of the details with a deck's column."""
    if not isinstance(call, dict) or name in call:
        raise ChargeInvalid(name, _("It stands in the details as well: say it once."))
    return call | {name: value}


def _cell(said: Mapping[str, str], name: str, read: Callable[[str], Any]) -> Any:
    try:
        return read(said[name])
    except CellInvalid as fault:
        raise ChargeInvalid(name, str(fault)) from fault


def _word(said: Mapping[str, str], name: str, enum: Any, usual: Any) -> Any:
    return _cell(said, name, lambda text: cells.one_of(text or usual, enum))


def _slug(said: Mapping[str, str], name: str) -> str:
    read = lambda text: cells.word(text, longest=LONGEST_SLUG)  # noqa: E731
    return _cell(said, name, read) if said[name] else ""


def _interval(said: Mapping[str, str]) -> Interval | None:
    return _cell(said, "interval", cells.interval) if said["interval"] else None
