"""What changed between two versions of a product, in words: before and after, never JSON."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from o2b.catalog.models import BundleOption, ProductVersion
from o2b.catalog.models.products import Lifecycle

ADDED, REMOVED, CHANGED = "added", "removed", "changed"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not as it was; `before` and `after` are texts, empty where it is not."""

    name: str
    kind: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """The changes of one part of a product."""

    title: str
    changes: list[Change]


def version_differences(before: ProductVersion, after: ProductVersion) -> list[Section]:
    """Every part that differs, with what was there and what is there now."""
    sections = [
        Section(_("Description"), _text(before.description, after.description)),
        Section(_("Characteristics"), _specs(before.characteristics, after.characteristics)),
        Section(_("Components"), _listed(_options(before), _options(after))),
        Section(_("Rules"), _rules(before, after)),
        Section(_("Who may have it"), _eligibility(before.eligibility, after.eligibility)),
        Section(_("Delivery plan"), _plans(before, after)),
        Section(_("Successor"), _successor(before, after)),
    ]
    return [section for section in sections if section.changes]


def spec_words(spec: Mapping[str, Any]) -> str:
    """'choice of 100, 200, in Mbit/s, required, default 100'."""
    return ", ".join(text for text in _spec_parts(spec).values() if text)


def type_words(kind: str) -> str:
    """The type of a characteristic as people say it."""
    return {
        "text": _("text"),
        "integer": _("whole number"),
        "decimal": _("number"),
        "boolean": _("yes or no"),
        "choice": _("choice"),
    }.get(kind, kind)


def option_words(option: BundleOption) -> str:
    """'1 to 4, usually 2'."""
    if option.maximum is None:
        words = _("%(least)s or more") % {"least": option.minimum}
    elif option.maximum == option.minimum:
        words = _("exactly %(n)s") % {"n": option.minimum}
    else:
        words = _("%(least)s to %(most)s") % {"least": option.minimum, "most": option.maximum}
    words = _("%(range)s, usually %(default)s") % {"range": words, "default": option.default}
    return f"{words} ({option.group})" if option.group else words


def _text(before: str, after: str) -> list[Change]:
    return [] if before == after else [_change(_("Text"), before, after)]


def _change(name: str, before: str, after: str) -> Change:
    kind = CHANGED if before and after else (ADDED if after else REMOVED)
    return Change(name, kind, before, after)


def _listed(before: Mapping[str, str], after: Mapping[str, str]) -> list[Change]:
    """What came, went or reads differently, by name; in the order of what is there now."""
    names = [*after, *(name for name in before if name not in after)]
    return [
        _change(name, before.get(name, ""), after.get(name, ""))
        for name in names
        if before.get(name) != after.get(name)
    ]


def _specs(before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]]) -> list[Change]:
    old, new = ({spec["name"]: spec for spec in specs} for specs in (before, after))
    found: list[Change] = []
    for name in [*new, *(name for name in old if name not in new)]:
        label = str((new.get(name) or old[name]).get("label") or name)
        if name not in old:
            found.append(Change(label, ADDED, after=spec_words({**new[name], "label": ""})))
        elif name not in new:
            found.append(Change(label, REMOVED, before=spec_words({**old[name], "label": ""})))
        elif old[name] != new[name]:
            found.append(_changed_spec(label, old[name], new[name]))
    return found


def _changed_spec(label: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Change:
    """Only what differs of it, so that it is seen at once."""
    was, now = _spec_parts(old), _spec_parts(new)
    parts = [part for part in was if was[part] != now[part]]
    before = ", ".join(was[part] or _("nothing said") for part in parts)
    after = ", ".join(now[part] or _("nothing said") for part in parts)
    return Change(label, CHANGED, before, after)


def _spec_parts(spec: Mapping[str, Any]) -> dict[str, str]:
    choices = ", ".join(map(str, spec.get("choices") or []))
    least, most, default = (spec.get(name) for name in ("minimum", "maximum", "default"))
    kind = spec.get("type") or "text"
    return {
        "label": _("called “%(label)s”") % {"label": spec["label"]} if spec.get("label") else "",
        "type": _("one of %(choices)s") % {"choices": choices} if choices else type_words(kind),
        "unit": _("in %(unit)s") % {"unit": spec["unit"]} if spec.get("unit") else "",
        "minimum": _("at least %(n)s") % {"n": least} if least not in (None, "") else "",
        "maximum": _("at most %(n)s") % {"n": most} if most not in (None, "") else "",
        "required": _("required") if spec.get("required") else _("optional"),
        "default": _("default %(n)s") % {"n": default} if default not in (None, "") else "",
    }


def _options(version: ProductVersion) -> dict[str, str]:
    return {str(option.component): option_words(option) for option in version.options.all()}


def _rules(before: ProductVersion, after: ProductVersion) -> list[Change]:
    old, new = (
        {f"{rule.get_kind_display()} {rule.other}" for rule in version.rules.all()}
        for version in (before, after)
    )
    return [
        *(Change(rule, ADDED) for rule in sorted(new - old)),
        *(Change(rule, REMOVED) for rule in sorted(old - new)),
    ]


def _eligibility(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    found = []
    for name, title in (("segments", _("Segments")), ("countries", _("Countries"))):
        was, now = (", ".join(each.get(name) or []) or _("all") for each in (before, after))
        if was != now:
            found.append(Change(title, CHANGED, was, now))
    return found


def _plans(before: ProductVersion, after: ProductVersion) -> list[Change]:
    was, now = _plan_at(before), _plan_at(after)
    return [] if was == now else [_change(_("In force when it was published"), was, now)]


def _plan_at(version: ProductVersion) -> str:
    """The plan that was in force when the version came on sale; of a draft, the one of today."""
    plans = version.product.plans.exclude(state=Lifecycle.DRAFT)
    if version.published_at:
        plans = plans.filter(published_at__lte=version.published_at)
    plan = plans.order_by("-number").first()
    if plan is None:
        return ""
    tasks = ngettext("%(n)s task", "%(n)s tasks", len(plan.tasks)) % {"n": len(plan.tasks)}
    return f"v{plan.number} ({tasks})"


def _successor(before: ProductVersion, after: ProductVersion) -> list[Change]:
    was, now = (str(v.successor) if v.successor_id else "" for v in (before, after))
    return [] if was == now else [_change(_("Taken over by"), was, now)]
