"""A plan's editor as its template shows it: every field with its id, value and fault."""

from typing import Any

from o2b.catalog.forms.plan_rows import PART, STEP, UNDO, Pairs, StepRow
from o2b.catalog.forms.plans import PlanEditor

FEW = 2  # so many steps are shown unfolded


def shown_editor(editor: PlanEditor) -> dict[str, Any]:
    """Steps and components, numbered anew."""
    numbers = {row.uid: n for n, row in enumerate(editor.steps)}
    return {
        "steps": [_step(editor, row, n, numbers) for n, row in enumerate(editor.steps)],
        "parts": [
            {
                "index": n,
                "digit": str(n),
                "place": (place := f"parts-{n}"),
                "traits_place": f"{place}-traits",
                "fresh": editor.fresh == place,
                **{name: _cell(editor, f"{place}-{name}", row.texts.get(name)) for name in PART},
                "traits": _pairs(editor, f"{place}-traits", row.traits),
                "traits_fault": editor.faults.get(f"{place}-traits", ""),
            }
            for n, row in enumerate(editor.parts)
        ],
        "part_keys": [row.texts.get("key", "") for row in editor.parts],
        "fault_count": len(editor.faults) + len(editor.general),
    }


def _step(editor: PlanEditor, row: StepRow, n: int, numbers: dict[int, int]) -> dict[str, Any]:
    place = f"steps-{n}"
    after = {numbers[uid] for uid in row.after if uid in numbers}
    wrong = [where for where in editor.faults if where.startswith(f"{place}-")]
    fresh = editor.fresh.startswith(f"{place}-") or editor.fresh == place
    return {
        "index": n,
        "digit": str(n),
        "number": n + 1,
        "place": place,
        "title": row.texts.get("name") or row.texts.get("key") or "",
        "fresh": editor.fresh == place,
        "moved_up": editor.fresh == f"up-{n}",
        "moved_down": editor.fresh == f"down-{n}",
        "is_first": n == 0,
        "is_last": n == len(editor.steps) - 1,
        "is_open": bool(wrong) or fresh or editor.opened == n or len(editor.steps) <= FEW,
        "wrong": len(wrong),
        **{name: _cell(editor, f"{place}-{name}", row.texts.get(name)) for name in STEP},
        "others": [
            {
                "n": m,
                "id": f"{place}-after-{m}",
                "label": other.texts.get("name") or other.texts.get("key") or str(m + 1),
                "checked": m in after,
            }
            for m, other in enumerate(editor.steps)
            if m != n
        ],
        "after_fault": editor.faults.get(f"{place}-after", ""),
        "parameters_place": f"{place}-parameters",
        "parameters": _pairs(editor, f"{place}-parameters", row.parameters),
        "parameters_fault": editor.faults.get(f"{place}-parameters", ""),
        "point": _cell(editor, f"{place}-point", "1" if row.is_point else ""),
        "undo": {
            "place": f"{place}-undo",
            "on": row.has_undo,
            "fault": editor.faults.get(f"{place}-undo", ""),
            **{name: _cell(editor, f"{place}-undo-{name}", row.undo.get(name)) for name in UNDO},
            "parameters_place": f"{place}-undo-parameters",
            "parameters": _pairs(editor, f"{place}-undo-parameters", row.undo_parameters),
            "parameters_fault": editor.faults.get(f"{place}-undo-parameters", ""),
        },
    }


def _cell(editor: PlanEditor, place: str, value: str | None) -> dict[str, str]:
    return {"id": place, "value": value or "", "fault": editor.faults.get(place, "")}


def _pairs(editor: PlanEditor, place: str, pairs: Pairs) -> list[dict[str, Any]]:
    return [
        {
            "index": n,
            "fresh": editor.fresh == f"{place}-{n}",
            "name": _cell(editor, f"{place}-{n}-name", name),
            "value": _cell(editor, f"{place}-{n}-value", value),
        }
        for n, (name, value) in enumerate(pairs)
    ]
