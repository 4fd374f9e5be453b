"""The part of a total: what totals of one service, meter and day are kept apart by."""

import json
from collections.abc import Mapping
from datetime import time
from decimal import Decimal
from typing import NamedTuple

LONGEST = 500
_DECODER = json.JSONDecoder()


class Part(NamedTuple):
    """The dimensions, and the value and local time where totals keep each event's own."""

    dimensions: Mapping[str, str]
    value: Decimal | None = None
    at: time | None = None


def dimension_key(dimensions: Mapping[str, str]) -> str:
    """Dimensions as one text, equal for equal ones; nothing for none.

    >>> dimension_key({"zone": "mobile", "day": "work"})
    '{"day":"work","zone":"mobile"}'
    """
    if not dimensions:
        return ""
    return json.dumps(dimensions, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def read_part(part: str) -> Part:
    """What a part says; the other way round than it was written.

    >>> read_part('{"zone":"mobile"}=61@14:03:22.000000')
    Part(dimensions={'zone': 'mobile'}, value=Decimal('61'), at=datetime.time(14, 3, 22))
    """
    dimensions, end = _DECODER.raw_decode(part) if part.startswith("{") else ({}, 0)
    value, _, moment = part[end:].partition("@")
    return Part(
        dimensions,
        Decimal(value[1:]) if value else None,
        time.fromisoformat(moment) if moment else None,
    )
