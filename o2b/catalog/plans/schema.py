"""What a plan may hold: the settings of steps and components, each of its kind and in its range."""

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from o2b.catalog.plans.expressions import is_expression
from o2b.catalog.plans.faults import PARTS, STEPS, At, PlanFault, each_of
from o2b.catalog.rules.faults import gettext_noop as _

KINDS = ("manual", "automatic")
MOST_STEPS, MOST_LISTED = 100, 50
# So that "undo-" before it still fits.
LONGEST_KEY = 48
LONGEST_CODE, LONGEST_NAME, LONGEST_TEXT, LONGEST_SKILL, LONGEST_QUEUE = 60, 200, 500, 40, 50
# How the keys of steps begin that undo others.
UNDO = "undo-"
MOST_MINUTES = 100_000
MOST_MONEY = Decimal(10) ** 10
MOST_WEIGHT = Decimal(10) ** 5
SLUG = re.compile(r"[A-Za-z0-9_-]+")
EVIDENCE = re.compile(r"[^\W\d_][\w -]*")
MINUTES = ("minutes", "estimate", "maximum")
MONEY = ("rate", "equipment", "vendor")

COMPENSATION = frozenset(
    ("name", "kind", "queue", "handler", "parameters", "minutes", "estimate", "maximum")
) | {"evidence", *MONEY}
STEP = COMPENSATION | {
    *("key", "component", "skills", "after", "when", "checklist", "weight"),
    *("point_of_no_return", "system", "compensation"),
}
COMPONENT = frozenset(("key", "name", "quantity", "characteristics"))

ONE_LINE = _("A text of up to %(longest)s characters.")
SHORT_CODE = _("Letters, digits, - and _, up to %(longest)s characters.")


def faults_of_document(tasks: Any, components: Any) -> list[PlanFault]:
    """Every fault that needs no expression and no other plan to be seen."""
    faults = [*_of_rows(tasks, STEPS), *_of_rows(components, PARTS)]
    parts = {at.key for at in each_of(components, PARTS) if at.key}
    for at in each_of(components, PARTS):
        faults += _of_component(at)
    for at in each_of(tasks):
        faults += _of_step(at, parts)
    return faults


def _of_rows(rows: Any, of: str) -> Iterator[PlanFault]:
    """That they are a list of objects, each with a key of its own."""
    if not isinstance(rows, list | tuple) or not all(isinstance(one, Mapping) for one in rows):
        yield PlanFault(_("Steps and components are lists of objects."), of=of)
        return
    if of == STEPS and not rows:
        yield PlanFault(_("A plan needs at least one step."), of=of)
    if len(rows) > MOST_STEPS:
        yield PlanFault(_("At most %(most)s of them."), {"most": MOST_STEPS}, of=of)
    seen: set[Any] = set()
    for at in each_of(rows, of):
        key = at.said.get("key")
        if not _is_code(key, LONGEST_KEY):
            yield at.fault("key", SHORT_CODE, longest=LONGEST_KEY)
        elif of == STEPS and str(key).lower().startswith(UNDO):
            yield at.fault("key", _("Keys of what undoes begin like that: choose another."))
        elif key in seen:
            yield at.fault("key", _("“%(name)s” is there twice."), name=key)
        else:
            seen.add(key)


def _of_component(at: At) -> Iterator[PlanFault]:
    yield from _of_settings(at, COMPONENT)
    yield from _of_text(at, "name", at.said.get("name", ""), LONGEST_NAME)
    quantity = at.said.get("quantity", 1)
    if not is_expression(quantity) and not _amount(quantity, most=MOST_MONEY, places=6):
        yield at.fault("quantity", _("A number of 0 or more, or an expression after “=”."))
    yield from _of_parameters(at, "characteristics", at.said)


def _of_step(at: At, parts: set[str]) -> Iterator[PlanFault]:
    said = at.said
    yield from _of_settings(at, STEP)
    yield from _of_work(at, said)
    if (component := said.get("component") or "") and component not in parts:
        yield at.fault("component", _("The plan has no component “%(name)s”."), name=component)
    yield from _of_list(at, "skills", lambda one: _is_code(one, LONGEST_SKILL))
    yield from _of_list(at, "checklist", lambda one: _is_text(one, LONGEST_TEXT))
    yield from _of_list(at, "after", lambda one: _is_text(one, 2 * LONGEST_CODE))
    if (when := said.get("when")) and not isinstance(when, str):
        yield at.fault("when", _("A condition is an expression."))
    if "weight" in said and not _amount(said["weight"], most=MOST_WEIGHT, places=3):
        yield at.fault("weight", _("A number of 0 or more, with up to 3 decimals."))
    if said.get("point_of_no_return", False) not in (True, False):
        yield at.fault("point_of_no_return", _("It is true or false."))
    if (system := said.get("system")) and not _is_text(system, LONGEST_CODE):
        yield at.fault("system", ONE_LINE, longest=LONGEST_CODE)
    yield from _of_compensation(at)


def _of_compensation(at: At) -> Iterator[PlanFault]:
    undoing = at.said.get("compensation")
    if undoing is None:
        return
    if not isinstance(undoing, Mapping):
        yield at.fault("compensation", _("A compensation is a step: a name, a kind and more."))
        return
    for name in sorted(set(map(str, undoing)) - COMPENSATION):
        yield at.fault("compensation", _("There is no setting “%(name)s”."), name=name[:60])
    yield from _of_work(at, undoing, "compensation.")
    if at.said.get("point_of_no_return") is True:
        yield at.fault(
            "compensation", _("Behind the point of no return nothing is undone: choose one.")
        )


def _of_work(at: At, said: Mapping[str, Any], before: str = "") -> Iterator[PlanFault]:
    """What a step and its compensation have in common."""
    yield from _of_text(at, f"{before}name", said.get("name", ""), LONGEST_NAME)
    kind = said.get("kind")
    if kind not in KINDS:
        yield at.fault(f"{before}kind", _("The kind is manual or automatic."))
    for name, needed_by, longest in (
        ("queue", "manual", LONGEST_QUEUE),
        ("handler", "automatic", LONGEST_CODE),
    ):
        value = said.get(name) or ""
        if not value and kind == needed_by:
            needs = {"queue": _("Work by hand needs a queue.")}
            yield at.fault(f"{before}{name}", needs.get(name, _("Automatic work needs a handler.")))
        elif value and not _is_code(value, longest):
            yield at.fault(f"{before}{name}", SHORT_CODE, longest=longest)
    yield from _of_parameters(at, "parameters", said, before)
    yield from _of_list(at, "evidence", _is_evidence, said=said, before=before)
    yield from _of_minutes(at, said, before)
    for name in MONEY:
        if said.get(name) is not None and not _amount(said[name], most=MOST_MONEY, places=4):
            yield at.fault(f"{before}{name}", _("An amount of 0 or more, with up to 4 decimals."))


def _of_minutes(at: At, said: Mapping[str, Any], before: str) -> Iterator[PlanFault]:
    sound: dict[str, int] = {}
    for name in MINUTES:
        value = said.get(name)
        if value is None:
            continue
        if type(value) is not int or not 0 <= value <= MOST_MINUTES:
            yield at.fault(
                f"{before}{name}", _("Whole minutes, from 0 to %(most)s."), most=MOST_MINUTES
            )
        else:
            sound[name] = value
    estimate = sound.get("estimate") or sound.get("minutes", 0)
    if sound.get("maximum") and sound["maximum"] < estimate:
        yield at.fault(
            f"{before}maximum",
            _("At most %(maximum)s minutes are less than the estimate, %(estimate)s."),
            maximum=sound["maximum"],
            estimate=estimate,
        )


def _of_settings(at: At, known: frozenset[str]) -> Iterator[PlanFault]:
    for name in sorted(set(map(str, at.said)) - known):
        yield at.fault(name[:60], _("There is no setting “%(name)s”."), name=name[:60])


def _of_text(at: At, column: str, value: Any, longest: int) -> Iterator[PlanFault]:
    if value and not _is_text(value, longest) or not isinstance(value, str):
        yield at.fault(column, ONE_LINE, longest=longest)


def _of_parameters(
    at: At, column: str, said: Mapping[str, Any], before: str = ""
) -> Iterator[PlanFault]:
    value = said.get(column)
    if value is None:
        return
    if not isinstance(value, Mapping):
        yield at.fault(f"{before}{column}", _("Names with values."))
        return
    for name in value:
        if not _is_text(name, LONGEST_CODE):
            yield at.fault(f"{before}{column}", ONE_LINE, longest=LONGEST_CODE)


def _of_list(
    at: At,
    column: str,
    is_sound: Callable[[Any], bool],
    *,
    said: Mapping[str, Any] | None = None,
    before: str = "",
) -> Iterator[PlanFault]:
    values = (at.said if said is None else said).get(column)
    if values is None:
        return
    if not isinstance(values, list | tuple) or len(values) > MOST_LISTED:
        yield at.fault(before + column, _("A list of up to %(most)s."), most=MOST_LISTED)
        return
    for value in values:
        if not is_sound(value):
            shown = str(value)[:60]
            yield at.fault(before + column, _("“%(name)s” cannot stand here."), name=shown)
    if len(set(map(str, values))) < len(values):
        yield at.fault(before + column, _("Something is there twice."))


def _is_evidence(value: Any) -> bool:
    return _is_text(value, LONGEST_CODE) and bool(EVIDENCE.fullmatch(value))


def _is_code(value: Any, longest: int) -> bool:
    return isinstance(value, str) and len(value) <= longest and bool(SLUG.fullmatch(value))


def _is_text(value: Any, longest: int) -> bool:
    # Postgres refuses text with a NUL in it.
    return (
        isinstance(value, str)
        and bool(value.strip())
        and len(value) <= longest
        and "\0" not in value
    )


def _amount(value: Any, *, most: Decimal, places: int) -> bool:
    """Whether it is a number from 0 on, below `most`, with so many decimals; never a float."""
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return isinstance(value, float) and _amount(str(value), most=most, places=places)
    try:
        amount = Decimal(value)
    except InvalidOperation:
        return False
    if not amount.is_finite() or not 0 <= amount < most:
        return False
    exponent = amount.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -places
