"""What quotes do by the clock."""

from o2b import clock, events
from quotes import services


@events.periodic("quotes.expire_quotes")
def expire_quotes() -> int:
    return services.expire_quotes(at=clock.now())
