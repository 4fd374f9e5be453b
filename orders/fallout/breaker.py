"""The circuit breaker of each outside system: asked, not asked, or on trial with one task.

Closed: all ask. Failures in a row open it: nobody asks, tasks stay ready and keep their attempts.
After the cool-down one task is let through on trial; it closes the circuit, or opens it again for
twice as long. Whoever is on trial and dies leaves a trial that runs out.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from o2b import fsm
from o2b.errors import Refused
from orders.fulfilment.outcomes import Failed, Outcome, TryAgain
from orders.models import FailureClass, OutsideSystem, Task

S = OutsideSystem.State
# These say that the system itself is ill; a refusal says that it is well.
ILL = frozenset(
    {
        FailureClass.UNREACHABLE,
        FailureClass.TIMEOUT,
        FailureClass.OVERLOADED,
        FailureClass.SERVER_ERROR,
        FailureClass.GARBAGE,
    }
)
# These say nothing of it: it was not asked, or nobody knows.
OURS = frozenset({FailureClass.BROKEN, FailureClass.SET_UP, FailureClass.LOST})
TRIAL = timedelta(seconds=90)  # longer than a lease: a trial whose worker died is given again
LONGEST = timedelta(minutes=15)


class SystemNotSo(Refused):
    """The circuit does not stand where that would be possible."""

    code = "system_not_so"


@dataclass(frozen=True, slots=True)
class Circuits:
    """Systems that are not asked now, and those whose cool-down is over: one task may try them."""

    down: frozenset[str] = frozenset()
    to_try: frozenset[str] = frozenset()


ALL_WELL = Circuits()


def look(codes: Collection[str], *, at: datetime) -> Circuits:
    """How the circuits of these systems stand; `at` is the machine's moment."""
    if not codes:
        return ALL_WELL
    return _sorted(OutsideSystem.objects.filter(code__in=codes), at)


def look_at_all(*, at: datetime) -> Circuits:
    """How every circuit stands."""
    return _sorted(OutsideSystem.objects.all(), at)


def _sorted(systems: QuerySet[OutsideSystem], at: datetime) -> Circuits:
    broken = list(systems.exclude(state=S.CLOSED))
    to_try = frozenset(system.code for system in broken if _may_try(system, at))
    return Circuits(frozenset(system.code for system in broken) - to_try, to_try)


def _may_try(system: OutsideSystem, at: datetime) -> bool:
    if system.state == S.CLOSED or system.by_hand:
        return False
    return system.retry_at is not None and system.retry_at <= at


def let_through(tasks: Sequence[Task], circuits: Circuits, *, at: datetime) -> list[Task]:
    """The tasks but those of systems on trial, of which one is let through, by one worker alone.

    In the transaction that claims them.
    """
    first: dict[str, int] = {}
    for task in tasks:
        if task.system in circuits.to_try:
            first.setdefault(task.system, task.pk)
    chosen = {first[code] for code in sorted(first) if _begin_trial(code, at)}
    return [t for t in tasks if t.system not in circuits.to_try or t.pk in chosen]


def _begin_trial(code: str, at: datetime) -> bool:
    """Whether the trial is ours; another worker that begins it at this moment goes first."""
    free = OutsideSystem.objects.select_for_update(skip_locked=True)
    system = free.filter(code=code).first()
    if system is None or not _may_try(system, at):
        return False
    system.retry_at = at + TRIAL
    if system.state == S.OPEN:
        fsm.apply(system, "try_again", at=at, refusal=SystemNotSo)
    else:
        system.save(update_fields=["retry_at"])
    return True


def note(outcomes: Mapping[int, Outcome], systems: Mapping[int, str], *, at: datetime) -> None:
    """Let each system's circuit know how it answered; a sound answer of a sound one writes nothing.

    Opens it after too many failures in a row.
    """
    answers: dict[str, list[Outcome]] = {}
    for pk, outcome in outcomes.items():
        if (code := systems.get(pk, "")) and _kind(outcome) not in OURS:
            answers.setdefault(code, []).append(outcome)
    ill = {code: _ills(said) for code, said in answers.items()}
    well = [code for code, faults in ill.items() if not faults]
    sick = [code for code, faults in ill.items() if faults]
    if well:
        not_so = OutsideSystem.objects.filter(code__in=well)
        well = list(not_so.exclude(state=S.CLOSED, failures=0).values_list("code", flat=True))
    if not well and not sick:
        return
    with transaction.atomic():
        know(sick)
        known = OutsideSystem.objects.select_for_update().filter(code__in=[*well, *sick])
        for system in known.order_by("code"):
            if faults := ill[system.code]:
                _ill(system, faults, at)
            else:
                _well(system, at)


def _kind(outcome: Outcome) -> str:
    return outcome.kind if isinstance(outcome, TryAgain | Failed) else ""


def _ills(said: list[Outcome]) -> list[str]:
    """Why it did not answer as it should; nothing if at least one answer was sound."""
    faults = [o.reason for o in said if isinstance(o, TryAgain | Failed) and o.kind in ILL]
    return faults if len(faults) == len(said) else []


def know(codes: Collection[str]) -> None:
    """Rows for systems that are named for the first time; two workers may do so at once."""
    OutsideSystem.objects.bulk_create(
        [OutsideSystem(code=code, name=name_of(code)) for code in sorted(codes)],
        ignore_conflicts=True,
    )


def name_of(code: str) -> str:
    """What a system is called until somebody says better."""
    return code.replace("-", " ").replace("_", " ").capitalize()[:100]


def _well(system: OutsideSystem, at: datetime) -> None:
    if system.state == S.HALF_OPEN:
        fsm.apply(system, "recover", at=at, refusal=SystemNotSo)
    elif system.state == S.CLOSED:
        system.failures = 0
        system.save(update_fields=["failures"])


def _ill(system: OutsideSystem, faults: list[str], at: datetime) -> None:
    """One more failure in a row; what was asked before the circuit opened counts no more."""
    if system.state == S.OPEN:
        return
    system.last_error = faults[-1]
    if system.state == S.HALF_OPEN:
        system.failures += 1
    else:
        system.failures = min(system.failures + len(faults), system.threshold)
    if system.failures < system.threshold:
        system.save(update_fields=["failures", "last_error"])
        return
    system.retry_at = at + pause(system)
    fsm.apply(system, "trip", at=at, refusal=SystemNotSo, facts={"reason": system.last_error})


def pause(system: OutsideSystem) -> timedelta:
    """The cool-down, twice as long after each trial that failed, at most a quarter of an hour.

    A longer cool-down that somebody has set stands.
    """
    usual = timedelta(seconds=system.cool_down)
    trials = min(max(system.failures - system.threshold, 0), 16)
    return max(usual, min(usual * 2**trials, LONGEST))
