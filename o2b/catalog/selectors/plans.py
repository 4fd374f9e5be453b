"""Questions about delivery plans: their versions, what differs between two, who waits for whom."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import F, Func, IntegerField, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from o2b.catalog.models import DeliveryPlan, Product
from o2b.catalog.plans.faults import each_of
from o2b.catalog.selectors.differences import ADDED, CHANGED, REMOVED, Change, Section

HOW_MANY = (
    "CASE jsonb_typeof(%(expressions)s) WHEN 'array' THEN jsonb_array_length(%(expressions)s) END"
)
EMPTY: tuple[Any, ...] = (None, "", [], {}, False)
RELATED = ("product", "prepared_by", "published_by")
FIELDS = {
    "name": gettext_lazy("name"),
    "kind": gettext_lazy("kind"),
    "component": gettext_lazy("component"),
    "queue": gettext_lazy("queue"),
    "handler": gettext_lazy("handler"),
    "parameters": gettext_lazy("parameters"),
    "skills": gettext_lazy("skills"),
    "after": gettext_lazy("after"),
    "when": gettext_lazy("only if"),
    "evidence": gettext_lazy("evidence"),
    "checklist": gettext_lazy("checklist"),
    "minutes": gettext_lazy("minutes of work"),
    "estimate": gettext_lazy("estimate in minutes"),
    "maximum": gettext_lazy("at most minutes"),
    "rate": gettext_lazy("hourly rate"),
    "equipment": gettext_lazy("equipment"),
    "vendor": gettext_lazy("vendor"),
    "weight": gettext_lazy("weight"),
    "system": gettext_lazy("system"),
    "point_of_no_return": gettext_lazy("point of no return"),
    "compensation": gettext_lazy("compensation"),
    "quantity": gettext_lazy("quantity"),
    "characteristics": gettext_lazy("characteristics"),
}


def plans_for_list() -> QuerySet[DeliveryPlan]:
    """Every version of every plan, with the number of its steps."""
    steps = Func(F("tasks"), template=HOW_MANY, output_field=IntegerField())
    return DeliveryPlan.objects.select_related(*RELATED).annotate(steps=steps)


def plans_of(product: Product) -> list[DeliveryPlan]:
    """The versions of a product's plan, the newest first."""
    return list(product.plans.select_related(*RELATED).order_by("-number"))


def get_plan(code: str, number: int) -> DeliveryPlan:
    """One version of a product's plan; a missing one is a 404."""
    return DeliveryPlan.objects.select_related(*RELATED).get(product__code=code, number=number)


def plan_differences(before: DeliveryPlan, after: DeliveryPlan) -> list[Section]:
    """Every step and component that differs: only what differs of it."""
    sections = [
        Section(_("Components"), _rows(before.components, after.components)),
        Section(_("Steps"), _rows(before.tasks, after.tasks)),
        Section(_("Order of the steps"), _order(before.tasks, after.tasks)),
    ]
    return [section for section in sections if section.changes]


def said_words(name: str, value: Any) -> str:
    """'queue field', 'parameters speed = 100': a setting with its value."""
    label = str(FIELDS.get(name, name))
    return label if value is True else f"{label} {value_words(value)}"


def value_words(value: Any) -> str:
    """A value of a plan as people read it."""
    if isinstance(value, Mapping):
        pairs = ((name, value_words(inner)) for name, inner in value.items())
        return ", ".join(f"{name} = {words.removeprefix('=').strip()}" for name, words in pairs)
    if isinstance(value, list | tuple):
        return ", ".join(map(value_words, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _by_key(rows: Any) -> dict[str, Mapping[str, Any]]:
    return {str(at.said.get("key")): at.said for at in each_of(rows)}


def _rows(before: Any, after: Any) -> list[Change]:
    old, new = _by_key(before), _by_key(after)
    found: list[Change] = []
    for key in [*new, *(key for key in old if key not in new)]:
        was, now = old.get(key), new.get(key)
        name = str((now or was or {}).get("name") or key)
        if was is None:
            found.append(Change(name, ADDED, after=_words(new[key])))
        elif now is None:
            found.append(Change(name, REMOVED, before=_words(was)))
        elif was != now:
            changed = [f for f in settings_of(was, now) if not _same(was.get(f), now.get(f))]
            if changed:
                found.append(Change(name, CHANGED, _only(was, changed), _only(now, changed)))
    return found


def _same(before: Any, after: Any) -> bool:
    """Whether both say the same: 35 and "35", nothing and an empty list."""
    if before in EMPTY or after in EMPTY:
        return before in EMPTY and after in EMPTY
    return value_words(before) == value_words(after)


def _words(said: Mapping[str, Any]) -> str:
    hidden = {"key", "name"}
    return _only(said, [f for f in settings_of(said) if f not in hidden and said[f] not in EMPTY])


def settings_of(*rows: Mapping[str, Any]) -> list[str]:
    """The settings of the rows in the order in which people read them; Postgres keeps none."""
    there = {str(name) for row in rows for name in row}
    return [*(f for f in FIELDS if f in there), *sorted(there - FIELDS.keys())]


def _only(said: Mapping[str, Any], names: Iterable[str]) -> str:
    words = [
        said_words(name, said[name])
        if said.get(name) not in EMPTY
        else _("no %(setting)s") % {"setting": FIELDS.get(name, name)}
        for name in names
    ]
    return "; ".join(words)


def _order(before: Any, after: Any) -> list[Change]:
    old, new = list(_by_key(before)), list(_by_key(after))
    was, now = [k for k in old if k in new], [k for k in new if k in old]
    if was == now:
        return []
    return [Change(_("Listed as"), CHANGED, ", ".join(was), ", ".join(now))]
