"""Bundles, requires and excludes: of a version beside others, and of lines together."""

from decimal import Decimal
from typing import Any

import pytest

from o2b.catalog.rules.compatibility import (
    Definition,
    Option,
    Rule,
    faults_of_definition,
    loop_through,
)
from o2b.catalog.rules.selection import Chosen, check_selection

KNOWN = ("a", "b", "c", "d")


def says(product: str, *, options: str = "", requires: str = "", excludes: str = "") -> Definition:
    """A definition, each letter a product; an option in capitals is always there."""
    return Definition(
        product,
        tuple(Option(o.lower(), int(o.isupper()), None, int(o.isupper())) for o in options),
        (*(Rule("requires", o) for o in requires), *(Rule("excludes", o) for o in excludes)),
    )


def faults(mine: Definition, *others: Definition) -> list[tuple[str, str]]:
    found = faults_of_definition(mine, {one.product: one for one in others}, KNOWN)
    return [(fault.field, fault.code) for fault in found]


SOUND = [
    (says("a"), []),
    (says("a", options="bc", requires="d"), []),
    (says("a", options="b"), [says("b", requires="a")]),
    (says("a", requires="b", excludes="c"), [says("b", requires="d")]),
    (says("a", options="b"), [says("b", options="c"), says("c")]),
    (says("a", options="bc"), [says("b", excludes="c")]),
    (says("a", excludes="b"), [says("b", excludes="a")]),
]


@pytest.mark.parametrize(("mine", "others"), SOUND)
def test_sound(mine: Definition, others: list[Definition]) -> None:
    assert faults(mine, *others) == []


LOOP, CONTRADICTS = "loop", "rules_contradict"
FAULTY: list[tuple[Definition, list[Definition], str, str]] = [
    (says("a", options="z"), [], "options[0].component", "product_unknown"),
    (says("a", options="ba"), [], "options[1].component", "definition_invalid"),
    (says("a", options="bb"), [], "options[1].component", "definition_invalid"),
    (says("a", requires="z"), [], "rules[0].other", "product_unknown"),
    (says("a", excludes="a"), [], "rules[0].other", "definition_invalid"),
    (says("a", requires="bb"), [], "rules[1].other", "definition_invalid"),
    (says("a", requires="b", excludes="b"), [], "rules[1].kind", CONTRADICTS),
    (Definition("a", (), (Rule("likes", "b"),)), [], "rules[0].kind", "definition_invalid"),
    (says("a", options="b"), [says("b", options="a")], "options", LOOP),
    (says("a", options="b"), [says("b", options="c"), says("c", options="a")], "options", LOOP),
    (says("a", requires="b"), [says("b", requires="a")], "rules", LOOP),
    (says("a", requires="b"), [says("b", requires="c"), says("c", requires="a")], "rules", LOOP),
    (says("a", requires="b"), [says("b", excludes="a")], "rules", CONTRADICTS),
    (says("a", excludes="b"), [says("b", requires="a")], "rules", CONTRADICTS),
    (says("a", requires="b", excludes="c"), [says("b", requires="c")], "rules", CONTRADICTS),
    (says("a", requires="bc"), [says("b", excludes="c")], "rules", CONTRADICTS),
    (says("a", options="BC"), [says("b", excludes="c")], "rules", CONTRADICTS),
    (says("a", options="B", excludes="b"), [], "rules", CONTRADICTS),
    (says("a", excludes="b"), [says("c", options="AB")], "rules", CONTRADICTS),
    (
        says("a", excludes="b"),
        [says("c", requires="ad"), says("d", requires="b")],
        "rules",
        CONTRADICTS,
    ),
]


@pytest.mark.parametrize(("mine", "others", "field", "code"), FAULTY)
def test_faulty(mine: Definition, others: list[Definition], field: str, code: str) -> None:
    assert faults(mine, *others) == [(field, code)]


COUNTS: list[tuple[dict[str, Any], str | None]] = [
    ({"minimum": 1, "maximum": 3, "default": 2}, None),
    ({"minimum": 2, "maximum": 2, "default": 2}, None),
    ({"minimum": 0, "maximum": None, "default": 500}, None),
    ({"minimum": -1, "maximum": 3, "default": 2}, "minimum"),
    ({"minimum": 40000, "maximum": None, "default": 2}, "minimum"),
    ({"minimum": 3, "maximum": 2, "default": 3}, "maximum"),
    ({"minimum": 0, "maximum": 0, "default": 0}, "maximum"),
    ({"minimum": 1, "maximum": 3, "default": 0}, "default"),
    ({"minimum": 1, "maximum": 3, "default": 4}, "default"),
]


@pytest.mark.parametrize(("counts", "place"), COUNTS)
def test_how_many(counts: dict[str, Any], place: str | None) -> None:
    expected = [(f"options[0].{place}", "definition_invalid")] if place else []
    assert faults(Definition("a", (Option("b", **counts),))) == expected


def test_a_loop_is_told_with_its_path() -> None:
    others = {"b": says("b", requires="cd"), "c": says("c", requires="a"), "d": says("d")}
    (fault,) = faults_of_definition(says("a", requires="b"), others, KNOWN)
    assert fault.message % fault.facts == "A loop: a → b → c → a."
    assert loop_through("a", {"a": ["a"]}) == ["a", "a"]
    assert loop_through("a", {"a": ["b"], "b": ["c"], "c": ["b"]}) == []


OFFICE = Definition(
    "office",
    (Option("phone", 2, 4, 2), Option("headset", 0, 1, 0), Option("line", 1, None, 1)),
)
ADDON = Definition("addon", (), (Rule("requires", "office"), Rule("excludes", "legacy")))
DEFINITIONS = {"office": OFFICE, "addon": ADDON}


def chosen(*lines: tuple[Any, ...]) -> list[Chosen]:
    return [Chosen(product, Decimal(n), *rest) for product, n, *rest in lines]


FULL = [("office", 1), ("phone", 2), ("line", 1)]
SELECTIONS: list[tuple[list[Any], tuple[str, ...], list[tuple[str, str]]]] = [
    ([], (), []),
    ([("phone", 9)], (), []),
    (FULL, (), []),
    ([*FULL, ("addon", 1)], (), []),
    ([("addon", 1)], ("office",), []),
    ([("addon", 1)], (), [("lines[0].product", "requires")]),
    ([*FULL, ("addon", 1), ("legacy", 1)], (), [("lines[3].product", "excludes")]),
    # What the account has may be required, and excludes nothing.
    ([("addon", 1)], ("office", "legacy"), []),
    ([("office", 1)], ("phone", "line"), [("lines[0].product", "option_count")] * 2),
    ([("office", 1), ("phone", 2)], (), [("lines[0].product", "option_count")]),
    ([("office", 1), ("phone", 1), ("line", 1)], (), [("lines[0].product", "option_count")]),
    ([("office", 1), ("phone", 5), ("line", 1)], (), [("lines[0].product", "option_count")]),
    ([("office", 2), ("phone", 3), ("line", 2)], (), [("lines[0].product", "option_count")]),
    ([("office", 2), ("phone", 8), ("line", 900)], (), []),
    ([("office", 1), ("office", 1), ("phone", 4), ("line", 2)], (), []),
    ([("phone", 1), ("phone", 1), ("line", 1), ("office", 1)], (), []),
    ([*FULL, ("headset", 1)], (), []),
    ([*FULL, ("headset", 2)], (), [("lines[0].product", "option_count")]),
    # Those that name their bundle count for it alone; the fifth phone is sold for itself.
    ([("office", 1), ("phone", 4, 0), ("line", 1, 0), ("phone", 1)], (), []),
    ([("office", 1), ("phone", 5, 0), ("line", 1, 0)], (), [("lines[0].product", "option_count")]),
    ([("office", 1), ("router", 1, 0)], (), [("lines[1].bundle", "bundle_invalid")]),
    ([*FULL, ("phone", 1, 1)], (), [("lines[3].bundle", "bundle_invalid")]),
    ([*FULL, ("phone", 1, 9)], (), [("lines[3].bundle", "bundle_invalid")]),
    ([*FULL, ("phone", 1, -1)], (), [("lines[3].bundle", "bundle_invalid")]),
]


@pytest.mark.parametrize(("lines", "already", "expected"), SELECTIONS)
def test_lines_together(
    lines: list[Any], already: tuple[str, ...], expected: list[tuple[str, str]]
) -> None:
    found = check_selection(chosen(*lines), DEFINITIONS, already=already)
    assert [(fault.field, fault.code) for fault in found] == expected


def test_counts_are_told_in_words() -> None:
    (fault,) = check_selection(
        chosen(("office", 2), ("phone", 9), ("line", 2)), DEFINITIONS, already=()
    )
    assert fault.message % fault.facts == "office takes at most 8 of phone; there are 9."
