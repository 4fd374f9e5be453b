"""Prices by characteristics (speed × term): which cell of a matrix fits best."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation

from o2b.charging.terms import plain

Cell = Mapping[str, object]
MOST_DIGITS = 60


class Ambiguous(ValueError):
    """Several cells fit equally well; `cells` are their positions."""

    def __init__(self, cells: tuple[int, ...]) -> None:
        super().__init__(f"cells {', '.join(map(str, cells))} fit equally well")
        self.cells = cells


def best_match(cells: Sequence[Cell], characteristics: Mapping[str, object]) -> int | None:
    """The cell that names most of the characteristics, all of them as told; None: no cell fits.

    A cell without keys fits everything: the fallback. Two that name equally many are Ambiguous.

    >>> best_match([{}, {"speed": "150"}], {"speed": Decimal("150.0"), "term": 1})
    1
    """
    told = {name: canonical_value(value) for name, value in characteristics.items()}
    best: list[int] = []
    most = -1
    for i, cell in enumerate(cells):
        if len(cell) < most or any(
            told.get(name) != canonical_value(value) for name, value in cell.items()
        ):
            continue
        if len(cell) > most:
            best, most = [], len(cell)
        best.append(i)
    if len(best) > 1:
        raise Ambiguous(tuple(best))
    return best[0] if best else None


def conflicts(cells: Sequence[Cell]) -> list[tuple[int, int]]:
    """Pairs of cells that some characteristics fit equally well: not to be published.

    They name equally many keys, no key that both name tells them apart, and no larger cell wins
    wherever both fit.
    """
    told = [{name: canonical_value(value) for name, value in c.items()} for c in cells]
    return [
        (i, j)
        for i, one in enumerate(told)
        for j, other in enumerate(told[i + 1 :], start=i + 1)
        if len(one) == len(other)
        and all(one[name] == other[name] for name in one.keys() & other.keys())
        and not any(len(c) > len(one) and c.items() <= (one | other).items() for c in told)
    ]


def canonical_value(value: object) -> str:
    """A value as text that equal values share: 150, "150" and 150.0 are one.

    >>> [canonical_value(each) for each in (150, " 150.0", Decimal("1.5E+2"), True, "Metro")]
    ['150', '150', '150', 'true', 'Metro']
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value).strip()
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    short = number.is_finite() and abs(number.adjusted()) < MOST_DIGITS  # 1E+99999999 is a text
    return plain(number) if short else text
