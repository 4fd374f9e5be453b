"""What a version may declare as its characteristics: each fault, at the place where it is."""

from typing import Any

import pytest

from o2b.catalog.characteristics import CharacteristicInvalid, check_characteristics
from o2b.catalog.rules.definitions import faults_of_characteristics

SPEED = {
    "name": "bandwidth_mbps",
    "label": "Bandwidth",
    "type": "integer",
    "unit": "Mbps",
    "minimum": 10,
    "maximum": 10000,
    "default": 100,
}
TERM = {"name": "term", "type": "choice", "choices": ["1", "2", "3"], "unit": "years"}
SOUND: list[Any] = [
    [],
    [SPEED, TERM],
    [{"name": "a"}],
    [{"name": "a", "type": "text", "default": "x", "required": True, "label": "A"}],
    [{"name": "a", "type": "decimal", "minimum": "0.5", "maximum": "0.5", "default": "0.50"}],
    [{"name": "a", "type": "boolean", "default": False}, {"name": "b", "type": "boolean"}],
    [{"name": "a", "type": "choice", "choices": [1, 2, "three"], "default": "2"}],
    [{"name": "a", "type": "integer", "minimum": None, "maximum": "", "default": ""}],
]


@pytest.mark.parametrize("specs", SOUND)
def test_sound(specs: Any) -> None:
    assert faults_of_characteristics(specs) == []


FAULTY = [
    ({}, ""),
    ("text", ""),
    ([1], "[0]"),
    ([{}], "[0].name"),
    ([{"name": ""}], "[0].name"),
    ([{"name": 7}], "[0].name"),
    ([{"name": "9lives"}], "[0].name"),
    ([{"name": "two words"}], "[0].name"),
    ([{"name": "x\0"}], "[0].name"),
    ([{"name": "x\n"}], "[0].name"),
    ([{"name": "x" * 61}], "[0].name"),
    ([{"name": "a"}, {"name": "a"}], "[1].name"),
    ([{"name": "a", "type": "colour"}], "[0].type"),
    ([{"name": "a", "type": ["text"]}], "[0].type"),
    ([{"name": "a", "places": 2}], "[0].places"),
    ([{"name": "a", "label": 1}], "[0].label"),
    ([{"name": "a", "label": "\0"}], "[0].label"),
    ([{"name": "a", "unit": "Mbps"}], "[0].unit"),
    ([{"name": "a", "type": "boolean", "unit": "x"}], "[0].unit"),
    ([{"name": "a", "type": "decimal", "unit": "x" * 31}], "[0].unit"),
    ([{"name": "a", "required": "maybe"}], "[0].required"),
    ([{"name": "a", "choices": ["1"]}], "[0].choices"),
    ([{"name": "a", "type": "choice"}], "[0].choices"),
    ([{"name": "a", "type": "choice", "choices": []}], "[0].choices"),
    ([{"name": "a", "type": "choice", "choices": "12"}], "[0].choices"),
    ([{"name": "a", "type": "choice", "choices": ["1"] * 1001}], "[0].choices"),
    ([{"name": "a", "type": "choice", "choices": ["1", " "]}], "[0].choices[1]"),
    ([{"name": "a", "type": "choice", "choices": ["1", 1]}], "[0].choices[1]"),
    ([{"name": "a", "type": "choice", "choices": [True]}], "[0].choices[0]"),
    ([{"name": "a", "type": "choice", "choices": [1.5]}], "[0].choices[0]"),
    ([{"name": "a", "type": "choice", "choices": ["1"], "default": "2"}], "[0].default"),
    ([{"name": "a", "type": "choice", "choices": ["1"], "minimum": 1}], "[0].minimum"),
    ([{"name": "a", "minimum": 1}], "[0].minimum"),
    ([{"name": "a", "type": "boolean", "maximum": 1}], "[0].maximum"),
    ([{"name": "a", "type": "boolean", "default": "yes"}], "[0].default"),
    ([{"name": "a", "type": "boolean", "default": 1}], "[0].default"),
    ([{"name": "a", "type": "integer", "minimum": "many"}], "[0].minimum"),
    ([{"name": "a", "type": "integer", "minimum": "1.5"}], "[0].minimum"),
    ([{"name": "a", "type": "decimal", "maximum": "NaN"}], "[0].maximum"),
    ([{"name": "a", "type": "decimal", "maximum": "1e99"}], "[0].maximum"),
    ([{"name": "a", "type": "decimal", "maximum": True}], "[0].maximum"),
    ([{"name": "a", "type": "integer", "minimum": 5, "maximum": 4}], "[0].maximum"),
    ([SPEED | {"default": 9}], "[0].default"),
    ([SPEED | {"default": 10001}], "[0].default"),
    ([SPEED | {"default": "10.5"}], "[0].default"),
    ([SPEED | {"default": "fast"}], "[0].default"),
    ([{"name": "a", "default": "x" * 501}], "[0].default"),
    ([{"name": "a", "default": 5}], "[0].default"),
    ([{"name": f"n{i}"} for i in range(101)], ""),
]


@pytest.mark.parametrize(("specs", "place"), FAULTY)
def test_each_fault_names_its_place(specs: Any, place: str) -> None:
    assert [fault.field for fault in faults_of_characteristics(specs)] == [
        f"characteristics{place}"
    ]


def test_every_fault_is_told_at_once_and_in_words() -> None:
    specs = [{"name": "a", "type": "integer", "minimum": 5, "maximum": 4}, {"name": "a b"}]
    first, second = faults_of_characteristics(specs, field="c")
    assert (first.field, second.field) == ("c[0].maximum", "c[1].name")
    assert first.message % first.facts == "The largest value, 4, is less than the least, 5."


VALUES = [
    ({}, {"bandwidth_mbps": 100}),
    ({"bandwidth_mbps": "150"}, {"bandwidth_mbps": 150}),
    ({"bandwidth_mbps": "150 Mbps"}, {"bandwidth_mbps": 150}),
    ({"bandwidth_mbps": "150Mbps "}, {"bandwidth_mbps": 150}),
    ({"term": "2"}, {"bandwidth_mbps": 100, "term": "2"}),
    ({"term": "2 years"}, {"bandwidth_mbps": 100, "term": "2"}),
    ({"level": "2"}, {"bandwidth_mbps": 100, "level": 2}),
    ({"level": 2}, {"bandwidth_mbps": 100, "level": 2}),
    ({"weight": "1.50"}, {"bandwidth_mbps": 100, "weight": "1.5"}),
    ({"weight": "10"}, {"bandwidth_mbps": 100, "weight": "10"}),
]
SPECS = [
    SPEED,
    TERM,
    {"name": "level", "type": "choice", "choices": [1, 2]},
    {"name": "weight", "type": "decimal", "unit": "kg", "maximum": 10},
]


@pytest.mark.parametrize(("given", "chosen"), VALUES)
def test_values_are_kept_in_one_form(given: dict[str, Any], chosen: dict[str, Any]) -> None:
    assert check_characteristics(SPECS, given, field="c") == chosen


REFUSED = [
    ({"bandwidth_mbps": "150 kbps"}, "Bandwidth is a number of Mbps."),
    ({"bandwidth_mbps": "9"}, "Bandwidth is at least 10 Mbps."),
    ({"bandwidth_mbps": 10001}, "Bandwidth is at most 10000 Mbps."),
    ({"bandwidth_mbps": "10.5"}, "Bandwidth is a whole number."),
    ({"bandwidth_mbps": True}, "Bandwidth is a number of Mbps."),
    ({"term": "4 years"}, "term is one of: 1, 2, 3."),
    ({"term": 1}, "term is one of: 1, 2, 3."),
    ({"level": True}, "level is one of: 1, 2."),
    ({"weight": "11 kg"}, "weight is at most 10 kg."),
]


@pytest.mark.parametrize(("given", "message"), REFUSED)
def test_values_out_of_range(given: dict[str, Any], message: str) -> None:
    with pytest.raises(CharacteristicInvalid) as caught:
        check_characteristics(SPECS, given, field="c")
    assert (caught.value.field, caught.value.message) == (f"c.{next(iter(given))}", message)
