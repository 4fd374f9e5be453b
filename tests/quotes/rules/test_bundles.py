"""What a bundle's line lacks of its usual options."""

from decimal import Decimal

import pytest

from o2b.catalog.rules.compatibility import Definition, Option
from o2b.catalog.rules.selection import Chosen
from quotes.rules.bundles import missing_options

DEFINITIONS = {
    "office": Definition(
        "office",
        (Option("phone", 2, 4, 3), Option("headset", 0, 1, 0), Option("line", 0, None, 1)),
    ),
    "shop": Definition("shop", (Option("phone", 1, 1, 1),)),
    "phone": Definition("phone"),
}

CASES: list[tuple[list[tuple[str, str]], dict[int, list[tuple[str, str]]]]] = [
    ([], {}),
    ([("phone", "1"), ("nothing", "1"), ("", "1")], {0: [], 1: [], 2: []}),
    ([("office", "1")], {0: [("phone", "3"), ("line", "1")]}),
    ([("office", "2")], {0: [("phone", "6"), ("line", "2")]}),
    ([("office", "0")], {0: []}),
    # What is there in the least number is enough; below, it is filled up to the usual one.
    ([("office", "1"), ("phone", "2"), ("line", "9")], {0: [], 1: [], 2: []}),
    ([("office", "1"), ("phone", "1"), ("line", "1")], {0: [("phone", "2")], 1: [], 2: []}),
    ([("phone", "1"), ("phone", "1"), ("office", "1")], {0: [], 1: [], 2: [("line", "1")]}),
    # Several bundles share what is there, as when they are checked.
    (
        [("office", "1"), ("shop", "1"), ("line", "1")],
        {0: [("phone", "4")], 1: [("phone", "4")], 2: []},
    ),
    (
        [("office", "1"), ("shop", "1"), ("phone", "2.5"), ("line", "1")],
        {0: [("phone", "1.5")], 1: [("phone", "1.5")], 2: [], 3: []},
    ),
]


@pytest.mark.parametrize(("lines", "expected"), CASES)
def test_missing(lines: list[tuple[str, str]], expected: dict[int, list[tuple[str, str]]]) -> None:
    chosen = [Chosen(product, Decimal(count)) for product, count in lines]
    found = missing_options(chosen, DEFINITIONS)
    told = {i: [(code, Decimal(count)) for code, count in some] for i, some in expected.items()}
    assert found == told
