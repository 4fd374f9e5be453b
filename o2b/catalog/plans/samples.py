"""Lines that a plan is tried with: every choice, the ends of ranges, and where expressions turn."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import islice, product
from typing import Any

from o2b.catalog.plans.laying import Facts

MOST_TRIES = 400
MOST_VALUES = 40
MOST_CHOICES = 1000
RESERVED = frozenset(("quantity", "product", "version", "c"))
NUMBERS = ("integer", "decimal")
ABSENT: Any = object()


@dataclass(frozen=True, slots=True)
class Product:
    """What of a product a plan may ask: its code, newest version, and characteristics."""

    code: str
    version: int = 1
    specs: Sequence[Mapping[str, Any]] = ()
    quantity_places: int = 0

    @property
    def names(self) -> set[str]:
        return {str(spec.get("name")) for spec in self.specs} | RESERVED


class Samples:
    """The values to try for each name; `turns` are the constants that expressions compare with."""

    def __init__(self, product: Product, turns: Iterable[Any] = (), most: int = MOST_TRIES) -> None:
        self.product, self.most = product, most
        turns = list(turns)
        self.values: dict[str, list[Any]] = {"quantity": _quantities(product, turns)}
        for spec in product.specs:
            self.values[str(spec["name"])] = _values(spec, turns)

    def for_names(self, names: Collection[str]) -> Iterator[Facts]:
        """Facts in which these names take each of their values, together as far as that is few."""
        varied = [name for name in self.values if name in names or "c" in names]
        counts = 1
        for name in varied:
            counts *= len(self.values[name])
        usual = {name: values[0] for name, values in self.values.items()}
        if counts <= self.most:
            for combined in product(*(self.values[name] for name in varied)):
                yield self._facts(usual | dict(zip(varied, combined, strict=True)))
            return
        yield from map(self._facts, islice(self._in_pairs(varied, usual), 2 * self.most))

    def _in_pairs(self, varied: list[str], usual: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Each value alone, then each two names together: where most faults are found."""
        yield usual
        for name in varied:
            for value in self.values[name]:
                yield usual | {name: value}
        for i, one in enumerate(varied):
            for other in varied[i + 1 :]:
                for first, second in product(self.values[one], self.values[other]):
                    yield usual | {one: first, other: second}

    def _facts(self, values: Mapping[str, Any]) -> Facts:
        said = {n: v for n, v in values.items() if v is not ABSENT and n != "quantity"}
        return Facts(self.product.code, self.product.version, values["quantity"], said)


def in_words(facts: Facts, names: Collection[str]) -> str:
    """'speed = 100, quantity = 1': what of the facts an expression asks for."""
    told = facts.names()
    shown = {n: told.get(n, "—") for n in sorted(names) if n not in {"c", "product", "version"}}
    if "c" in names:
        shown |= facts.characteristics
    return ", ".join(f"{name} = {value}" for name, value in shown.items())


def _quantities(product: Product, turns: Sequence[Any]) -> list[Decimal]:
    least = Decimal(1).scaleb(-product.quantity_places)
    found = [Decimal(1), least, Decimal(2), Decimal(1000)]
    found += [near for turn in _numbers(turns) for near in (turn - least, turn, turn + least)]
    sound = (one for one in found if 0 < one < Decimal(10) ** 9 and one % least == 0)
    return list(dict.fromkeys(sound))[:MOST_VALUES]


def _values(spec: Mapping[str, Any], turns: Sequence[Any]) -> list[Any]:
    """The first is the usual one; what need not be said may be missing."""
    kind = spec.get("type", "text")
    if kind == "choice":
        found = list(spec.get("choices") or [])[:MOST_CHOICES]
    elif kind == "boolean":
        found = [False, True]
    elif kind in NUMBERS:
        found = _in_range(spec, turns)
    else:
        found = ["x", *(turn for turn in turns if isinstance(turn, str) and turn)][:MOST_VALUES]
    default = spec.get("default")
    if default not in (None, "") and (usual := _kept(kind, default)) in found:
        found.remove(usual)
        found.insert(0, usual)
    elif default not in (None, "") and kind == "text":
        found.insert(0, default)
    return found if spec.get("required") else [*found, ABSENT]


def _in_range(spec: Mapping[str, Any], turns: Sequence[Any]) -> list[Any]:
    step = Decimal(1) if spec.get("type") == "integer" else Decimal("0.01")
    low, high = _number(spec.get("minimum")), _number(spec.get("maximum"))
    ends = [end for end in (_number(spec.get("default")), low, high) if end is not None]
    found = ends or [Decimal(1)]
    if low is None:
        found += [Decimal(0), Decimal(-1)]
    if high is None:
        found.append((low or Decimal(0)) + 1000)
    found += [near for turn in _numbers(turns) for near in (turn - step, turn, turn + step)]
    sound = [
        one
        for one in found
        if (low is None or one >= low) and (high is None or one <= high) and one % step == 0
    ]
    return list(dict.fromkeys(_kept(str(spec["type"]), one) for one in sound))[:MOST_VALUES]


def _kept(kind: str, value: Any) -> Any:
    """A value in the form in which a line keeps it: decimals are texts."""
    if kind == "boolean":
        return value in (True, "true")
    number = _number(value) if kind in NUMBERS else None
    if number is None:
        return value
    return int(number) if kind == "integer" else f"{number.normalize():f}"


def _numbers(values: Iterable[Any]) -> list[Decimal]:
    found = (_number(value) for value in values if not isinstance(value, bool))
    return [one for one in found if one is not None]


def _number(value: Any) -> Decimal | None:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) < 18 else None
