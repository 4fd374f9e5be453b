"""What a usage charge counts: a meter's code, and the values of dimensions that are its own."""

import re
from dataclasses import dataclass

from o2b.charging.terms.checks import TermsInvalid

MOST_DIMENSIONS = 8
MOST_VALUES = 200
LONGEST_VALUE = 100
METER = re.compile(r"[-a-zA-Z0-9_]{1,40}", re.ASCII)
DIMENSION = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Where:
    """The values of one dimension whose usage counts; kept sorted, each of them once.

    Sources: Lago (charge filters), OpenMeter (features' meter filters).
    """

    name: str
    values: tuple[str, ...]

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not DIMENSION.fullmatch(self.name):
            raise TermsInvalid("where", f"{self.name!r} is no name of a dimension")
        field = f"where.{self.name}"
        if not self.values:
            raise TermsInvalid(field, "names at least one value")
        for value in self.values:
            if not isinstance(value, str) or not 0 < len(value) <= LONGEST_VALUE:
                raise TermsInvalid(field, f"a value is text of 1 to {LONGEST_VALUE} characters")
            if not value.isprintable() or value != value.strip():
                raise TermsInvalid(field, f"{value!r} is no value of a dimension")
        if len(self.values) > MOST_VALUES:
            raise TermsInvalid(field, f"at most {MOST_VALUES} values")
        object.__setattr__(self, "values", tuple(sorted(set(self.values))))


def sorted_where(where: tuple[Where, ...]) -> tuple[Where, ...]:
    """By name, each dimension once."""
    if len(where) > MOST_DIMENSIONS:
        raise TermsInvalid("where", f"at most {MOST_DIMENSIONS} dimensions")
    names = sorted(each.name for each in where)
    for name, before in zip(names[1:], names, strict=False):
        if name == before:
            raise TermsInvalid("where", f"{name!r} is there twice")
    return tuple(sorted(where, key=lambda each: each.name))
