"""Deck prices in the grid and in sheets, there and back; and what an uplift makes of them."""

from decimal import Decimal
from typing import Any

import pytest

from o2b.catalog.exchange.charges import ShapeReader, columns_of
from o2b.catalog.exchange.sheets import Row
from o2b.catalog.forms.grid import row_of
from o2b.charging import DeckRates, DeckWindow
from o2b.web.words import deck_words
from subscriptions.rules.prices import uplifted
from tests.o2b.charging.shapes import usage
from tests.o2b.charging.test_decks import terms

WINDOWS = (
    '{"call":{"windows":[{"from_minute":0,"percent":"50"},{"from_minute":480,"percent":"100"}]}}'
)
CELLS = {
    "key": "voice",
    "kind": "usage",
    "model": "rated",
    "interval": "month",
    "meter": "calls",
    "deck": "intl",
    "number": "to",
}


def read(cells: dict[str, str]) -> tuple[Any, list[Any]]:
    row = Row(2, cells, dict.fromkeys(cells, "A"), [])
    return ShapeReader("EUR").read(row), row.faults


@pytest.mark.parametrize("details", ["", WINDOWS])
def test_cells_there_and_back(details: str) -> None:
    found, faults = read(CELLS | {"details": details})
    assert faults == []
    shape = found[2]
    assert shape.details["call"]["deck"] == "intl"
    stored = {name: getattr(shape, name) for name in shape.__dataclass_fields__}
    back = columns_of(stored | {"key": "voice", "unit_price": Decimal(0)})
    assert (back["deck"], back["number"], back["details"]) == ("intl", "to", details)
    again, _ = read({name: text for name, text in back.items() if name != "unit_price"})
    assert again[2].details == shape.details


@pytest.mark.parametrize(
    ("change", "column", "words"),
    [
        ({"number": ""}, "number", "dimension"),
        ({"deck": ""}, "deck", "no code of a deck"),
        ({"deck": "a b"}, "deck", "a code is of letters"),
        ({"details": '{"call":{"deck":"x"}}'}, "deck", "say it once"),
        ({"details": '{"call":[]}'}, "deck", "say it once"),
        ({"model": "per_unit", "unit_price": "1"}, "details", "does not use it"),
    ],
)
def test_a_fault_stands_in_its_column(change: dict[str, str], column: str, words: str) -> None:
    _, faults = read(CELLS | change)
    assert [each.header for each in faults] == [column if column in CELLS | change else ""]
    assert words in faults[0].message


def test_the_grid_says_it_likewise() -> None:
    row, faults = row_of(0, CELLS | {"details": WINDOWS})
    assert faults == []
    assert row["details"]["call"]["deck"] == "intl"
    assert len(row["details"]["call"]["windows"]) == 2


def test_an_uplift_is_one_of_the_share() -> None:
    night = DeckRates("intl", "to", (DeckWindow(0, Decimal(50)), DeckWindow(480, Decimal(100))))
    dearer = uplifted(terms(usage(model="rated", call=night)), Decimal("3.5")).charges[0].call
    assert isinstance(dearer, DeckRates)
    assert [str(each.percent) for each in dearer.windows] == ["51.7500", "103.5000"]


def test_it_is_said_in_words() -> None:
    plain = DeckRates("intl", "to")
    assert deck_words(plain) == "rates of deck intl, number in to"
    assert deck_words({"deck": "intl", "number": "to"}) == "rates of deck intl, number in to"
    night = DeckRates("intl", "to", (DeckWindow(0, Decimal(50)), DeckWindow(480, Decimal(100))))
    assert deck_words(night) == (
        "rates of deck intl, number in to; 50 % from 00:00; 100 % from 08:00"
    )
    assert deck_words(None) == deck_words([]) == ""
