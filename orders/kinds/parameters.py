"""What parameters of a task may be, said by sentence; the same before publication and when run."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from o2b.catalog.plans.expressions import is_expression
from orders.fulfilment.outcomes import Failed, Job, Outcome
from orders.models.words import FailureClass

Check = Callable[[Any], str]  # what is wrong with a value; nothing when it is sound
Faults = Callable[[Mapping[str, Any]], list[str]]
LARGEST = Decimal(10) ** 12


def text(longest: int = 200) -> Check:
    def check(value: Any) -> str:
        if not isinstance(value, str) or not value.strip():
            return "a text"
        sound = len(value) <= longest and "\0" not in value
        return "" if sound else f"a text of up to {longest} characters"

    return check


def one_line(longest: int = 200) -> Check:
    whole_text = text(longest)

    def check(value: Any) -> str:
        return whole_text(value) or ("one line" if len(value.splitlines()) > 1 else "")

    return check


def whole(least: int = 0, most: int = 100_000) -> Check:
    def check(value: Any) -> str:
        said = number_of(value)
        sound = said is not None and said == said.to_integral_value() and least <= said <= most
        return "" if sound else f"a whole number from {least} to {most}"

    return check


def amount(value: Any) -> str:
    said = number_of(value)
    return "" if said is not None and 0 <= said < LARGEST else "an amount, such as 49.90"


def positive(value: Any) -> str:
    said = number_of(value)
    return "" if said is not None and 0 < said < LARGEST else "a number above zero"


def percent(value: Any) -> str:
    said = number_of(value)
    return "" if said is not None and 0 < said <= 100 else "a percentage, above 0 up to 100"


def flag(value: Any) -> str:
    return "" if isinstance(value, bool) else "true or false"


def day(value: Any) -> str:
    return "" if day_of(value) else "a day, such as 2026-11-30"


def one_of(*choices: str) -> Check:
    return lambda value: "" if value in choices else " or ".join(choices)


def number_of(value: Any) -> Decimal | None:
    """An exact number; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | str | float | Decimal):
        return None
    try:
        said = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return said if said.is_finite() else None


def day_of(value: Any) -> date | None:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        return None


def checker(needed: Iterable[str] = (), **checks: Check) -> Faults:
    """`faults` of a handler that knows these parameters; an expression is sound until laid."""
    wanted = tuple(needed)

    def faults(parameters: Mapping[str, Any]) -> list[str]:
        if not isinstance(parameters, Mapping):
            return ["parameters are names with values"]
        missing = [f"{name} is missing" for name in wanted if parameters.get(name) in (None, "")]
        unknown = [f"{name} is no parameter of it" for name in parameters if name not in checks]
        wrong = [
            f"{name}: {fault}"
            for name, check in checks.items()
            if (value := parameters.get(name)) not in (None, "")
            and not is_expression(value)
            and (fault := check(value))
        ]
        return [*missing, *map(str, unknown), *wrong]

    return faults


def guarded(faults: Faults, run: Callable[[Job], Outcome]) -> Callable[[Job], Outcome]:
    """`run` of a handler that is never told parameters which make no sense."""

    def answer(job: Job) -> Outcome:
        return wrong(faults, job) or run(job)

    return answer


def wrong(faults: Faults, job: Job) -> Failed | None:
    """The failure of a job whose parameters came out as nonsense."""
    said = faults(job.parameters)
    return Failed("; ".join(said), kind=FailureClass.SET_UP) if said else None


def whole_of(value: Any, default: int) -> int:
    said = number_of(value)
    return default if said is None else int(said)
