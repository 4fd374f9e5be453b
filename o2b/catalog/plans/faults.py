"""A fault of a plan: in which step, in which field, and what is wrong there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from o2b.errors import Invalid

STEPS, PARTS = "tasks", "components"


@dataclass(frozen=True, slots=True)
class PlanFault:
    """`message` is English with %(named)s places for the `facts`; it is translated when shown."""

    message: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    of: str = STEPS
    index: int | None = None
    key: str = ""
    column: str = ""

    @property
    def place(self) -> str:
        """`tasks[2].queue`, or `tasks` where no single step is at fault."""
        index = "" if self.index is None else f"[{self.index}]"
        return f"{self.of}{index}" + (f".{self.column}" if self.column else "")


class PlanBroken(Invalid):
    """A plan that cannot be laid; all that is wrong with it is told by `faults`."""

    code = "plan_broken"
    faults: Sequence["PlanBroken"] = ()


@dataclass(frozen=True, slots=True)
class At:
    """One step or component under examination; makes faults that name it."""

    said: Mapping[str, Any]
    index: int
    of: str = STEPS

    @property
    def key(self) -> str:
        key = self.said.get("key")
        return key[:60] if isinstance(key, str) else ""

    def fault(self, column: str, message: str, **facts: Any) -> PlanFault:
        return PlanFault(message, facts, self.of, self.index, self.key, column)


def each_of(said: Any, of: str = STEPS) -> list[At]:
    """The steps or components that can be examined one by one."""
    rows = said if isinstance(said, list | tuple) else ()
    return [At(one, n, of) for n, one in enumerate(rows) if isinstance(one, Mapping)]
