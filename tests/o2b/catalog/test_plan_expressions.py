"""Expressions of plans: what they may say, what they may not, and that nothing else can happen."""

import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from o2b.catalog.plans.expressions import (
    ExpressionBroken,
    constants_in,
    evaluate,
    names_in,
    value_of,
)

NAMES: dict[str, Any] = {
    "speed": 100,
    "site": "home",
    "length": "2.5",
    "quantity": Decimal("1.5"),
    "product": "fibre",
    "version": 3,
    "c": {"speed": 100, "max-rate": 7},
}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 + 2 * 3", 7),
        ("7 // 2", 3),
        ("7 % 4", 3),
        ("-7 // 2", -4),
        ("-7.0 // 2", -4),
        ("-7.5 % 2", Decimal("0.5")),
        ("1 / 4", Decimal("0.25")),
        ("0.1 + 0.2", Decimal("0.3")),
        ("quantity * 0.5", Decimal("0.75")),
        ("number(length) * 2", Decimal("5.0")),
        ("2 ** 10", 1024),
        ("-speed", -100),
        ("abs(-2.5)", Decimal("2.5")),
        ("ceil(2.1)", 3),
        ("ceil(-2.1)", -2),
        ("floor(-2.1)", -3),
        ("max(1, 2.5)", Decimal("2.5")),
        ("min(speed, 7)", 7),
        ("'a' + 'b'", "ab"),
        ("upper(site)", "HOME"),
        ("lower('ABC')", "abc"),
        ("text(2.50)", "2.5"),
        ("speed > 50 and site == 'home'", True),
        ("not speed", False),
        ("speed in (100, 200)", True),
        ("site not in ['work']", True),
        ("'om' in site", True),
        ("1 if speed > 50 else 2", 1),
        ("1 < quantity < 2", True),
        ('c["max-rate"]', 7),
        ("'colour' in c", False),
        ("has(colour)", False),
        ("has(colour) and colour > 5", False),
        ("has(site)", True),
        ("site is None", False),
        ("None", None),
        ("[speed, 2.5]", [100, Decimal("2.5")]),
        ("(((((1)))))", 1),
        ("'\\d'", "\\d"),
    ],
)
def test_what_may_be_said(expression: str, value: Any) -> None:
    assert evaluate(expression, NAMES) == value


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "   ",
        "1 +",
        "x" * 501,
        "1\0",
        "speed\0",
        "a = 1",
        "import os",
        "1; 2",
        # the inside of Python
        "site.upper()",
        "().__class__.__bases__[0].__subclasses__()",
        "c.items()",
        "c.__class__",
        "__import__('os')",
        "eval('1')",
        "open('/etc/passwd')",
        "print(1)",
        "getattr(site, 'x')",
        "max.__self__",
        "max",
        "has",
        "max(1, key=2)",
        "max(*[1, 2])",
        "lambda: 1",
        "(lambda: 1)()",
        "(y := 1)",
        "[x for x in (1, 2)]",
        "{x: 1 for x in (1,)}",
        "(x for x in (1,))",
        "{1, 2}",
        "{'a': 1}",
        "f'{speed}'",
        "f'{speed!r:>1000000}'",
        "site[0:2]",
        "await speed",
        "yield 1",
        "b'x'",
        "1j",
        "...",
        "1 @ 2",
        "1 << 1000",
        "1 >> 1",
        "1 | 2",
        "~1",
        # too much
        "9 ** 9 ** 9",
        "2 ** 65",
        "10 ** 60 * 10",
        "1e60 * 1e60",
        "'x' * 1000000",
        "1000000 * 'x'",
        "[1] * 1000000",
        "'%1000000d' % 1",
        "ceil('1e999999999')",
        "number('1e999999999')",
        "number('nan')",
        "number('inf')",
        "-" * 400 + "1",
        "not " * 100 + "1",
        "(" * 240 + "1" + ")" * 240,
        "[" * 45 + "]" * 45,
        "1" + " if 1 else 1" * 41,
        # with these values
        "nobody",
        "colour > 5",
        "c['colour']",
        "c[0]",
        "speed['a']",
        "site[99]",
        "1 / 0",
        "1 // 0",
        "1 % 0",
        "0 ** -1",
        "(-8) ** 0.5",
        "site + 1",
        "site > 1",
        "length * 2",
        "length + 1",
        "number(site)",
        "number(True)",
        "number(None)",
        "abs(c)",
        "max()",
        "max(1)",
        "max(1, 'a')",
        "has()",
        "1 in 2",
        "-site",
    ],
)
def test_what_may_not_be_said(expression: str) -> None:
    begun = time.monotonic()
    with pytest.raises(ExpressionBroken):
        evaluate(expression, NAMES)
    assert time.monotonic() - begun < 1


def test_names_and_constants() -> None:
    assert names_in("max(speed, 3) > 2 and has(site)") == {"speed", "site"}
    assert names_in("max > 2") == {"max"}
    assert constants_in("speed > 100 or site == 'home'") == [100, "home"]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("=speed", 100),
        ("= speed / 8", "12.5"),
        ("speed", "speed"),
        (5, 5),
        (None, None),
        ({"a": ["=speed", {"b": "=site"}]}, {"a": [100, {"b": "home"}]}),
        ("=[1.50, speed]", ["1.5", 100]),
        ("=6 / 2", 3),
    ],
)
def test_parameters(value: Any, found: Any) -> None:
    assert value_of(value, NAMES) == found


ATOMS = st.sampled_from(
    [
        *("speed", "site", "length", "quantity", "c", "nobody", "None", "True", "1", "0", "2.5"),
        *("1e300", "'a'", "'%s'", "()", "[]", "''", "c['speed']", "max", "99999999999999999999"),
    ]
)
SIGNS = ["+", "-", "*", "/", "//", "%", "**", "==", "<", ">", "in", "not in", "is", "and", "or"]


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    calls = ["abs", "ceil", "floor", "max", "min", "number", "lower", "text", "has", "open"]
    return st.one_of(
        st.tuples(inner, st.sampled_from(SIGNS), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(st.sampled_from(calls), inner).map(lambda t: f"{t[0]}({t[1]})"),
        st.tuples(st.sampled_from(["not", "-", "+"]), inner).map(lambda t: f"({t[0]} {t[1]})"),
        st.tuples(inner, inner, inner).map(lambda t: f"({t[0]} if {t[1]} else {t[2]})"),
        st.tuples(inner, inner).map(lambda t: f"({t[0]}, {t[1]})"),
        st.tuples(inner, inner).map(lambda t: f"{t[0]}[{t[1]}]"),
    )


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.recursive(ATOMS, _grown, max_leaves=12), st.text(max_size=80)))
def test_nothing_but_a_broken_expression_is_ever_raised(expression: str) -> None:
    try:
        value = evaluate(expression, NAMES)
    except ExpressionBroken:
        return
    assert isinstance(value, str | int | float | Decimal | list | dict | None)
    value_of(f"={expression}", NAMES)
