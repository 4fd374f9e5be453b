"""The sheet of a rate deck: a prefix a row, read with every fault, and written back."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import BinaryIO

from django.utils.translation import gettext as _

from o2b.catalog.exchange import cells
from o2b.catalog.exchange.faults import MOST_FAULTS, CellInvalid, Fault, SheetRefused
from o2b.catalog.exchange.sheets import Layout, Row, read_sheet
from o2b.catalog.models.decks import MOST_SECONDS
from o2b.charging import DeckRate
from o2b.charging.decks import MOST_DIGITS, RATE_DECIMALS
from o2b.charging.terms import decimals, plain

LAYOUT = Layout(
    ("prefix", "rate"), ("destination", "connect_fee", "first_increment", "next_increment")
)
HEADER = ("prefix", "destination", "rate", "connect_fee", "first_increment", "next_increment")
LONGEST_NAME = 100
LARGEST = Decimal(10) ** 8
NOTHING = Decimal(0)


def read_deck(stream: BinaryIO, *, name: str) -> list[DeckRate]:
    """The rates of a CSV or XLSX file; SheetRefused, with its rows, where anything is wrong."""
    faults: list[Fault] = []
    found: dict[str, tuple[int, DeckRate]] = {}
    for row in read_sheet(stream, name=name, layout=LAYOUT):
        rate = _rate(row)
        if rate is not None and rate.prefix in found:
            message = _("Prefix %(prefix)s stands in row %(row)s already.")
            row.fault("prefix", message % {"prefix": rate.prefix, "row": found[rate.prefix][0]})
        elif rate is not None:
            found[rate.prefix] = row.number, rate
        faults += row.faults
    if faults:
        message = _("%(count)s cells are wrong; nothing was taken.") % {"count": len(faults)}
        raise SheetRefused(message, faults=faults[:MOST_FAULTS], field=faults[0].where)
    return [rate for _row, rate in found.values()]


def _rate(row: Row) -> DeckRate | None:
    """What a row says; None with its faults where it cannot be read."""
    said = {
        "prefix": _prefix,
        "destination": _destination,
        "rate": _amount,
        "connect_fee": lambda text: _amount(text) if text else NOTHING,
        "first_increment": lambda text: _increment(text) if text else 1,
        "next_increment": lambda text: _increment(text) if text else 1,
    }
    values: dict[str, object] = {}
    wrong = {fault.header for fault in row.faults}
    for column, read in said.items():
        if column in wrong:
            continue
        try:
            values[column] = read(row.get(column))
        except CellInvalid as fault:
            row.fault(column, str(fault))
    if row.faults:
        return None
    return DeckRate(
        values["rate"],  # type: ignore[arg-type]
        connect_fee=values["connect_fee"],  # type: ignore[arg-type]
        first_seconds=values["first_increment"],  # type: ignore[arg-type]
        next_seconds=values["next_increment"],  # type: ignore[arg-type]
        prefix=str(values["prefix"]),
        destination=str(values["destination"]),
    )


def _prefix(text: str) -> str:
    digits = text.removeprefix("+")
    if not digits.isascii() or not digits.isdigit():
        raise CellInvalid(_("“%(text)s” is no prefix: write digits only.") % {"text": text[:60]})
    if len(digits) > MOST_DIGITS:
        raise CellInvalid(_("A prefix has at most %(most)s digits.") % {"most": MOST_DIGITS})
    return digits


def _destination(text: str) -> str:
    if len(text) > LONGEST_NAME:
        raise CellInvalid(_("At most %(longest)s characters.") % {"longest": LONGEST_NAME})
    if not text.isprintable():
        raise CellInvalid(_("A text without control characters."))
    return text


def _amount(text: str) -> Decimal:
    amount = cells.decimal(text)
    if amount < 0:
        raise CellInvalid(_("“%(text)s” is negative.") % {"text": text[:60]})
    if amount >= LARGEST or decimals(amount) > RATE_DECIMALS:
        raise CellInvalid(_("Below 100,000,000, with at most 6 decimals."))
    return amount


def _increment(text: str) -> int:
    return cells.whole(text, least=1, most=MOST_SECONDS)


def deck_lines(rates: Iterable[DeckRate]) -> Iterator[tuple[str, ...]]:
    """The header and a row for each rate, as `read_deck` reads them."""
    yield HEADER
    for each in rates:
        yield (
            each.prefix,
            each.destination,
            plain(each.rate),
            plain(each.connect_fee),
            str(each.first_seconds),
            str(each.next_seconds),
        )
