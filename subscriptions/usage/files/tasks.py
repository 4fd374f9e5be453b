"""Files of many rows are loaded by workers, part by part."""

from o2b import clock, events
from subscriptions.usage.files import services


@events.outside_reaction("subscriptions.take_usage_file")
def take_usage_file(owed: dict[int, list[int]], key: int) -> None:
    """Load the rows of a file; a part that a worker did not end is begun again, as if never."""
    while services.take_part(file_id=key, at=clock.now(), owed=owed[key]):
        pass
