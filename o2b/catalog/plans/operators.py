"""What the signs of an expression mean: exact numbers within limits, texts only joined."""

import ast
import operator
from collections.abc import Callable
from decimal import ROUND_FLOOR, Decimal
from typing import Any

MOST_DIGITS = 60  # of any number, on both sides of the point
LARGEST_POWER = 64


def number(value: Any) -> Decimal | int:
    """The number that a value is or says; refuses what is none, and what is beyond all measure."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise TypeError("this is no number")
    if isinstance(value, int):
        return within(value)
    found = Decimal(str(value))
    if not found.is_finite():
        raise TypeError("this is no number")
    return within(found)


def within(value: Any) -> Any:
    """The number itself; refuses one that has too many digits."""
    if isinstance(value, Decimal):
        if value.is_finite() and value and abs(value.adjusted()) > MOST_DIGITS:
            raise ValueError("the number is too large")
    elif value.bit_length() > MOST_DIGITS * 4:
        raise ValueError("the number is too large")
    return value


def _of_numbers(sign: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """A sign between two numbers; a text is none, also if it says one."""

    def done(left: Any, right: Any) -> Any:
        return within(sign(_strict(left), _strict(right)))

    return done


def _strict(value: Any) -> Any:
    if isinstance(value, str):
        raise TypeError("a text is no number; say number(…)")
    return number(value)


def _add(left: Any, right: Any) -> Any:
    if isinstance(left, str) and isinstance(right, str):
        return left + right
    return within(operator.add(_strict(left), _strict(right)))


def _divide(left: Any, right: Any) -> Any:
    return Decimal(left) / Decimal(right)


def floor(value: Any) -> int:
    """The whole number at or below; exact numbers of Python round towards zero when they divide.

    >>> floor("-2.1"), floor(7)
    (-3, 7)
    """
    return int(Decimal(number(value)).to_integral_value(ROUND_FLOOR))


def _floor_divide(left: Any, right: Any) -> Any:
    if isinstance(left, int) and isinstance(right, int):
        return left // right
    return floor(_divide(left, right))


def _rest(left: Any, right: Any) -> Any:
    return left - _floor_divide(left, right) * right


def _power(left: Any, right: Any) -> Any:
    if abs(right) > LARGEST_POWER:
        raise ValueError("the power is too large")
    return Decimal(left) ** right


OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: _add,
    ast.Sub: _of_numbers(operator.sub),
    ast.Mult: _of_numbers(operator.mul),
    ast.Div: _of_numbers(_divide),
    ast.FloorDiv: _of_numbers(_floor_divide),
    ast.Mod: _of_numbers(_rest),
    ast.Pow: _of_numbers(_power),
    ast.USub: lambda value: -_strict(value),
    ast.UAdd: lambda value: _strict(value),
    ast.Not: operator.not_,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Gt: operator.gt,
    ast.Lt: operator.lt,
    ast.GtE: operator.ge,
    ast.LtE: operator.le,
    ast.In: lambda one, several: operator.contains(several, one),
    ast.NotIn: lambda one, several: not operator.contains(several, one),
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}
