"""Care by message and by the clock: the advocate is told, the customer gets the link."""

from o2b import clock, events
from orders.care import services
from orders.care.services.letters import mail_tracking_links as mail_links

AT_ONCE = 100


@events.batch_reaction("care.tell_placed", at_once=AT_ONCE)
def tell_placed(keys: list[int]) -> None:
    """Orders were accepted."""
    services.tell_placed(order_ids=keys, machine_now=clock.now())


@events.batch_reaction("care.tell_delivered", at_once=AT_ONCE)
def tell_delivered(keys: list[int]) -> None:
    """Lines of orders were delivered."""
    services.tell_delivered(order_ids=keys)


@events.batch_reaction("care.tell_fallen", at_once=AT_ONCE)
def tell_fallen(keys: list[int]) -> None:
    """Lines of orders fell out."""
    services.tell_fallen(order_ids=keys)


@events.outside_reaction("care.mail_tracking_links", at_once=25)
def mail_tracking_links(owed: dict[int, list[int]], key: int) -> None:
    """Orders were accepted whose customers gave an address."""
    mail_links(owed=owed, machine_now=clock.now())


@events.periodic("care.warn_overdue")
def warn_overdue() -> int:
    """Complaints whose clock ran out."""
    return services.warn_overdue(machine_now=clock.now())
