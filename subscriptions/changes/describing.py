"""What describes a service: how much of it stays when it becomes another product, and its place."""

from collections.abc import Mapping, Sequence
from typing import Any

from o2b.catalog.models import ProductVersion

ADDRESS, DESCRIBED = "address", "characteristics"
PLACE = {"name": ADDRESS, "type": "text"}
Specs = Sequence[Mapping[str, Any]]


def with_place(specs: Specs) -> Specs:
    """What a version asks for, and the place, which a product that asks for none has too."""
    return specs if any(spec["name"] == ADDRESS for spec in specs) else [*specs, PLACE]


def kept_characteristics(
    version: ProductVersion | None, characteristics: Mapping[str, Any]
) -> dict[str, Any]:
    """Those of a service that a version of its product still asks for."""
    names = {spec["name"] for spec in version.characteristics} if version else set()
    return {name: value for name, value in characteristics.items() if name in names}


def described(
    version: ProductVersion | None, known: Mapping[str, Any], said: Mapping[str, Any] | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What describes a service from now on: what its version asks for, and beside it its place.

    What is said goes before what is known; nothing (None) takes away what is known.
    """
    specs = version.characteristics if version else []
    place = {name: value for name, value in known.items() if name == ADDRESS}
    told = kept_characteristics(version, known) | place | dict(said or {})
    told = {name: value for name, value in told.items() if value not in (None, "")}
    beside = {}
    if with_place(specs) is not specs and ADDRESS in told:
        beside[ADDRESS] = told.pop(ADDRESS)
    return told, beside
