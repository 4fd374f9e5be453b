"""The draft of a delivery plan as rows that come, go, move and are copied; faults beside fields."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from o2b.catalog.forms.plan_rows import PART, STEP, UNDO, Pairs, PartRow, StepRow, count_of
from o2b.catalog.models import DeliveryPlan
from o2b.catalog.plans import PlanFault
from o2b.catalog.plans.documents import digest_of
from o2b.catalog.plans.faults import PARTS, each_of
from o2b.catalog.plans.schema import MOST_STEPS
from o2b.catalog.services import words_of_plan_fault

# Part of a service's path → part of the page's place.
_PAGE = (
    ("compensation.", "undo-"),
    ("compensation", "undo"),
    ("point_of_no_return", "point"),
    ("characteristics", "traits"),
)


class PlanFile(forms.Form):
    """An exported plan to be read in."""

    file = forms.FileField(
        label=_("Plan as JSON"),
        help_text=_("As it was exported here; it becomes the draft."),
        widget=forms.ClearableFileInput(attrs={"accept": ".json,application/json"}),
    )


@dataclass
class PlanEditor:
    """A draft as text fields."""

    steps: list[StepRow] = field(default_factory=list)
    parts: list[PartRow] = field(default_factory=list)
    seen: str = ""
    faults: dict[str, str] = field(default_factory=dict)
    general: list[str] = field(default_factory=list)
    fresh: str = ""
    opened: int | None = None

    @classmethod
    def of(cls, plan: DeliveryPlan) -> "PlanEditor":
        said = [at.said for at in each_of(plan.tasks)]
        uids = {str(step.get("key")): n for n, step in enumerate(said)}
        parts = [at.said for at in each_of(plan.components)]
        return cls(
            steps=[StepRow.of(n, step, uids) for n, step in enumerate(said)],
            parts=[PartRow.of(part) for part in parts],
            seen=digest_of(plan.tasks, plan.components),
        )

    @classmethod
    def read(cls, post: QueryDict) -> "PlanEditor":
        """What was sent; as many rows as it says, within reason."""
        steps, parts = (min(count_of(post.get(n, "")), MOST_STEPS) for n in ("steps", "parts"))
        return cls(
            steps=[StepRow.read(post, n) for n in range(steps)],
            parts=[PartRow.read(post, n) for n in range(parts)],
            seen=post.get("seen", "")[:40],
        )

    def told(self) -> dict[str, Any]:
        """Steps and components as the service takes them; rows keep their places."""
        keys = {row.uid: row.texts.get("key", "") for row in self.steps}
        return {
            "tasks": [row.told(keys) for row in self.steps],
            "components": [row.told() for row in self.parts],
        }

    # rows that come, go and move

    def rearrange(self, deed: str) -> None:
        """ "add-manual", "up-2", "add-parameters-2" …; anything else changes nothing."""
        verb, _dash, rest = deed.partition("-")
        if verb == "add" and rest in ("manual", "automatic"):
            self._add(StepRow(self._uid(), {"kind": rest, "key": self._free("step")}))
        elif verb == "add" and rest == "part" and len(self.parts) < MOST_STEPS:
            self.parts.append(PartRow({"key": self._free("part"), "quantity": "1"}))
            self.fresh = f"parts-{len(self.parts) - 1}"
        elif rest.isascii() and rest.isdigit() and len(rest) < 6 and int(rest) < len(self.steps):
            self._move(verb, int(rest))
        else:
            self._of_row(verb, rest.split("-"))

    def _move(self, verb: str, at: int) -> None:
        row = self.steps[at]
        if verb == "remove":
            del self.steps[at]
        elif verb == "copy":
            copied = {**row.texts, "key": self._free(row.texts.get("key") or "step")}
            self._add(replace(row, uid=self._uid(), texts=copied), at + 1)
        elif verb in ("up", "down"):
            to = max(0, min(at + (1 if verb == "down" else -1), len(self.steps) - 1))
            self.steps.insert(to, self.steps.pop(at))
            self.fresh, self.opened = f"{verb}-{to}", None

    def _of_row(self, verb: str, where: list[str]) -> None:
        """ "remove-part-0", "add-parameters-2", "remove-traits-0-1"."""
        kind, *numbers = where
        if not numbers or not all(n.isascii() and n.isdigit() and len(n) < 6 for n in numbers):
            return
        at, *which = map(int, numbers)
        if kind == "part" and verb == "remove" and at < len(self.parts):
            del self.parts[at]
            return
        pairs = self._pairs(kind, at)
        if pairs is None:
            return
        if verb == "add":
            pairs.append(("", ""))
            of = "parts" if kind == "traits" else "steps"
            name = "undo-parameters" if kind == "undo" else kind
            self.fresh = f"{of}-{at}-{name}-{len(pairs) - 1}"
        elif verb == "remove" and which and which[0] < len(pairs):
            del pairs[which[0]]

    def _pairs(self, kind: str, at: int) -> Pairs | None:
        if kind == "traits":
            return self.parts[at].traits if at < len(self.parts) else None
        if kind not in ("parameters", "undo") or at >= len(self.steps):
            return None
        self.opened = at
        row = self.steps[at]
        return row.parameters if kind == "parameters" else row.undo_parameters

    def _add(self, row: StepRow, at: int | None = None) -> None:
        if len(self.steps) < MOST_STEPS:
            at = len(self.steps) if at is None else at
            self.steps.insert(at, row)
            self.fresh, self.opened = f"steps-{at}", at

    def _uid(self) -> int:
        return max((row.uid for row in self.steps), default=-1) + 1

    def _free(self, stem: str) -> str:
        """A key that is not there yet: "step-3", "install-2"."""
        texts = [*(row.texts for row in self.steps), *(row.texts for row in self.parts)]
        taken = {each.get("key") for each in texts}
        first = len(self.steps) + 1 if stem == "step" else 2 if stem != "part" else 1
        numbers = (n for n in range(first, first + 2 * MOST_STEPS + 2))
        return next(key for n in numbers if (key := f"{stem[:44]}-{n}") not in taken)

    # faults, each beside its field

    def blame(self, faults: Iterable[PlanFault]) -> None:
        """Put each fault beside its field; what belongs to none stands above the form."""
        for fault in faults:
            said = words_of_plan_fault(fault)
            if fault.index is None:
                self.general.append(said)
            elif place := self._place(fault):
                self.faults.setdefault(place, said)
            else:
                self.general.append(f"{fault.key}: {said}")

    def _place(self, fault: PlanFault) -> str:
        rows = "parts" if fault.of == PARTS else "steps"
        column = fault.column
        for theirs, ours in _PAGE:
            if column.startswith(theirs):
                column = ours + column.removeprefix(theirs)
                break
        column, _dot, name = column.partition(".")
        at = fault.index or 0
        known = PART if rows == "parts" else STEP
        if column in (*known, "after", "point", "undo", "parameters", "traits", "undo-parameters"):
            return self._of_pair(f"{rows}-{at}-{column}", name) if name else f"{rows}-{at}-{column}"
        inner = column.removeprefix("undo-")
        return f"{rows}-{at}-{column}" if column != inner and inner in UNDO else ""

    def _of_pair(self, place: str, name: str) -> str:
        """The row of a parameter among the others; the whole list if it is not there."""
        rows, at, *column = place.split("-", 2)
        kind = {"parameters": "parameters", "undo-parameters": "undo"}.get(column[0], "traits")
        opened = self.opened
        pairs = self._pairs(kind, int(at)) or []
        self.opened = opened
        found = next((n for n, pair in enumerate(pairs) if pair[0] == name), None)
        return place if found is None else f"{place}-{found}-value"
