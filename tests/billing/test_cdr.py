"""Call records on bills: a file of each shape, and a call of 61 seconds in minutes costs two."""

import pytest

from billing.models import InvoiceLine
from tests.scenarios.world import World
from tests.subscriptions.usage.build import a_meter, a_metered_service, by_meter
from tests.subscriptions.usage.files.build import (
    HEADER,
    asterisk,
    body,
    counts,
    freeswitch,
    loaded,
    plain,
    uuid,
)

pytestmark = pytest.mark.django_db

# 6 cents a minute, in started minutes.
MINUTES = {"call": [{"from_minute": 0, "connect_fee": "0", "slots": [[0, "0.06", 60, 60]]}]}


def rated() -> dict[str, object]:
    return by_meter("calls", "0") | {"model": "rated", "details": MINUTES}


@pytest.mark.parametrize("shape", ["asterisk", "freeswitch", "plain"])
def test_61_seconds_cost_two_minutes(world: World, shape: str) -> None:
    a_meter("calls", aggregation="each", unit="s", timed=True)
    number = a_metered_service(world, rated()).number
    data = {
        "asterisk": body(
            asterisk(number, 61, "1770645600.1"),
            asterisk(number, 0, "1770645600.2", "BUSY"),
            asterisk(number, 61, "1770645600.1"),
        ),
        "freeswitch": body(
            freeswitch(number, 61, uuid(1)),
            freeswitch(number, 0, uuid(2), "USER_BUSY"),
            freeswitch(number, 61, uuid(1)),
        ),
        "plain": body(
            HEADER,
            plain(number, "61", "c1"),
            plain(number, "0", "c2"),
            plain(number, "61", "c1"),
        ),
    }[shape]
    file = loaded(data, at=world.now, skip_zero=shape != "asterisk")
    assert (file.shape, counts(file)) == (shape, {"accepted": 1, "duplicate": 1, "skipped": 1})
    run = world.on("2026-03-01").bill("2026-03-01")
    assert (run.state, world.parked()) == ("finalised", [])
    lines = InvoiceLine.objects.filter(charge__terms_charge__kind="usage")
    assert [(f"{r.quantity.normalize():f}", f"{r.amount:.2f}") for r in lines] == [("61", "0.12")]


def test_every_call_is_rounded_up_by_itself(world: World) -> None:
    """59, 60, 61 and 121 seconds: 1 + 1 + 2 + 3 minutes."""
    a_meter("calls", aggregation="each", unit="s", timed=True)
    number = a_metered_service(world, rated()).number
    calls = [asterisk(number, s, f"177064560{s}.1") for s in (59, 60, 61, 121)]
    assert counts(loaded(body(*calls), at=world.now)) == {"accepted": 4}
    world.on("2026-03-01").bill("2026-03-01")
    line = InvoiceLine.objects.get(charge__terms_charge__kind="usage")
    assert (f"{line.quantity.normalize():f}", f"{line.amount:.2f}") == ("301", "0.42")
