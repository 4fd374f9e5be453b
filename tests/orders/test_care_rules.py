"""How far a line is in its customer's words."""

from decimal import Decimal

import pytest

from orders.care.rules import Halt, Station, progress

A, P, D, W = Station.ACCEPTED, Station.PREPARING, Station.DELIVERING, Station.DELIVERED


@pytest.mark.parametrize(
    ("state", "paused_from", "fraction", "steps", "finished", "station", "percent", "halt"),
    [
        ("accepted", "", "0", 4, 0, A, 0, Halt.NONE),
        ("scheduled", "", "0", 4, 0, P, 0, Halt.NONE),
        ("provisioning", "", "0", 4, 1, D, 25, Halt.NONE),
        ("provisioning", "", "0.6", 4, 1, D, 60, Halt.NONE),
        ("provisioning", "", "0.1", 3, 1, D, 33, Halt.NONE),
        ("provisioning", "", "1", 2, 2, D, 99, Halt.NONE),
        ("provisioning", "", "0", 0, 0, D, 0, Halt.NONE),
        ("delivered", "", "1", 4, 4, W, 100, Halt.NONE),
        ("completed", "", "0", 0, 0, W, 100, Halt.NONE),
        ("held", "scheduled", "0", 4, 0, P, 0, Halt.PAUSED),
        ("held", "provisioning", "0", 4, 2, D, 50, Halt.PAUSED),
        ("waiting", "provisioning", "0", 4, 2, D, 50, Halt.YOURS),
        ("fallout", "provisioning", "0", 4, 2, D, 50, Halt.NONE),
        ("fallout", "scheduled", "0", 4, 0, P, 0, Halt.NONE),
        ("cancelling", "", "0.5", 4, 2, A, 0, Halt.CANCELLED),
        ("cancelled", "held", "0.5", 4, 2, A, 0, Halt.CANCELLED),
    ],
)
def test_progress(
    state: str,
    paused_from: str,
    fraction: str,
    steps: int,
    finished: int,
    station: Station,
    percent: int,
    halt: Halt,
) -> None:
    found = progress(
        state,
        paused_from=paused_from,
        fraction=Decimal(fraction),
        steps=steps,
        finished=finished,
    )
    assert (found.station, found.percent, found.halt) == (station, percent, halt)
