"""JSON read exactly: numbers as decimals, and nothing in it that no field could hold."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import IO, Any, NoReturn

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.parsers import JSONParser

from o2b.api.problems import Malformed, TooLarge

DEEPEST = 40  # levels; the deepest body that means anything has five


class ExactJSONParser(JSONParser):
    """Decimals instead of floats; refuses NaN, double names, NUL, lone surrogates, great depth."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 2_621_440
        raw = stream.read(most + 1)
        if len(raw) > most:
            raise TooLarge(_("The request is larger than %(most)s bytes.") % {"most": most})
        try:
            found = json.loads(
                raw.decode(),
                parse_float=_decimal,
                parse_constant=_no_number,
                object_pairs_hook=_unique,
            )
        except (ValueError, ArithmeticError, RecursionError) as exc:
            raise Malformed(_("The body is no JSON: %(why)s") % {"why": exc}) from exc
        _check(found, "", 0)
        return found


def _decimal(literal: str) -> Decimal:
    number = Decimal(literal)
    if not number.is_finite():
        raise ValueError(f"{literal[:40]} is out of range")
    return number


def _no_number(literal: str) -> NoReturn:
    raise ValueError(f"{literal} is no number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _check(value: Any, path: str, depth: int) -> None:
    if depth > DEEPEST:
        raise Malformed(_("The body is nested too deeply."))
    if isinstance(value, str):
        _check_text(value, path)
    elif isinstance(value, dict):
        for key, inner in value.items():
            _check_text(key, path)
            _check(inner, f"{path}.{key}" if path else key, depth + 1)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _check(inner, f"{path}[{index}]", depth + 1)


def _check_text(text: str, path: str) -> None:
    """Postgres holds neither NUL nor half a character."""
    if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise Malformed(_("A text holds a character that cannot be stored."), field=path)
