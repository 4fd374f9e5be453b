"""Where something stands, and which serials are pieces and which are licences; pure."""

from collections.abc import Iterable, Mapping
from typing import Any

# What characteristics call the place of a delivery; two of them are the ends of a line.
PLACES = ("site", "address", "delivery_address", "installation_address", "location", "place")
ENDS = ("site_a", "site_z")
MASK = "…"  # of a licence key only the end is shown


def place_of(characteristics: Mapping[str, Any]) -> str:
    """Where it was delivered to, as the order line says; empty when it says nothing.

    >>> place_of({"site": "Graben 21, Wien", "edition": "pro"})
    'Graben 21, Wien'
    >>> place_of({"site_a": "Wien", "site_z": "Zürich"})
    'Wien – Zürich'
    """
    ends = [_text(characteristics.get(name)) for name in ENDS]
    if any(ends):
        return " – ".join(filter(None, ends))
    return next(filter(None, (_text(characteristics.get(name)) for name in PLACES)), "")


def beside_place(characteristics: Mapping[str, Any]) -> dict[str, Any]:
    """The characteristics that do not say where.

    >>> beside_place({"site": "Wien", "edition": "pro"})
    {'edition': 'pro'}
    """
    return {name: value for name, value in characteristics.items() if name not in PLACES + ENDS}


def _text(value: Any) -> str:
    return str(value).strip() if isinstance(value, str | int) else ""


def is_licence(serial: str) -> bool:
    """Whether a serial is the end of a licence key.

    >>> is_licence("…EEEEE"), is_licence("SN-0815")
    (True, False)
    """
    return serial.startswith(MASK)


def in_short(serials: Iterable[str], *, most: int = 2) -> str:
    """The first serials, and how many more there are.

    >>> in_short(["S1", "S2", "S3", "S4"])
    'S1, S2 +2'
    """
    told = list(serials)
    more = f" +{len(told) - most}" if len(told) > most else ""
    return ", ".join(told[:most]) + more
