"""Meters by REST, to read, and what prices say of them."""

from decimal import Decimal

import pytest

from tests.api.conftest import As
from tests.api.problem import assert_problem
from tests.factories import a_meter, a_product

pytestmark = pytest.mark.django_db

METERS = "/api/v1/meters"
ZONE = {"name": "zone", "required": True, "choices": ["national", "mobile"]}


def test_meters_and_their_versions(as_: As) -> None:
    a_meter("voice", dimensions=[ZONE], decimals=0, most=Decimal(86400))
    a_meter("storage", aggregation="average")
    client = as_("sales")
    heads = client.get(METERS).json()["results"]
    assert sorted(head["code"] for head in heads) == ["storage", "voice"]
    (head,) = client.get(f"{METERS}?aggregation=sum").json()["results"]
    assert head == {
        "url": f"{METERS}/voice",
        "code": "voice",
        "name": "Voice",
        "unit": "second",
        "aggregation": "sum",
    }
    (version,) = client.get(head["url"]).json()["versions"]
    assert (version["number"], version["state"], version["starts_on"]) == (
        1, "published", "2025-01-01",
    )  # fmt: skip
    assert (version["decimals"], version["least"], version["most"]) == (0, "0", "86400")
    assert (version["dimensions"], version["timed"]) == ([ZONE | {"digits": 0}], False)


def test_meters_are_read_only(as_: As) -> None:
    a_meter("voice")
    client = as_("product")
    assert_problem(client.post(METERS, {}), 405, "method_not_allowed")
    assert_problem(client.get(f"{METERS}/none"), 404, "not_found")
    assert_problem(client.get(f"{METERS}?aggregation=median"), 400, "malformed", "aggregation")


def test_prices_say_their_meter(as_: As) -> None:
    a_meter("voice", dimensions=[ZONE])
    usage = {
        "kind": "usage", "unit_price": Decimal("0.01"), "interval_unit": "month",
        "timing": "arrears",
    }  # fmt: skip
    where = {"zone": ["mobile"]}
    named = usage | {"key": "calls", "details": {"meter": "voice", "where": where}}
    fee = {"key": "setup", "kind": "one_time", "unit_price": Decimal(1)}
    a_product(code="phone", charges=[named, usage | {"key": "voice"}, fee])
    url = as_("sales").get("/api/v1/catalog/price-books").json()["results"][0]["url"]
    (version,) = as_("sales").get(url).json()["versions"]
    assert [(p["key"], p["meter"], p["where"]) for p in version["prices"]] == [
        ("calls", "voice", where),
        ("setup", "", {}),
        ("voice", "voice", {}),
    ]
