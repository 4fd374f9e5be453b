"""Alerts by the clock: what changed is looked at, and customers are written to.

It is work of the accounts, not of the machine: a test clock does it on each of its days, and before
it leaves the day on which it stands, so that no usage that came in time is found too late.
"""

from o2b import clock, events
from subscriptions.usage.alerts import services


@events.periodic("subscriptions.watch_usage")
def watch_usage() -> int:
    """Services whose usage changed since the last look."""
    return services.look_at_usage(machine_now=clock.now())


@events.outside_reaction("subscriptions.mail_usage_alerts", at_once=25)
def mail_usage_alerts(owed: dict[int, list[int]], key: int) -> None:
    """Customers whose usage passed a threshold."""
    services.mail_usage_alerts(owed=owed, machine_now=clock.now())
