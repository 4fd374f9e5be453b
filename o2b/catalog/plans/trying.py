"""Try a plan with representative lines before it is published: what fails, what is left of it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from o2b.catalog.plans.expressions import (
    MARK,
    ExpressionBroken,
    constants_in,
    evaluate,
    is_expression,
    names_in,
    value_of,
)
from o2b.catalog.plans.faults import PARTS, STEPS, At, PlanFault, each_of
from o2b.catalog.plans.laying import Facts
from o2b.catalog.plans.samples import MOST_TRIES, Product, Samples, in_words
from o2b.catalog.rules.faults import gettext_noop as _

MOST_AT_ALL = 40_000  # tries of all expressions together
MOST_HANDED = 20  # lines that a handler is asked about
Faults = Callable[[Mapping[str, Any]], list[str]]

BROKEN = _("%(why)s.")
UNKNOWN = _("“%(expression)s” asks for “%(name)s”; there is: %(known)s.")
FAILS = _("With %(case)s: %(why)s.")


@dataclass(frozen=True, slots=True)
class Written:
    """One expression of a plan: where it stands, and on which condition it is needed."""

    at: At
    column: str
    text: str
    when: str = ""


def faults_of_trial(
    tasks: Any,
    components: Any,
    product: Product,
    kinds: Mapping[str, Faults] | None,
    *,
    is_whole: bool = True,
) -> list[PlanFault]:
    """Every fault that expressions show when tried, and what handlers say of their parameters.

    Of a plan that has other faults (`is_whole` is False) only the expressions are looked at.
    """
    written = list(_expressions(tasks, components))
    faults = [fault for each in written for fault in _unsound(each, product)]
    broken = {(fault.of, fault.index, fault.column) for fault in faults}
    sound = [each for each in written if (each.at.of, each.at.index, each.column) not in broken]
    turns = [turn for each in sound for turn in constants_in(each.text)]
    samples = Samples(product, turns, most=min(MOST_TRIES, MOST_AT_ALL // (len(sound) or 1)))
    faults += [fault for each in sound if (fault := _failing(each, samples))]
    if faults or not is_whole:
        return faults
    faults += _dead_ends(tasks, samples)
    if kinds is not None:
        faults += _of_handlers(tasks, samples, kinds)
    return faults


def faults_of_expression(text: str, product: Product, when: str = "") -> list[PlanFault]:
    """What is wrong with one expression on its own: said beside the field as it is typed."""
    each = Written(At({}, 0), "", text, when)
    faults = list(_unsound(each, product))
    if faults:
        return faults
    failing = _failing(each, Samples(product, constants_in(text)))
    return [failing] if failing else []


def expressions_of(said: Mapping[str, Any], column: str) -> Iterator[tuple[str, str]]:
    """(column, expression) for each in the parameters, also inside lists and objects."""
    values = said.get(column)
    for name, value in values.items() if isinstance(values, Mapping) else ():
        for text in _texts(value):
            yield f"{column}.{name}", text


def _texts(value: Any) -> Iterator[str]:
    if is_expression(value):
        yield value.removeprefix(MARK)
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _expressions(tasks: Any, components: Any) -> Iterator[Written]:
    for at in each_of(tasks):
        when = at.said.get("when")
        when = when if isinstance(when, str) else ""
        if when:
            yield Written(at, "when", when)
        for column, text in expressions_of(at.said, "parameters"):
            yield Written(at, column, text, when)
        undoing = at.said.get("compensation")
        for column, text in expressions_of(
            undoing if isinstance(undoing, Mapping) else {}, "parameters"
        ):
            yield Written(at, f"compensation.{column}", text, when)
    for at in each_of(components, PARTS):
        for text in _texts(at.said.get("quantity")):
            yield Written(at, "quantity", text)
        for column, text in expressions_of(at.said, "characteristics"):
            yield Written(at, column, text)


def _unsound(each: Written, product: Product) -> Iterator[PlanFault]:
    """What can be seen without values: no expression, or a name that nobody knows."""
    try:
        names = names_in(each.text)
    except ExpressionBroken as fault:
        yield each.at.fault(each.column, BROKEN, why=str(fault))
        return
    for name in sorted(names - product.names):
        yield each.at.fault(
            each.column,
            UNKNOWN,
            expression=each.text,
            name=name,
            known=", ".join(sorted(product.names)),
        )


def _failing(each: Written, samples: Samples) -> PlanFault | None:
    """The first line for which it fails, where its condition holds."""
    asked = _asked(each.text)
    try:
        names = asked | (_asked(each.when) if each.when else set())
    except ExpressionBroken:
        return None  # the condition's own fault
    for facts in samples.for_names(names):
        told = facts.names()
        if each.when and not _holds(each.when, told):
            continue
        try:
            evaluate(each.text, told)
        except ExpressionBroken as fault:
            return each.at.fault(each.column, FAILS, case=in_words(facts, names), why=str(fault))
    return None


def _asked(text: str) -> set[str]:
    """The names that it asks for; of `c["name"]` the name, if it is written there."""
    names = names_in(text)
    if "c" not in names:
        return names
    quoted = {one for one in constants_in(text) if isinstance(one, str)}
    return (names | quoted) - {"c"} if quoted else names


def _holds(when: str, told: Mapping[str, Any]) -> bool:
    try:
        return bool(evaluate(when, told))
    except ExpressionBroken:
        return False


def _dead_ends(tasks: Any, samples: Samples) -> Iterator[PlanFault]:
    """A line for which no step is left would never end."""
    conditions = [at.said.get("when") or "" for at in each_of(tasks)]
    if not conditions or not all(conditions):
        return
    names: set[str] = set().union(*map(_asked, conditions))
    for facts in samples.for_names(names):
        told = facts.names()
        if not any(_holds(when, told) for when in conditions):
            case = in_words(facts, names)
            yield PlanFault(
                _("A dead end: with %(case)s no step is left."), {"case": case}, of=STEPS
            )
            return


def _of_handlers(tasks: Any, samples: Samples, kinds: Mapping[str, Faults]) -> Iterator[PlanFault]:
    """Handlers that nobody knows, and parameters that theirs do not take."""
    for at in each_of(tasks):
        undoing = at.said.get("compensation")
        undoing = undoing if isinstance(undoing, Mapping) else {}
        for said, before in ((at.said, ""), (undoing, "compensation.")):
            name = said.get("handler")
            if not name or said.get("kind") != "automatic":
                continue
            if name not in kinds:
                known = ", ".join(sorted(kinds))
                yield at.fault(
                    f"{before}handler",
                    _("There is no handler “%(name)s”; there is: %(known)s."),
                    name=name,
                    known=known,
                )
                continue
            cases = _cases(at, said, samples)
            for why in _refusals(kinds[name], said, cases):
                yield at.fault(f"{before}parameters", "%(why)s", why=why)


def _cases(at: At, said: Mapping[str, Any], samples: Samples) -> Sequence[Facts]:
    """Lines for which the step is laid, as many as a handler is asked about."""
    when = at.said.get("when") or ""
    names = _asked(when) if when else set()
    for _column, text in expressions_of(said, "parameters"):
        names |= _asked(text)
    cases = samples.for_names(names)
    laid = [facts for facts in cases if not when or _holds(when, facts.names())]
    return laid[:: max(1, len(laid) // MOST_HANDED)]


def _refusals(faults: Faults, said: Mapping[str, Any], cases: Iterable[Facts]) -> Sequence[str]:
    found: dict[str, None] = {}
    for facts in cases:
        parameters = value_of(said.get("parameters") or {}, facts.names())
        try:
            found |= dict.fromkeys(map(str, faults(parameters)))
        except Exception as exc:  # a handler of somebody's own, given what nobody foresaw
            found[f"{type(exc).__name__}: {exc}"[:200]] = None
    return list(found)[:5]
