"""Compares what a case publishes with what the engine answers, key by key."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from o2b.money import rounded
from tests.cases.asking import Boundaries, Credit, First
from tests.cases.reading import to_decimal


def differences(expect: Mapping[str, Any], answers: Mapping[str, Any]) -> list[str]:
    """Every key whose published value is not the engine's; a key of `expect` must be answered."""
    tolerance = to_decimal(expect.get("tolerance", "0"))
    found = []
    for key, published in expect.items():
        if key == "tolerance":
            continue
        answer = answers[key]
        if not same(published, answer, tolerance):
            found.append(f"{key}: published {published!r}, the engine says {show(answer)}")
    return found


def unanswered(expect: Mapping[str, Any], answers: Mapping[str, Any]) -> list[str]:
    """The keys of `expect` that the adapter does not produce."""
    return [key for key in expect if key != "tolerance" and key not in answers]


def same(published: Any, answer: Any, tolerance: Decimal) -> bool:
    """Decimals as decimals within the tolerance, dates as dates, lists element by element."""
    if isinstance(answer, Boundaries):
        ways = ([answer.start, *answer.ends], answer.ends)
        return any(
            same(published, First(each) if answer.goes_on else each, tolerance) for each in ways
        )
    if isinstance(answer, First):
        shown = list(answer.items)[: len(published)] if isinstance(published, list) else []
        return bool(shown) and same(published, shown, tolerance)
    if isinstance(published, dict | list):
        return _same_within(published, answer, tolerance)
    if isinstance(answer, bool):
        return published is answer
    if isinstance(answer, date):
        return bool(published == answer.isoformat())
    if isinstance(answer, str):
        return bool(published == answer)
    return _same_number(published, answer, tolerance)


def _same_within(published: Any, answer: Any, tolerance: Decimal) -> bool:
    """Lists of equal length; of objects the keys that are published."""
    if isinstance(published, dict):
        return isinstance(answer, Mapping) and all(
            key in answer and same(each, answer[key], tolerance) for key, each in published.items()
        )
    if not isinstance(answer, list | tuple) or len(published) != len(answer):
        return False
    return all(same(p, a, tolerance) for p, a in zip(published, answer, strict=True))


def _same_number(published: Any, answer: Any, tolerance: Decimal) -> bool:
    try:
        told = to_decimal(published)
    except (TypeError, ValueError, InvalidOperation):
        return False
    if isinstance(answer, Fraction):
        # Exact in the engine; published at so many decimals.
        return rounded(answer, _places(told)) == told
    if isinstance(answer, Credit):
        # What is given back is below zero here; publishers write it with either sign.
        return abs(-abs(told) - answer.amount) <= tolerance
    if isinstance(answer, list | tuple):
        return False
    return abs(told - Decimal(answer)) <= tolerance


def _places(told: Decimal) -> int:
    return max(0, -int(told.as_tuple().exponent))


def show(answer: Any) -> str:
    if isinstance(answer, Boundaries):
        return show([answer.start, *answer.ends])
    if isinstance(answer, First):
        return f"{show(answer.items)} and so on"
    if isinstance(answer, list | tuple) and not isinstance(answer, Credit):
        return f"[{', '.join(show(each) for each in answer)}]"
    if isinstance(answer, Credit):
        return f"{answer.amount} (given back)"
    return str(answer)
