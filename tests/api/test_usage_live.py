"""Live usage by REST: the period that runs, its allowance and forecast, what it costs so far."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from subscriptions.models import Pool
from tests.api.conftest import As, Person
from tests.api.problem import assert_problem
from tests.scenarios.world import World
from tests.subscriptions.pools_build import a_drawer, a_top_up, sold
from tests.subscriptions.usage.build import a_meter, an_event, by_meter, taken

pytestmark = pytest.mark.django_db
LIVE = "/api/v1/usage/live"


@pytest.fixture
def rep(as_: As) -> Person:
    return as_("sales")


def results(rep: Person, **asked: str) -> list[dict[str, Any]]:
    answer = rep.get(LIVE, asked)
    assert answer.status_code == 200, answer.json()
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


def used(world: World, item: Any, *told: tuple[str, str]) -> None:
    events = [an_event(item, value, f"{day}T09:00:00Z") for value, day in told]
    assert {answer.status for answer in taken(*events, now=world.now.isoformat())} == {"accepted"}


def test_allowance_forecast_and_amount(rep: Person, world: World) -> None:
    a_meter()
    charge = by_meter(price="0.10", details={"allowance": {"units": "25"}})
    item = sold(world, charge)
    world.on("2026-02-10")
    used(world, item, ("40", "2026-01-20"), ("10", "2026-02-03"), ("10", "2026-02-09"))
    (found,) = results(rep, service=item.number)
    assert (found["service"], found["on"]) == (item.number, "2026-02-10")
    assert found["account"]["reference"] == world.account.reference
    (charge_,) = found["charges"]
    running = charge_.pop("running")
    assert charge_ == {
        "charge": "minutes",
        "meter": "minutes",
        "unit": "min",
        "currency": "EUR",
        "before": [
            {
                "period_start": "2026-01-01",
                "period_end": "2026-02-01",
                "used": "40",
                "amount": "1.50",
            }
        ],
        "pool": None,
        "trouble": "",
    }
    by_day = {each["day"]: each["quantity"] for each in running.pop("by_day")}
    assert (len(by_day), by_day["2026-02-03"], by_day["2026-02-04"]) == (10, "10", "0")
    assert running == {
        "period_start": "2026-02-01",
        "period_end": "2026-03-01",
        "days": 28,
        "days_passed": 10,
        "used": "20",
        "forecast": "56",
        "allowance": "25",
        "allowance_left": "5",
        "prepaid": "0",
        "amount": "0.00",
    }


def test_by_account_with_its_pool_and_what_is_not_metered(rep: Person, world: World) -> None:
    a_meter()
    bought = sold(world, a_top_up("100"))
    item = a_drawer(world)
    world.on("2026-02-10")
    used(world, item, ("130", "2026-02-03"))
    drew, rest = results(rep, account=world.account.reference)
    assert (drew["service"], rest["service"], rest["charges"]) == (item.number, bought.number, [])
    (charge,) = drew["charges"]
    pool = Pool.objects.get()
    assert charge["pool"] == {"id": pool.pk, "url": f"/api/v1/pools/{pool.pk}", "left": "0"}
    assert (charge["running"]["prepaid"], charge["running"]["amount"]) == ("100", "3.00")
    one = rep.get(LIVE, {"account": world.account.reference, "page_size": "1"}).json()
    assert len(one["results"]) == 1
    assert rep.get(one["next"]).json()["results"] == [rest]


def test_what_cannot_be_read(rep: Person, as_: As, world: World) -> None:
    assert_problem(rep.get(LIVE), 400, "malformed", "service")
    assert_problem(rep.get(LIVE, {"service": "S-1", "of": "x"}), 400, "malformed", "of")
    assert results(rep, service="S-999") == results(rep, account="nobody") == []
    assert results(rep, service="S-" + "9" * 30) == []
    assert_problem(as_("usage sender").get(LIVE, {"service": "S-1"}), 403, "permission_denied")


def test_it_asks_no_more_of_more_services(rep: Person, world: World) -> None:
    a_meter()
    asked = {"account": "", "page_size": "200"}

    def more(count: int) -> int:
        for _ in range(count):
            item = sold(world, by_meter(price="0.10"))
            world.on("2026-02-10")
            used(world, item, ("1", "2026-02-03"))
        asked["account"] = world.account.reference
        rep.get(LIVE, asked)
        with CaptureQueriesContext(connection) as captured:
            rows = results(rep, **asked)
        assert all(Decimal(row["charges"][0]["running"]["used"]) == 1 for row in rows)
        return len(captured)

    few = more(1)
    assert more(4) == few
