"""Test clocks by REST: opened, accounts put under them, days let pass; and all that is refused."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from o2b.clocks.services import step
from o2b.models import Outbox, TestClock
from orders.models import OrderLine
from tests.api.conftest import As
from tests.api.problem import assert_problem
from tests.factories import NOON, a_product, a_sent_quote, an_account
from tests.o2b.clocks.build import a_clock, a_clocked_account, written
from tests.orders.build import entered

pytestmark = pytest.mark.django_db
CLOCKS = "/api/v1/test-clocks"


@pytest.fixture
def admin(as_: As) -> Any:
    return as_("administrator")


def test_a_clock_from_its_opening_to_a_later_day(admin: Any, drain: Callable[[], int]) -> None:
    account = an_account()
    opened = admin.post(CLOCKS, {"name": "A year", "now": "2026-01-31T12:00:00Z"})
    assert opened.status_code == 201
    clock = opened.json()
    assert opened["Location"] == clock["url"]
    assert (clock["name"], clock["now"], clock["step"]) == ("A year", "2026-01-31T12:00:00Z", None)
    put = admin.post(
        f"{clock['url']}/accounts",
        {"account": account.reference, "confirm": account.reference},
    )
    assert put.status_code == 200
    assert [each["reference"] for each in put.json()["accounts"]] == [account.reference]
    account.refresh_from_db()
    entered(account, a_product(), work_from=(NOON + timedelta(days=2)).date())

    asked = admin.post(f"{clock['url']}/advance", {"months": 1})
    assert asked.status_code == 202
    told = asked.json()["step"]
    assert (told["state"], told["days"], told["days_done"]) == ("running", 28, 0)
    assert asked.json()["is_moving"] is True
    drain()
    clock = admin.get(clock["url"]).json()
    assert (clock["now"], clock["is_moving"]) == ("2026-02-28T12:00:00Z", False)
    assert (clock["step"]["state"], clock["step"]["days_done"]) == ("done", 28)
    assert clock["step"]["lived_until"] == "2026-02-28T12:00:00Z"
    assert OrderLine.objects.get().completed_at == NOON + timedelta(days=2)

    (row,) = admin.get(CLOCKS, {"name": "A year"}).json()["results"]
    assert (row["account_count"], row["is_moving"]) == (1, False)
    assert "step" not in row


def test_the_same_key_moves_it_once(admin: Any) -> None:
    clock = a_clock()
    advance = f"{CLOCKS}/{clock.pk}/advance"
    first = admin.post(advance, {"days": 2}, headers={"Idempotency-Key": "k"})
    again = admin.post(advance, {"days": 2}, headers={"Idempotency-Key": "k"})
    assert (first.status_code, again.status_code) == (202, 202)
    assert (again["Idempotent-Replay"], again.json()) == ("true", first.json())
    assert Outbox.objects.filter(task="clocks.live_days").count() == 1


@pytest.mark.parametrize(
    ("said", "status", "code", "fields"),
    [
        ({}, 400, "malformed", []),
        ({"days": 1, "months": 1}, 400, "malformed", []),
        ({"to": "2026-03-01T12:00:00Z", "days": 1}, 400, "malformed", []),
        ({"days": 0}, 400, "malformed", ["days"]),
        ({"days": -1}, 400, "malformed", ["days"]),
        ({"days": 1101}, 400, "malformed", ["days"]),
        ({"days": 10**30}, 400, "malformed", ["days"]),
        ({"days": "many"}, 400, "malformed", ["days"]),
        ({"days": None}, 400, "malformed", ["days"]),
        ({"days": [1]}, 400, "malformed", ["days"]),
        ({"months": 37}, 400, "malformed", ["months"]),
        ({"months": {}}, 400, "malformed", ["months"]),
        ({"to": "yesterday"}, 400, "malformed", ["to"]),
        ({"to": 5}, 400, "malformed", ["to"]),
        ({"to": {}}, 400, "malformed", ["to"]),
        ({"to": "2026-02-30T00:00:00Z"}, 400, "malformed", ["to"]),
        ({"to": "0001-01-01T00:00:00+14:00"}, 400, "malformed", ["to"]),
        ({"to": "9999-12-31T23:59:59-12:00"}, 400, "malformed", ["to"]),
        ({"to": "2026-01-31T12:00:00Z"}, 422, "clock_set_back", ["to"]),
        ({"to": "2026-01-31T13:00:00+02:00"}, 422, "clock_set_back", ["to"]),
        ({"to": "0001-01-02T00:00:00Z"}, 422, "clock_set_back", ["to"]),
        ({"to": "2029-06-01T00:00:00Z"}, 422, "clock_step_too_long", ["to"]),
        ({"to": "9999-12-30T00:00:00Z"}, 422, "clock_step_too_long", ["to"]),
        ({"hours": 1}, 400, "malformed", ["hours"]),
        ([1], 400, "malformed", [""]),
    ],
)
def test_a_move_that_is_none(
    admin: Any, said: Any, status: int, code: str, fields: list[str]
) -> None:
    clock = a_clock()
    before = written()
    assert_problem(admin.post(f"{CLOCKS}/{clock.pk}/advance", said), status, code, *fields)
    assert written() == before


@pytest.mark.parametrize(
    ("changes", "status", "code", "fields"),
    [
        ({"name": ""}, 400, "malformed", ["name"]),
        ({"name": "x" * 81}, 400, "malformed", ["name"]),
        ({"name": None}, 400, "malformed", ["name"]),
        ({"name": ["a"]}, 400, "malformed", ["name"]),
        ({"name": "taken"}, 409, "clock_name_taken", ["name"]),
        ({"now": ""}, 400, "malformed", ["now"]),
        ({"now": 7}, 400, "malformed", ["now"]),
        ({"now": "1999-12-31T00:00:00Z"}, 422, "clock_invalid", ["now"]),
        ({"now": "2200-01-01T00:00:00Z"}, 422, "clock_invalid", ["now"]),
        ({"price": "1"}, 400, "malformed", ["price"]),
    ],
)
def test_a_clock_that_is_none(
    admin: Any, changes: Any, status: int, code: str, fields: list[str]
) -> None:
    a_clock(name="taken")
    before = written()
    said = {"name": "new", "now": "2026-01-01T12:00:00Z"} | changes
    assert_problem(admin.post(CLOCKS, said), status, code, *fields)
    assert written() == before


@pytest.mark.parametrize("name", [b"a\\u0000b", b"\\ud800"])
def test_text_that_cannot_be_stored(admin: Any, name: bytes) -> None:
    body = b'{"name": "' + name + b'", "now": "2026-01-01T12:00:00Z"}'
    answer = admin.generic("POST", CLOCKS, body, content_type="application/json")
    assert_problem(answer, 400, "malformed", "name")
    assert not TestClock.objects.exists()


def test_no_real_account_by_accident(admin: Any) -> None:
    clock, real, blank = a_clock(), an_account(), an_account()
    a_sent_quote(account=real)
    before = written()
    accounts = f"{CLOCKS}/{clock.pk}/accounts"
    told = assert_problem(
        admin.post(accounts, {"account": real.pk, "confirm": real.reference}),
        409,
        "account_is_real",
        "account",
    )
    assert told["reasons"] == ["1 quote was sent"]
    for confirm in ("yes", real.reference):
        answer = admin.post(accounts, {"account": blank.reference, "confirm": confirm})
        assert_problem(answer, 422, "confirmation_wrong", "confirm")
    assert_problem(admin.post(accounts, {"account": blank.pk}), 400, "malformed", "confirm")
    unknown = {"account": "nobody", "confirm": "nobody"}
    assert_problem(admin.post(accounts, unknown), 404, "not_found", "account")
    for junk in (0, -1, 2**63, 1.5, True, None, [], {}, ""):
        answer = admin.post(accounts, {"account": junk, "confirm": "x"})
        assert_problem(answer, 400, "malformed", "account")
    assert written() == before


def test_off_the_clock_again(admin: Any) -> None:
    account = a_clocked_account()
    off = f"{CLOCKS}/{account.test_clock_id}/take-off"
    answer = admin.post(off, {"account": account.reference})
    assert (answer.status_code, answer.json()["accounts"]) == (200, [])
    assert_problem(admin.post(off, {"account": account.pk}), 409, "not_under_this_clock", "account")


def test_stopped_and_asked_to_go_on(admin: Any) -> None:
    clock = a_clock()
    url = f"{CLOCKS}/{clock.pk}"
    for verb in ("stop", "go-on"):
        assert_problem(admin.post(f"{url}/{verb}"), 409, "clock_step_not_open")
    admin.post(f"{url}/advance", {"days": 5})
    assert_problem(admin.post(f"{url}/advance", {"days": 5}), 409, "clock_moving")
    assert admin.post(f"{url}/go-on").status_code == 202
    assert admin.post(f"{url}/stop").json()["step"]["state"] == "stopped"


VERBS = ("", "/advance", "/go-on", "/stop", "/accounts", "/take-off")


@pytest.mark.parametrize("group", ["sales", "order team", "order lead", "product", "finance"])
def test_only_administrators_have_clocks(as_: As, group: str) -> None:
    clock, person = a_clock(), as_(group)
    before = written()
    for method, path in [("get", ""), ("post", ""), ("get", f"/{clock.pk}")] + [
        ("post", f"/{clock.pk}{verb}") for verb in VERBS[1:]
    ]:
        answer = getattr(person, method)(f"{CLOCKS}{path}")
        assert_problem(answer, 403, "permission_denied")
    assert written() == before


@pytest.mark.parametrize("pk", ["999999", str(2**63 - 1), "9" * 19, "x", "-1"])
@pytest.mark.parametrize("verb", VERBS)
def test_what_is_not_there(admin: Any, pk: str, verb: str) -> None:
    said = {"days": 1} if verb == "/advance" else {"account": an_account().pk, "confirm": "x"}
    ask = admin.post if verb else admin.get
    answer = ask(f"{CLOCKS}/{pk}{verb}", said if verb in ("/advance", "/accounts") else {})
    if verb == "/take-off" and answer.status_code == 400:
        return  # the body is read first
    assert_problem(answer, 404, "not_found")


def test_a_list_costs_the_same_with_many_rows(admin: Any) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert admin.get(CLOCKS).status_code == 200
        return len(queries)

    step(clock_id=a_clocked_account().test_clock_id, days=1)
    cost()  # knows now what the person may do
    one = cost()
    for _each in range(6):
        step(clock_id=a_clocked_account().test_clock_id, days=1)
    assert cost() == one


def test_filters_and_sorts_are_checked(admin: Any) -> None:
    assert_problem(admin.get(CLOCKS, {"nam": "x"}), 400, "malformed", "nam")
    assert admin.get(CLOCKS, {"name": "a\0"}).status_code == 400
