"""How far a line is, as its customer says it: four stations, a percentage, what stands still."""

from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum, StrEnum


class Station(IntEnum):
    """Where a line is on its way to the customer."""

    ACCEPTED = 0
    PREPARING = 1
    DELIVERING = 2
    DELIVERED = 3


class Halt(StrEnum):
    """Why a line does not go on by itself; nothing, where it does."""

    NONE = ""
    PAUSED = "paused"
    YOURS = "yours"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one line is."""

    station: Station
    percent: int
    halt: Halt = Halt.NONE


STATIONS = {
    "accepted": Station.ACCEPTED,
    "scheduled": Station.PREPARING,
    "provisioning": Station.DELIVERING,
    "delivered": Station.DELIVERED,
    "completed": Station.DELIVERED,
}
# What fell out here is ours to mend: to the customer the line is where it was.
HALTS = {
    "held": Halt.PAUSED,
    "waiting": Halt.YOURS,
    "cancelling": Halt.CANCELLED,
    "cancelled": Halt.CANCELLED,
}


def progress(
    state: str, *, paused_from: str, fraction: Decimal, steps: int, finished: int
) -> Progress:
    """How far a line is by its state, by what of it is delivered, and by its finished steps.

    Never whole before it is delivered.
    """
    halt = HALTS.get(state, Halt.NONE)
    if halt is Halt.CANCELLED:
        return Progress(Station.ACCEPTED, 0, halt)
    station = STATIONS.get(state) or STATIONS.get(paused_from, Station.ACCEPTED)
    if station is Station.DELIVERED:
        return Progress(station, 100)
    worked = Decimal(finished) / steps if steps else Decimal(0)
    return Progress(station, min(int(max(fraction, worked) * 100), 99), halt)
