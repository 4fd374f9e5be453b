"""Days of test clocks, lived by workers."""

from o2b import events
from o2b.clocks import services


@events.outside_reaction("clocks.live_days")
def live_days(owed: dict[int, list[int]], key: int) -> None:
    """A step was asked for, or goes on: live its days."""
    services.go_on(step_id=key, owed=owed[key])
