"""What a cell says: numbers, days, intervals, lists. CellInvalid tells what to write instead."""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from o2b.catalog.exchange.faults import CellInvalid
from o2b.charging.terms import plain
from o2b.periods import Interval, Unit

NUMBER = re.compile(r"-?\d{1,14}(\.\d{1,8})?", re.ASCII)
_COMMA = re.compile(r"[+-]?[\d.\s]*,\d*", re.ASCII)
_EXPONENT = re.compile(r"[+-]?[\d.]+[eE][+-]?\d+", re.ASCII)
_SLUG = re.compile(r"[-a-zA-Z0-9_]+")
_INTERVAL = re.compile(r"(?:(\d{1,4})\s*)?(day|week|month|quarter|half-year|year)s?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_OTHER_UNITS = {"quarter": 3, "half-year": 6}
MOST = 32_767
LONGEST_WORD = 60


def number(text: str) -> str:
    """A decimal with a point, of at most 14 digits before it and 8 after, as plain text.

    >>> number("49.90"), number("+3")
    ('49.90', '3')
    """
    if NUMBER.fullmatch(text):
        return text
    if NUMBER.fullmatch(bare := text.removeprefix("+")):
        return bare
    if _COMMA.fullmatch(text):
        raise CellInvalid(_("“%(text)s” has a decimal comma: write 1.50, with a point.") % _t(text))
    if _EXPONENT.fullmatch(text):
        raise CellInvalid(_("“%(text)s” has an exponent: write all digits.") % _t(text))
    if re.fullmatch(r"[+-]?[0-9]+(\.[0-9]*)?", text):
        raise CellInvalid(
            _("“%(text)s”: at most 14 digits before the point and 8 after it.") % _t(text)
        )
    raise CellInvalid(_("“%(text)s” is no number: write 1234.50, with nothing else.") % _t(text))


def decimal(text: str) -> Decimal:
    return Decimal(number(text))


def whole(text: str, *, least: int = 0, most: int = MOST) -> int:
    """A whole number within its limits."""
    if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
        raise CellInvalid(
            _("“%(text)s”: write a whole number from %(least)s to %(most)s.")
            % {**_t(text), "least": least, "most": most}
        )
    return int(text)


def day(text: str) -> date:
    try:
        if not _DAY.fullmatch(text):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise CellInvalid(_("“%(text)s” is no day: write YYYY-MM-DD.") % _t(text)) from None


def word(text: str, *, longest: int = LONGEST_WORD) -> str:
    """A code: letters, digits, hyphens and underscores."""
    if not _SLUG.fullmatch(text) or len(text) > longest:
        raise CellInvalid(
            _("“%(text)s”: a code is of letters, digits, - and _, %(longest)s characters at most.")
            % {**_t(text), "longest": longest}
        )
    return text


def phrase(text: str, *, longest: int) -> str:
    if not text:
        raise CellInvalid(_("The cell is empty: write something."))
    if len(text) > longest:
        raise CellInvalid(_("At most %(longest)s characters.") % {"longest": longest})
    if "\0" in text:
        raise CellInvalid(_("The cell holds a NUL character: delete it."))
    return text


def one_of(text: str, known: Iterable[str]) -> str:
    """One of the known words."""
    known = list(known)
    if text not in known:
        raise CellInvalid(
            _("“%(text)s” is not known: write one of %(known)s.")
            % {**_t(text), "known": ", ".join(known)}
        )
    return text


def parts(text: str) -> list[str]:
    """A list as one cell says it: a; b; c.

    >>> parts("a; b ;c;"), parts("")
    (['a', 'b', 'c'], [])
    """
    return [part for each in text.split(";") if (part := each.strip())]


def interval(text: str) -> Interval:
    """How long a period is: month, 3 months, quarter, half-year, 2 years, 14 days.

    >>> str(interval("quarter")), str(interval("12 months"))
    ('3 months', '12 months')
    """
    try:
        # Without a gap between number and word too: 3months.
        if found := _INTERVAL.fullmatch(text):
            return Interval.named(f"{found[1] or 1} {found[2]}")
    except ValueError:
        pass  # so many as none
    raise CellInvalid(
        _("“%(text)s” is no interval: write month, 3 months, quarter, half-year, year or days.")
        % _t(text)
    )


def interval_text(unit: str, count: int) -> str:
    """The way back: what `interval` reads as the same.

    >>> interval_text("month", 3), interval_text("month", 12), interval_text("year", 1)
    ('quarter', '12 months', 'year')
    """
    if not unit:
        return ""
    for other, months in _OTHER_UNITS.items():
        if unit == Unit.MONTH and count == months:
            return other
    return unit if count == 1 else f"{count} {unit}s"


def tiers(text: str) -> list[dict[str, str]]:
    """Tiers as `up_to:unit_price:flat_fee:block`, the last up to *; flat fee and block may lack.

    >>> tiers("5:10:100; *:2")[1]
    {'unit_price': '2'}
    """
    return [_tier(part) for part in parts(text)]


def _tier(text: str) -> dict[str, str]:
    up_to, *others = [each.strip() for each in text.split(":")]
    if not 1 <= len(others) <= 3:
        raise CellInvalid(
            _("“%(text)s” is no tier: write up_to:unit_price:flat_fee, such as 5:10:100 or *:2.")
            % _t(text)
        )
    tier = {} if up_to == "*" else {"up_to": number(up_to)}
    for name, each in zip(("unit_price", "flat_fee", "block"), others, strict=False):
        if each or name == "unit_price":
            tier[name] = number(each)
    return tier


def tiers_text(stored: Iterable[dict[str, Any]]) -> str:
    """The way back from a stored list of tiers."""
    return "; ".join(_tier_text(tier) for tier in stored)


def _tier_text(tier: dict[str, Any]) -> str:
    flat_fee, block = tier.get("flat_fee", ""), tier.get("block", "")
    said = [tier.get("up_to", "*"), tier["unit_price"], flat_fee, block]
    while not said[-1]:
        said.pop()
    return ":".join(said)


def where(text: str) -> dict[str, list[str]]:
    """Which values of dimensions count: zone=national|eu; carrier=a. Or the same as JSON.

    >>> where("zone=national | eu; carrier=a")
    {'zone': ['national', 'eu'], 'carrier': ['a']}
    """
    if text.startswith("{"):
        found: dict[str, list[str]] = document(text, dict)
        return found
    said: dict[str, list[str]] = {}
    for part in parts(text):
        name, sign, values = part.partition("=")
        name = name.strip()
        if not sign or name in said:
            raise CellInvalid(
                _("“%(text)s” says no dimension: write zone=national|eu; carrier=a.") % _t(part)
            )
        said[name] = [each.strip() for each in values.split("|")]
    return said


def where_text(stored: Mapping[str, Iterable[str]]) -> str:
    """The way back; as JSON where a value holds one of the signs.

    >>> where_text({"zone": ["eu", "national"]}), where_text({"zone": ["a;b"]})
    ('zone=eu|national', '{"zone":["a;b"]}')
    """
    values = [value for each in stored.values() for value in each]
    if any(sign in value for value in values for sign in ";|"):
        return document_text(stored)
    return "; ".join(f"{name}={'|'.join(each)}" for name, each in stored.items())


def document(text: str, form: type) -> Any:
    """JSON of one form: a list or an object."""
    try:
        found = json.loads(text, parse_float=_no_float, parse_constant=_no_float)
        # What Postgres does not hold as text: halves of characters, and NUL.
        json.dumps(found, ensure_ascii=False).encode()
        if r"\u0000" in text:
            raise ValueError("NUL")
    except (ValueError, RecursionError) as exc:
        raise CellInvalid(
            _("No JSON (%(problem)s). Numbers with decimals stand in quotes.")
            % {"problem": str(exc)[:80]}
        ) from exc
    if not isinstance(found, form):
        wanted = "[…]" if form is list else "{…}"
        raise CellInvalid(_("Write JSON of the form %(wanted)s.") % {"wanted": wanted})
    return found


def document_text(stored: Any) -> str:
    """The way back; an empty one is an empty cell."""
    if not stored:
        return ""
    return json.dumps(stored, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def plain_text(value: Decimal | None) -> str:
    return "" if value is None else plain(value)


def _no_float(text: str) -> Any:
    raise ValueError(f"{text} is no exact number")


def _t(text: str) -> dict[str, str]:
    return {"text": text[:60]}
