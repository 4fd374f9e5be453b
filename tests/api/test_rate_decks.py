"""Rate decks by REST, to read: versions, the rates of one, the rate of a number."""

from datetime import date

import pytest

from o2b.catalog.selectors.decks import find_rate
from tests.api.conftest import As
from tests.decks import a_deck

pytestmark = pytest.mark.django_db


def test_decks_by_rest(as_: As) -> None:
    version = a_deck()
    rest = as_("product")
    assert rest.get("/api/v1/rate-decks").data["results"][0]["code"] == "intl"
    assert rest.get("/api/v1/rate-decks/intl").data["versions"][0]["rates"] == 3
    found = rest.get("/api/v1/rate-decks/intl/rate?number=%2B49+171+2&on=2026-01-01")
    assert (found.data["number"], found.data["rate"]["prefix"]) == ("491712", "49171")
    page = rest.get("/api/v1/rate-decks/intl/rates?version=1")
    assert {each["prefix"]: each["rate"] for each in page.data["results"]} == {
        "49": "0.02",
        "49171": "0.18",
        "44": "0.03",
    }
    for address, status in (
        ("rate", 400),
        ("rate?number=x", 400),
        ("rate?number=1", 404),
        ("rates", 400),
        ("rates?version=2", 404),
    ):
        assert rest.get(f"/api/v1/rate-decks/intl/{address}").status_code == status
    assert find_rate(version.deck, "", date(2026, 1, 1)).rate is None
