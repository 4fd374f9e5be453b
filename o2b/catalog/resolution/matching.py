"""Which of a product's rows are for a line: by version of the product, and by characteristics."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar

from o2b.catalog.models import Price
from o2b.catalog.models.prices import ChargeShape
from o2b.charging.models.matrix import best_match, canonical_value

ANY_LATER = 32767

Row = TypeVar("Row", bound=ChargeShape)


def for_version(rows: Iterable[Row], number: int) -> list[Row]:
    """The rows that are for a version of the product; a contract's are for every one."""
    return [
        row
        for row in rows
        if not isinstance(row, Price) or row.from_version <= number <= (row.to_version or ANY_LATER)
    ]


def fitting(rows: Sequence[Row], characteristics: Mapping[str, Any]) -> list[Row] | None:
    """One row a charge: the cell that says most of these characteristics, else the one for all.

    None if some charge has cells for other characteristics only: half a price is no price. Raises
    Ambiguous where two cells fit equally; such books are not published.
    """
    if not any(row.match for row in rows):  # type: ignore[attr-defined]
        return list(rows)
    given = as_texts(characteristics)
    by_key: dict[str, list[Row]] = {}
    for row in rows:
        by_key.setdefault(row.key, []).append(row)
    found = []
    for cells in by_key.values():
        # Most cells of a large matrix are for others: they are passed over by one comparison each.
        near = [cell for cell in cells if _fits(cell.match, given)]  # type: ignore[attr-defined]
        best = best_match([cell.match for cell in near], given)  # type: ignore[attr-defined]
        if best is None:
            return None
        found.append(near[best])
    return found


def _fits(match: Mapping[str, Any], given: Mapping[str, str]) -> bool:
    return all(given.get(name) == _canonical(value) for name, value in match.items())


def _canonical(value: Any) -> str:
    return _canonical_text(value) if isinstance(value, str) else canonical_value(value)


_canonical_text = lru_cache(maxsize=16384)(canonical_value)


def as_texts(values: Mapping[str, Any]) -> dict[str, str]:
    """Characteristics as texts that compare: 1.50 and "1.5" are one number, True is "true"."""
    return {name: _canonical(value) for name, value in values.items() if value is not None}
