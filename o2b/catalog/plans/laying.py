"""What a plan comes to for one line: the steps whose conditions hold, with their parameters."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from o2b.catalog.plans.expressions import evaluate, value_of

Step = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Facts:
    """What expressions of a plan may ask of a line."""

    product: str
    version: int
    quantity: Decimal
    characteristics: Mapping[str, Any]

    def names(self) -> dict[str, Any]:
        """quantity, product, version, each characteristic by its name, and all of them as `c`."""
        known = dict(self.characteristics)
        whole = self.quantity == self.quantity.to_integral_value()
        quantity = int(self.quantity) if whole else self.quantity
        return known | {
            "c": known,
            "quantity": quantity,
            "product": self.product,
            "version": self.version,
        }


@dataclass(frozen=True, slots=True)
class Laid:
    """One step that is to be done for a line.

    `after` are keys of the same line; `beyond` are (scope, key) of steps of other lines, scope
    being "parent", "parts" or the code of a product.
    """

    step: Step
    parameters: dict[str, Any]
    after: tuple[str, ...]
    beyond: tuple[tuple[str, str], ...]


def lay_out(steps: Sequence[Step], facts: Facts) -> list[Laid]:
    """The steps to be done, in the plan's order; who waits on a left-out step waits on what it did.

    Raises ExpressionBroken where a condition or a parameter fails with these facts.
    """
    if not any("when" in step or step.get("parameters") for step in steps):
        return [Laid(step, {}, *_split(step.get("after", ()))) for step in steps]
    names = facts.names()
    kept = {s["key"]: s for s in steps if not s.get("when") or evaluate(s["when"], names)}
    by_key = {step["key"]: step for step in steps}
    return [
        Laid(
            step,
            value_of(step.get("parameters") or {}, names),
            *_split(_bridged(step.get("after", ()), by_key, kept)),
        )
        for step in kept.values()
    ]


def _split(after: Iterable[str]) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    refs = sorted(set(after))
    here = tuple(ref for ref in refs if "/" not in ref)
    return here, tuple(tuple(ref.split("/", 1)) for ref in refs if "/" in ref)  # type: ignore[misc]


def _bridged(
    after: Iterable[str], by_key: Mapping[str, Step], kept: Mapping[str, Step]
) -> set[str]:
    """References with each left-out step replaced by what it came after itself."""
    found: set[str] = set()
    left, seen = list(after), set()
    while left:
        ref = left.pop()
        if ref in seen:
            continue
        seen.add(ref)
        if "/" in ref or ref in kept:
            found.add(ref)
        elif ref in by_key:
            left.extend(by_key[ref].get("after", ()))
    return found
