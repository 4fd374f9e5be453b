"""Quantities, characteristics and plans: what may be sold, and what may be laid."""

from decimal import Decimal
from typing import Any

import pytest

from o2b.catalog.characteristics import CharacteristicInvalid, check_characteristics
from o2b.catalog.models import Product
from o2b.catalog.plans import PlanBroken, check_plan
from o2b.catalog.quantities import QuantityInvalid, check_quantity


@pytest.mark.parametrize(
    ("value", "places", "quantity"),
    [
        ("1", 0, "1"),
        (Decimal("1.000"), 0, "1"),
        ("1E+2", 0, "100"),
        ("1000000000", 0, "1000000000"),
        ("0.000001", 6, "0.000001"),
        (2.5, 1, "2.5"),
        (3, 0, "3"),
        (" 7 ", 0, "7"),
    ],
)
def test_a_quantity(value: Any, places: int, quantity: str) -> None:
    told = check_quantity(Product(name="Fibre", quantity_places=places), value)
    assert told == Decimal(quantity)
    assert -told.as_tuple().exponent == places


@pytest.mark.parametrize(
    ("value", "places"),
    [
        ("0", 0),
        ("-0", 0),
        ("-1", 0),
        ("1.5", 0),
        ("0.1234567", 6),
        ("1e-7", 6),
        ("1e-999999999", 6),
        ("1000000001", 0),
        ("1e30", 0),
        ("1e999999999", 0),
        ("NaN", 0),
        ("sNaN", 0),
        ("-Infinity", 0),
        ("", 0),
        ("1,5", 1),
        ("1\0", 0),
        (None, 0),
        ([], 0),
        (True, 0),
    ],
)
def test_no_quantity(value: Any, places: int) -> None:
    product = Product(name="Fibre", quantity_places=places)
    with pytest.raises(QuantityInvalid) as caught:
        check_quantity(product, value, field="lines[3].quantity")
    assert caught.value.field == "lines[3].quantity"


SPECS = [
    {"name": "speed", "type": "choice", "choices": ["100", "250"], "required": True},
    {"name": "seats", "type": "integer", "minimum": 1, "maximum": 10, "default": 2},
    {"name": "length", "type": "decimal", "minimum": "0.5"},
    {"name": "static", "type": "boolean"},
    {"name": "site"},
]


@pytest.mark.parametrize(
    ("given", "chosen"),
    [
        ({"speed": "100"}, {"speed": "100", "seats": 2}),
        ({"speed": "250", "seats": "10"}, {"speed": "250", "seats": 10}),
        ({"speed": "100", "seats": 3.0}, {"speed": "100", "seats": 3}),
        ({"speed": "100", "length": "1E+1"}, {"speed": "100", "seats": 2, "length": "10"}),
        ({"speed": "100", "static": "true"}, {"speed": "100", "seats": 2, "static": True}),
        ({"speed": "100", "static": False}, {"speed": "100", "seats": 2, "static": False}),
        ({"speed": "100", "site": ""}, {"speed": "100", "seats": 2}),
        ({"speed": "100", "site": "Berlin"}, {"speed": "100", "seats": 2, "site": "Berlin"}),
    ],
)
def test_characteristics(given: dict[str, Any], chosen: dict[str, Any]) -> None:
    assert check_characteristics(SPECS, given, field="c") == chosen


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "c.speed"),
        ({"speed": ""}, "c.speed"),
        ({"speed": "300"}, "c.speed"),
        ({"speed": 100}, "c.speed"),
        ({"speed": ["100"]}, "c.speed"),
        ({"seats": "0", "speed": "100"}, "c.seats"),
        ({"seats": "11", "speed": "100"}, "c.seats"),
        ({"seats": "1.5", "speed": "100"}, "c.seats"),
        ({"seats": "many", "speed": "100"}, "c.seats"),
        ({"seats": "1e999999999", "speed": "100"}, "c.seats"),
        ({"seats": {}, "speed": "100"}, "c.seats"),
        ({"length": "NaN", "speed": "100"}, "c.length"),
        ({"length": "0.4", "speed": "100"}, "c.length"),
        ({"length": "1e999999999", "speed": "100"}, "c.length"),
        ({"static": "maybe", "speed": "100"}, "c.static"),
        ({"static": 2, "speed": "100"}, "c.static"),
        ({"site": 5, "speed": "100"}, "c.site"),
        ({"site": "x" * 501, "speed": "100"}, "c.site"),
        ({"site": "a\0", "speed": "100"}, "c.site"),
        ({"colour": "red", "speed": "100"}, "c"),
        ([("speed", "100")], "c"),
        (None, "c"),
    ],
)
def test_no_characteristics(given: Any, field: str) -> None:
    with pytest.raises(CharacteristicInvalid) as caught:
        check_characteristics(SPECS, given, field="c")
    assert caught.value.field == field


def task(key: str, *after: str, **given: Any) -> dict[str, Any]:
    return {"key": key, "kind": "manual", "queue": "field", "after": list(after)} | given


def test_a_plan_in_an_order_that_can_be_done() -> None:
    keys = check_plan([task("c", "a", "b"), task("b", "a"), task("a")])
    assert keys == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("tasks", "field"),
    [
        ([], "tasks"),
        ([task("")], "tasks.key"),
        ([{}], "tasks.key"),
        ([task("a"), task("a")], "tasks.key"),
        ([task("a", kind="magic")], "tasks.kind"),
        ([task("a", queue="")], "tasks.queue"),
        ([task("a", kind="automatic")], "tasks.handler"),
        ([task("a", "b")], "tasks.after"),
        ([task("a", "a")], "tasks.after"),
        ([task("a", "b"), task("b", "c"), task("c", "a")], "tasks.after"),
    ],
)
def test_a_broken_plan(tasks: list[dict[str, Any]], field: str) -> None:
    with pytest.raises(PlanBroken) as caught:
        check_plan(tasks)
    assert caught.value.field == field
