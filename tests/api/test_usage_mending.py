"""What waits or was refused is mended by REST as on the desk, by who may do it there."""

import pytest

from o2b.models import Event
from subscriptions.models import Item, UsageEvent, UsagePending, UsageRejected
from tests.api.conftest import As, Person
from tests.api.problem import assert_problem
from tests.scenarios.world import World
from tests.subscriptions.usage.build import a_meter, a_metered_service, an_event, taken

pytestmark = pytest.mark.django_db
PENDING, REJECTED = "/api/v1/usage/pending", "/api/v1/usage/rejected"


@pytest.fixture
def item(world: World) -> Item:
    a_meter()
    return a_metered_service(world)


@pytest.fixture
def finance(as_: As) -> Person:
    return as_("finance")


def row_of(person: Person, url: str) -> int:
    (found,) = person.get(url).json()["results"]
    row: int = found["row"]
    return row


def test_what_waits_is_released_once_somebody_has_its_subject(
    as_: As, world: World, item: Item
) -> None:
    sales = as_("sales")
    taken(an_event("S-none"))
    assert sales.post(f"{PENDING}/release").json() == {"released": 0}
    UsagePending.objects.update(subject=item.number)
    assert sales.post(f"{PENDING}/release").json() == {"released": 1}
    assert UsageEvent.objects.count() == 1


def test_an_event_that_waits_is_dismissed_once_a_key(finance: Person, item: Item) -> None:
    waits = an_event("S-none")
    taken(waits)
    url = f"{PENDING}/{row_of(finance, PENDING)}/dismiss"
    assert_problem(finance.post(url, {"reason": "  "}), 400, "malformed", "reason")
    assert UsagePending.objects.count() == 1
    key = {"HTTP_IDEMPOTENCY_KEY": "one"}
    told = finance.post(url, {"reason": "a test call"}, **key)
    assert told.status_code == 200, told.json()
    assert (told.json()["id"], told.json()["code"], told.json()["message"]) == (
        *(waits.id, "dismissed"),
        "a test call",
    )
    assert finance.post(url, {"reason": "a test call"}, **key).json() == told.json()
    assert_problem(finance.post(url, {"reason": "again"}), 404, "not_found")
    assert taken(waits)[0].status == "duplicate"
    done = Event.objects.get(name="usage_pending.dismissed")
    assert done.actor_id == finance.person.pk


def test_what_was_refused_is_retried_or_settled(finance: Person, item: Item) -> None:
    taken(an_event(item, meter="later"), an_event(item, "-1"))
    by_code = {row.code: row.pk for row in UsageRejected.objects.all()}
    rows = {"rows": sorted(by_code.values())}
    assert finance.post(f"{REJECTED}/retry", rows).json() == {
        "taken": 0,
        "pending": 0,
        "refused": 2,
    }
    a_meter("later")
    told = finance.post(f"{REJECTED}/retry", {"rows": [by_code["unknown_meter"]]}).json()
    # The service is not sold by it: the event waits for one that is.
    assert told == {"taken": 0, "pending": 1, "refused": 0}
    assert finance.post(f"{REJECTED}/settle", rows).json() == {"settled": 1}
    assert finance.post(f"{REJECTED}/settle", rows).json() == {"settled": 0}
    assert not UsageRejected.objects.filter(settled_at=None).exists()


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"rows": []},
        {"rows": [0]},
        {"rows": ["x"]},
        {"rows": [10**30]},
        {"rows": list(range(1, 1002))},
        {"rows": [1], "all": True},
    ],
)
def test_rows_that_are_none(finance: Person, asked: dict[str, object]) -> None:
    for verb in ("retry", "settle"):
        assert finance.post(f"{REJECTED}/{verb}", asked).status_code == 400


def test_who_may(as_: As, item: Item) -> None:
    taken(an_event("S-none"), an_event(item, "-1"))
    sales, sender = as_("sales"), as_("usage sender")
    row, waits = row_of(sales, REJECTED), row_of(sales, PENDING)
    for url, asked in (
        (f"{PENDING}/{waits}/dismiss", {"reason": "x"}),
        (f"{REJECTED}/retry", {"rows": [row]}),
        (f"{REJECTED}/settle", {"rows": [row]}),
    ):
        assert_problem(sales.post(url, asked), 403, "permission_denied")
        assert sales.get(url).status_code == 405
    assert_problem(sender.post(f"{PENDING}/release"), 403, "permission_denied")
    assert UsagePending.objects.count() == 1
