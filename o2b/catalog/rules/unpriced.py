"""Usage that comes in and that no price is for: its dimensions are none that any `where` names."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice, product
from typing import NamedTuple

from o2b.catalog.rules.books import BookRow, RowFault
from o2b.catalog.rules.faults import gettext_noop as _
from o2b.charging.terms import Kind

UNPRICED = _(
    "%(product)s: usage of meter %(meter)s with %(what)s is counted, and no price is for it: it"
    " will not be billed."
)
MOST_LOOKED_AT = 20_000
MOST_NAMED = 5


class Said(NamedTuple):
    """What events say of a dimension: one of these, nothing if it is not required, or any text."""

    choices: tuple[str, ...]
    required: bool

    def values(self, named: Collection[str]) -> list[str]:
        """Every value that makes a difference beside those that prices name; * is any other."""
        found = list(self.choices) if self.choices else [*sorted(named), "*"]
        return found if self.required else [*found, ""]


Dimensions = Mapping[str, Mapping[str, Said]]


def limited(rows: Sequence[BookRow]) -> dict[tuple[str, str], list[BookRow]]:
    """Prices of usage by product and meter, where each is for some values of dimensions only."""
    found: dict[tuple[str, str], list[BookRow]] = defaultdict(list)
    for row in rows:
        if row.charge.kind is Kind.USAGE:
            found[row.product, row.charge.meter_code].append(row)
    return {key: own for key, own in found.items() if all(row.charge.where for row in own)}


def unpriced(
    groups: Mapping[tuple[str, str], Sequence[BookRow]], meters: Dimensions
) -> Iterator[RowFault]:
    """Values that prices leave over; they may be meant to cost nothing."""
    for (_product, meter), rows in groups.items():
        dimensions = meters.get(meter)
        if dimensions is None:
            continue
        left = list(islice(_left_over(rows, dimensions), MOST_NAMED + 1))
        if left:
            words = ", ".join(left[:MOST_NAMED]) + (" …" if len(left) > MOST_NAMED else "")
            yield rows[0].fault("details.where", UNPRICED, meter=meter, what=words)


def _left_over(rows: Sequence[BookRow], dimensions: Mapping[str, Said]) -> Iterator[str]:
    """Each as `zone=moon; carrier=*`; beyond so many combinations only the first are looked at."""
    named: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        for each in row.charge.where:
            named[each.name] |= set(each.values)
    if not set(named) <= set(dimensions):
        return  # refused for that already
    wheres = [{each.name: each.values for each in row.charge.where} for row in rows]
    values = {name: dimensions[name].values(named[name]) for name in sorted(named)}
    for combination in islice(product(*values.values()), MOST_LOOKED_AT):
        told = dict(zip(values, combination, strict=True))
        if not any(all(told[name] in some for name, some in where.items()) for where in wheres):
            yield "; ".join(f"{name}={value or '–'}" for name, value in told.items())
