"""Usage by REST, to read: totals, events, what waits, what was refused, the equation."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from subscriptions.models import Item
from subscriptions.usage.selectors import recorded_today
from tests.api.conftest import As, Person
from tests.api.problem import assert_problem
from tests.scenarios.world import World
from tests.subscriptions.usage.build import a_meter, a_metered_service, an_event, by_meter, taken

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("lived")]
TOTALS, EVENTS, PENDING, REJECTED, EQUATION = (
    f"/api/v1/usage/{name}" for name in ("totals", "events", "pending", "rejected", "equation")
)


def its_life(world: World) -> Item:
    a_meter(dimensions=[{"name": "zone"}])
    return a_metered_service(world)


@pytest.fixture
def rep(as_: As) -> Person:
    return as_("sales")


def results(rep: Person, url: str, **asked: str) -> list[dict[str, Any]]:
    answer = rep.get(url, asked)
    assert answer.status_code == 200, answer.json()
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


def test_totals(rep: Person, item: Item) -> None:
    taken(
        an_event(item, "2.5", properties={"zone": "mobile"}),
        an_event(item, "1", properties={"zone": "mobile"}),
        an_event(item, "4", "2026-02-07T12:00:00Z"),
    )
    newest, oldest = results(rep, TOTALS, service=item.number)
    assert newest == {
        "service": item.number,
        "meter": "minutes",
        "unit": "min",
        "day": "2026-02-09",
        "dimensions": {"zone": "mobile"},
        "value": None,
        "time": None,
        "quantity": "3.5",
        "events": 2,
        "last_at": "2026-02-09T12:00:00Z",
        "priced": True,
    }
    for asked, days in (
        ({"from": "2026-02-08"}, ["2026-02-09"]),
        ({"to": "2026-02-08"}, ["2026-02-07"]),
        ({"from": "2026-02-07", "to": "2026-02-09"}, ["2026-02-09", "2026-02-07"]),
        ({"meter": "none"}, []),
        ({"meter": "minutes"}, ["2026-02-09", "2026-02-07"]),
    ):
        told = {"service": item.number} | asked
        assert [each["day"] for each in results(rep, TOTALS, **told)] == days, asked
    assert results(rep, TOTALS, service="S-nobody") == []
    assert_problem(rep.get(TOTALS), 400, "malformed", "service")
    assert_problem(rep.get(TOTALS, {"service": "x", "form": "2026"}), 400, "malformed", "form")
    assert_problem(rep.get(TOTALS, {"service": "x", "from": "soon"}), 400, "malformed", "from")


def test_totals_say_what_no_price_is_for(rep: Person, world: World) -> None:
    a_meter("calls", dimensions=[{"name": "zone"}])
    details = {"meter": "calls", "where": {"zone": ["mobile"]}}
    item = a_metered_service(world, by_meter("mobile", details=details))
    taken(
        an_event(item, "1", meter="calls", properties={"zone": "mobile"}),
        an_event(item, "2", meter="calls", properties={"zone": "moon"}),
        an_event(item, "3", meter="calls"),
    )
    found = results(rep, TOTALS, service=item.number)
    assert {each["quantity"]: each["priced"] for each in found} == {
        "1": True,
        "2": False,
        "3": False,
    }


def test_totals_go_on_page_by_page(rep: Person, item: Item) -> None:
    zones = [f"z{n}" for n in range(5)]
    for day in ("08", "09"):
        at = f"2026-02-{day}T12:00:00Z"
        taken(*(an_event(item, "1", at, properties={"zone": zone}) for zone in zones))
    found, url = [], f"{TOTALS}?service={item.number}&page_size=3"
    while url:
        page = rep.get(url).json()
        found += [(each["day"], each["dimensions"]["zone"]) for each in page["results"]]
        url = page["next"]
    assert found == [(f"2026-02-{day}", zone) for day in ("09", "08") for zone in zones]
    assert_problem(rep.get(TOTALS, {"service": "x", "cursor": "cD03"}), 400, "malformed", "cursor")


def test_events(rep: Person, item: Item) -> None:
    first = an_event(item, "2.5", properties={"zone": "mobile", "call": "7"})
    better = an_event(item, "3", replaces=first.id, properties={"zone": "mobile"})
    gone = an_event("", id="gone", retracts=better.id)
    gone.meter, gone.value = "", None
    old = an_event(item, "1", "2026-02-01T12:00:00Z")
    taken(first, better, gone, old)
    (found,) = results(rep, EVENTS, source="pbx", id=first.id)
    recorded = found.pop("recorded_at")
    assert recorded
    assert found == {
        "source": "pbx",
        "id": first.id,
        "kind": "used",
        "meter": "minutes",
        "unit": "min",
        "subject": item.number,
        "service": item.number,
        "time": "2026-02-09T12:00:00Z",
        "day": "2026-02-09",
        "value": "2.5",
        "dimensions": {"zone": "mobile"},
        "properties": {"zone": "mobile", "call": "7"},
        "corrects": None,
        "corrected_by": better.id,
    }
    rows = {each["id"]: each for each in results(rep, EVENTS, service=item.number)}
    assert (rows["gone"]["kind"], rows["gone"]["value"], rows["gone"]["corrects"]) == (
        *("retracts", None),
        better.id,
    )
    for asked, ids in (
        ({"service": item.number, "to": "2026-02-01"}, {old.id}),
        ({"service": item.number, "from": "2026-02-02"}, {first.id, better.id, "gone"}),
        ({"service": f"S-{item.subscription_id}", "meter": "none"}, set()),
        ({"service": item.number, "source": "other"}, set()),
        ({"source": "pbx", "id": "nothing"}, set()),
    ):
        assert {each["id"] for each in results(rep, EVENTS, **asked)} == ids, asked
    assert_problem(rep.get(EVENTS), 400, "malformed", "service")
    assert_problem(rep.get(EVENTS, {"id": "x"}), 400, "malformed", "source")
    assert_problem(rep.get(EVENTS, {"source": "pbx"}), 400, "malformed", "service")


def test_what_does_not_count(rep: Person, item: Item) -> None:
    waits, wrong = an_event("S-none", "2"), an_event(item, "-1")
    taken(waits, wrong)
    (found,) = results(rep, PENDING)
    assert (found["id"], found["reason"], found["value"]) == (waits.id, "unknown_subject", "2")
    assert results(rep, PENDING, reason="unknown_event") == []
    assert len(results(rep, PENDING, subject="S-none", source="pbx", id=waits.id)) == 1
    assert_problem(rep.get(PENDING, {"reason": "because"}), 400, "malformed", "reason")
    (found,) = results(rep, REJECTED, standing="open")
    assert (found["code"], found["field"], found["settled_at"], found["came_well"]) == (
        *("out_of_range", "value"),
        *(None, False),
    )
    assert '"value":"-1"' in found["told"]
    taken(an_event(item, "1", id=wrong.id))
    assert results(rep, REJECTED, standing="open") == []
    assert results(rep, REJECTED, code="out_of_range")[0]["came_well"] is True
    assert_problem(rep.get(REJECTED, {"state": "open"}), 400, "malformed", "state")


def test_the_equation(rep: Person, item: Item) -> None:
    taken(an_event(item), an_event("S-none"), an_event(item, "-1"), an_event(item, source="x"))
    today = recorded_today().isoformat()
    assert rep.get(EQUATION).json() == {
        "source": "",
        "on": today,
        "received": 3,
        "rated": 2,
        "pending": 1,
        "dismissed": 0,
        "rejected": 1,
        "holds": True,
    }
    assert rep.get(EQUATION, {"source": "x", "on": today}).json()["received"] == 1
    assert rep.get(EQUATION, {"on": "2001-01-01"}).json()["received"] == 0
    assert_problem(rep.get(EQUATION, {"on": "today"}), 400, "malformed", "on")
    assert_problem(rep.get(EQUATION, {"day": today}), 400, "malformed", "day")


def test_who_may_read(as_: As, item: Item) -> None:
    sender = as_("usage sender")
    for url in (TOTALS, EVENTS, PENDING, REJECTED, EQUATION):
        assert sender.get(url, {"service": item.number}).status_code == 403, url
        assert sender.post(url, {}).status_code == 405, url


def test_queries_do_not_grow_with_rows(rep: Person, item: Item) -> None:
    def queries() -> list[int]:
        found = []
        for url in (
            f"{TOTALS}?service={item.number}",
            f"{EVENTS}?service={item.number}",
            PENDING,
            REJECTED,
            EQUATION,
        ):
            with CaptureQueriesContext(connection) as captured:
                assert rep.get(url).status_code == 200
            found.append(len(captured))
        return found

    def more(count: int) -> None:
        for n in range(count):
            taken(
                an_event(item, "1", f"2026-02-{n + 1:02}T12:00:00Z"),
                an_event("S-none"),
                an_event(item, "-1"),
            )

    more(1)
    queries()
    few = queries()
    more(9)
    assert queries() == few
