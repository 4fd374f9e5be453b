"""The handlers of automatic tasks by the names that delivery plans use."""

import logging
import secrets
from collections.abc import Callable

from orders.fulfilment.outcomes import Done, Failed, Job, Outcome, TryAgain
from orders.gateways import provisioning

log = logging.getLogger(__name__)

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # nothing that is mistaken for something else


def activation(job: Job) -> Outcome:
    """Switch it on here; nothing outside is asked."""
    return Done()


def licence_key(job: Job) -> Outcome:
    """Make a licence key; it is the serial of the evidence."""
    groups = ("".join(secrets.choice(ALPHABET) for _ in range(5)) for _ in range(5))
    return Done(serial="-".join(groups))


HANDLERS: dict[str, Callable[[Job], Outcome]] = {
    "activation": activation,
    "licence_key": licence_key,
    "http_provisioning": provisioning.provision,
}

# Done here in no time, touching nothing: they may run inside a transaction. No other may.
INSTANT = frozenset({"activation", "licence_key"})


def run(job: Job) -> Outcome:
    """Let the named handler do it; what it did not foresee is tried again, then shown to people."""
    handler = HANDLERS.get(job.handler)
    if handler is None:
        return Failed(f"no handler is called {job.handler!r}")
    try:
        return handler(job)
    except Exception as exc:
        log.exception("handler %s broke on task %s", job.handler, job.task_id)
        return TryAgain(f"{type(exc).__name__}: {exc}"[:500])
