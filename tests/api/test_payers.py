"""Payers by REST: asked by one, approved by another, ended; problems beside their fields."""

from typing import Any

import pytest

from billing.models import PayerAgreement
from tests.api.conftest import As
from tests.api.problem import assert_problem
from tests.factories import an_account

pytestmark = pytest.mark.django_db

PAYERS = "/api/v1/payer-agreements"


def asking(**given: Any) -> dict[str, Any]:
    """60 % and 10 % of an account."""
    accounts = [an_account() for _ in range(3)]
    return {
        "account": accounts[0].reference,
        "starts_on": "2026-01-01",
        "reason": "E-Rate 2026",
        "shares": [
            {"payer": accounts[1].pk, "percent": "60"},
            {"payer": accounts[2].reference, "percent": 10},
        ],
    } | given


def test_an_agreement_from_the_question_to_its_end(as_: As) -> None:
    clerk, chief = as_("finance"), as_("finance")
    made = clerk.post(PAYERS, asking())
    assert made.status_code == 201, made.json()
    told = made.json()
    assert (told["state"], told["service"], told["ends_on"]) == ("asked", None, None)
    assert [each["percent"] for each in told["shares"]] == ["60", "10"]
    url = told["url"]
    assert_problem(clerk.post(f"{url}/approve"), 409, "own_agreement")
    assert chief.post(f"{url}/approve").json()["state"] == "agreed"
    assert_problem(chief.post(f"{url}/refuse"), 409, "payers_not_open")
    account = told["account"]["reference"]
    (found,) = clerk.get(f"{PAYERS}?account={account}&state=agreed").json()["results"]
    assert found["id"] == told["id"]
    payer = told["shares"][0]["payer"]["reference"]
    assert len(clerk.get(f"{PAYERS}?payer={payer}").json()["results"]) == 1
    body = {"ends_on": "2026-03-01", "reason": "over"}
    assert clerk.post(f"{url}/end", body).json()["ends_on"] == "2026-03-01"
    assert_problem(clerk.post(f"{url}/end", body), 422, "payers_invalid", "ends_on")


def test_who_asked_withdraws_and_another_refuses(as_: As) -> None:
    clerk, chief = as_("finance"), as_("finance")
    first, second = (clerk.post(PAYERS, asking()).json()["url"] for _ in range(2))
    assert_problem(chief.post(f"{first}/withdraw"), 409, "own_agreement")
    assert clerk.post(f"{first}/withdraw").json()["state"] == "withdrawn"
    assert chief.post(f"{second}/refuse").json()["state"] == "refused"


def test_problems_name_their_field(as_: As) -> None:
    clerk = as_("finance")
    wrong = asking()
    wrong["shares"][1]["percent"] = "40.5"
    assert_problem(clerk.post(PAYERS, wrong), 422, "payers_invalid", "shares[1].percent")
    assert_problem(clerk.post(PAYERS, asking(service=1)), 422, "payers_invalid", "service")
    unknown = asking(shares=[{"payer": "nobody", "percent": "1"}])
    assert_problem(clerk.post(PAYERS, unknown), 404, "not_found", "shares[0]")
    assert not PayerAgreement.objects.exists()


def test_doors_want_their_permission(as_: As) -> None:
    assert as_("sales").post(PAYERS, asking()).status_code == 403
    assert as_("finance").get(PAYERS).status_code == 200
