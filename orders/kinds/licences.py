"""Licence keys: made at once or from a pool, given to one task once, revoked when its line ends.

The key itself stays in its row: evidence, events, pages and the API know it by its end. Parameters:
`pool` (code; else keys are made), `per_unit` (a key for each unit), `mail` (to the contact).
"""

from collections.abc import Mapping, Sequence

from orders.fulfilment.handlers import Handler
from orders.fulfilment.outcomes import Done, Failed, Job, Outcome, TryAgain
from orders.kinds.parameters import checker, flag, text, wrong
from orders.licences.rules import masked
from orders.licences.services import Short, Wanted, give_keys
from orders.models import Task
from orders.models.words import FailureClass

MOST_UNITS = 1000

faults = checker(pool=text(50), per_unit=flag, mail=flag)


def give(jobs: Sequence[Job]) -> Mapping[int, Outcome]:
    """Keys for many tasks in a few statements."""
    found: dict[int, Outcome] = {}
    for job in jobs:
        if refused := (wrong(faults, job) or _too_many(job)):
            found[job.task_id] = refused
    sound = [job for job in jobs if job.task_id not in found]
    if not sound:
        return found
    for task_id, keys in give_keys(wanted=[_wanted(job) for job in sound], at=sound[0].at).items():
        found[task_id] = _short(keys) if isinstance(keys, Short) else _done(keys)
    return found


def _wanted(job: Job) -> Wanted:
    letter = None
    if job.parameters.get("mail"):
        letter = Task(
            pk=job.task_id, order_id=job.order_id, account_id=job.account_id, name=job.name
        )
    pool = job.parameters.get("pool") or ""
    return Wanted(job.task_id, job.line_id, _units(job), pool, letter)


def _units(job: Job) -> int:
    return int(job.quantity) if job.parameters.get("per_unit") else 1


def _too_many(job: Job) -> Failed | None:
    if not job.parameters.get("per_unit"):
        return None
    if job.quantity == job.quantity.to_integral_value() and 1 <= job.quantity <= MOST_UNITS:
        return None
    reason = f"a key for each of {job.quantity.normalize():f} units cannot be given"
    return Failed(reason, kind=FailureClass.SET_UP)


def _done(keys: Sequence[str]) -> Done:
    shown = tuple(masked(key) for key in keys)
    return Done(serial=shown[0], serials=shown if len(shown) > 1 else ())


def _short(said: Short) -> Outcome:
    if not said.is_there:
        return Failed(f"there is no pool “{said.pool}”", kind=FailureClass.SET_UP)
    if said.is_held:
        reason = f"the last keys of the pool “{said.pool}” are being given to others"
        return TryAgain(reason, kind=FailureClass.NO_STOCK)
    reason = f"the pool “{said.pool}” has too few keys left"
    return Failed(reason, kind=FailureClass.NO_STOCK)


def licence_key(job: Job) -> Outcome:
    """Give one task its keys."""
    return give([job])[job.task_id]


LICENCE_KEY = Handler(run=licence_key, run_many=give, instant=True, writes=True, faults=faults)
