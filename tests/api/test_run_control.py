"""REST of a run's control."""

import pytest

from billing.models import BillRun
from o2b import events
from tests.api.conftest import As
from tests.api.problem import assert_problem
from tests.billing.control.worlds import an_account_with, more_for
from tests.billing.worlds import FEBRUARY, drafted, finalised, parked
from tests.factories import an_entity

pytestmark = pytest.mark.django_db
RUNS = "/api/v1/bill-runs"


def test_variance_set_aside_and_retry(as_: As) -> None:
    grew = an_account_with("100.00", reference="A-7")
    finalised()
    more_for(grew, "100.00")
    run = drafted(FEBRUARY)
    finance = as_("finance")
    (row,) = finance.get(f"{RUNS}/{run.pk}/variance").json()["results"]
    assert (row["rule"], row["before"], row["now"], row["change"]) == (
        "more",
        "100.00",
        "200.00",
        "100.00",
    )
    url = f"{RUNS}/{run.pk}"
    shown = finance.post(f"{url}/set-aside", {"accounts": ["A-7"], "reason": "Odd."}).json()
    assert (shown["progress"]["set_aside"], shown["progress"]["to_finalise"]) == (1, 0)
    again = finance.post(f"{url}/set-aside", {"rule": "more", "reason": "Odd."})
    assert_problem(again, 409, "nothing_to_set_aside")
    unknown = finance.post(f"{url}/set-aside", {"rule": "x", "reason": "?"})
    assert_problem(unknown, 400, "malformed", "rule")
    assert finance.post(f"{url}/retry", {"accounts": ["A-7"]}).status_code == 200
    events.drain()
    assert parked(run) == {}
    assert as_("sales").post(f"{url}/retry", {}).status_code == 403


def test_rehearsals_and_cycles_are_opened(as_: As) -> None:
    an_account_with("10.00", bill_day=15)
    an_account_with("10.00", bill_day=1)
    finance = as_("finance")
    body = {"legal_entity": an_entity().code, "on": "2026-01-31"}
    rehearsal = finance.post(RUNS, body | {"kind": "rehearsal"}).json()
    cycle = finance.post(RUNS, body | {"bill_day": 15}).json()
    events.drain()
    assert finance.get(rehearsal["url"]).json()["state"] == "rehearsed"
    shown = finance.get(cycle["url"]).json()
    assert (shown["scope"], shown["progress"]["drafted"]) == ("bill day 15", 1)
    assert (shown["bill_day"], shown["bill_group"]) == (15, "")
    assert len(finance.get(f"{RUNS}?kind=rehearsal").json()["results"]) == 1
    refused = finance.post(f"{rehearsal['url']}/approve")
    assert refused.status_code == 409


def test_an_advocate_looks(as_: As) -> None:
    account = an_account_with("10.00", reference="A-9")
    run = drafted()
    assert run.state == BillRun.State.TO_APPROVE
    sales = as_("sales")
    account.advocate = sales.person
    account.save()
    url = f"{RUNS}/{run.pk}"
    said = {"account": "A-9", "verdict": "fine"}
    (bill,) = sales.get(f"{url}/looks").json()
    assert (bill["why"], bill["net"], bill["looked_at"]) == ("first", "10.00", None)
    assert sales.post(f"{url}/look", said).json()[0]["looked_at"]
    assert_problem(as_("sales").post(f"{url}/look", said), 409, "not_your_account")
    wordless = sales.post(f"{url}/look", {**said, "verdict": "veto"})
    assert_problem(wordless, 422, "reason_missing", "reason")
    assert sales.post(f"{url}/look", {**said, "verdict": "veto", "reason": "No."}).json() == []
    assert parked(run) == {account.pk: "veto"}
