"""Which texts of a document surely fit on one line: their rows have a known height.

Typst lays a cell out twice where it has to find out how high its row is; telling it takes a third
off the time of a page. The widths here are never too small; what may not fit is left to Typst.
"""

from collections.abc import Iterable, MutableMapping, Sequence
from math import inf
from typing import Any

TEXT = 165.0  # millimetres between the margins, less the padding of a cell
WIDE, UPPER, SIGN, LOWER, MARKED = 3.5, 2.75, 2.4, 2.0, 2.9  # of a letter at 10 points
SMALL, BOLD = 0.85, 1.12
DESCRIPTION = 2.4  # millimetres of padding in its column
NARROW = "ijlt.,:;'|!()[] "


def width_of(text: str) -> float:
    """Millimetres that a text takes at most at 10 points; infinite in a script nobody measured."""
    total = 0.0
    for sign in text:
        if sign in NARROW:
            total += 1.4
        elif sign in "MWmw@%—":
            total += WIDE
        elif "a" <= sign <= "z" or "0" <= sign <= "9":
            total += LOWER
        elif "A" <= sign <= "Z":
            total += UPPER
        elif " " < sign < "\x7f":
            total += SIGN
        elif "\xa0" <= sign < "\u0250" or sign in "–·€’“”„":
            total += MARKED
        else:
            return inf
    return total


def set_heights(groups: Iterable[MutableMapping[str, Any]], widths: Sequence[int]) -> None:
    """Say of each heading and row how many lines it takes (`fits`: 1 or 2); 0 where Typst looks."""
    room = TEXT - sum(widths) - DESCRIPTION
    for group in groups:
        head = width_of(group["title"]) * BOLD + width_of(group["note"]) * SMALL + 4
        group["fits"] = int(head < TEXT - (widths[3] if group["sum"] else 0))
        for line in group["lines"]:
            line["fits"] = _lines(line, room, widths)


def _lines(line: MutableMapping[str, Any], room: float, widths: Sequence[int]) -> int:
    cells = ("period", "quantity", "unit", "amount")
    for name, width in zip(cells, widths, strict=True):
        # Numbers have one width a digit, which is what these columns are cut by.
        if 1.55 * len(line[name]) + DESCRIPTION > width or "\n" in line[name]:
            return 0
    text, note = width_of(line["text"]), width_of(line["note"]) * SMALL
    if text + (note + 4 if note else 0) < room:
        return 1
    return 2 if note and text < room and note < room else 0


def fit_on(lines: Iterable[str], room: float, size: float = 1.0) -> int:
    """How many lines these texts take, each on one of its own; 0 where one of them may not fit."""
    found = list(lines)
    return len(found) if all(width_of(line) * size < room for line in found) else 0
