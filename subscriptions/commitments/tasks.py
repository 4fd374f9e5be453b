"""Renewals and prices by the clock: what is due where it lives, a batch after the other."""

from collections.abc import Callable

from o2b import clock, events
from subscriptions.commitments import services

ROUNDS = 10_000  # batches; what is left then the next call finds


@events.periodic("subscriptions.renew_due")
def renew_due() -> int:
    """Services whose term has ended."""
    return _to_the_end(services.renew_due)


@events.periodic("subscriptions.remind_renewals")
def remind_renewals() -> int:
    """Renewals that come up."""
    return _to_the_end(services.remind_due)


@events.periodic("subscriptions.tell_price_moves")
def tell_price_moves() -> int:
    """Services that a new version of a book moves."""
    return _to_the_end(services.tell_price_moves)


@events.periodic("subscriptions.move_prices")
def move_prices() -> int:
    """Services whose new price counts from today."""
    return _to_the_end(services.move_prices)


@events.outside_reaction("subscriptions.mail_price_moves", at_once=25)
def mail_price_moves(owed: dict[int, list[int]], key: int) -> None:
    """Customers whose prices move."""
    services.mail_price_moves(owed=owed, machine_now=clock.now())


def _to_the_end(work: Callable[..., int]) -> int:
    done = 0
    for _round in range(ROUNDS):
        found = work(machine_now=clock.now())
        done += found
        if not found:
            break
    return done
