"""REST of coupons and minimums: read, grant, end, and what documents say of them."""

import pytest

from tests.api.conftest import As
from tests.api.problem import assert_problem
from tests.billing.adjustments.build import a_coupon, committed, has
from tests.factories import a_product, monthly
from tests.scenarios.world import World

pytestmark = pytest.mark.django_db
API = "/api/v1"


def test_coupons_are_read_granted_and_ended(as_: As, world: World) -> None:
    a_product(code="line")
    coupon = a_coupon("12.5", products=["line"], periods=3)
    finance = as_("finance")
    (row,) = finance.get(f"{API}/coupons?state=published").json()["results"]
    assert (row["code"], row["value"], row["products"], row["periods"]) == (
        coupon.code,
        "12.5",
        ["line"],
        3,
    )
    asked = {"account": world.account.reference, "coupon": coupon.code, "reason": "welcome"}
    assert as_("sales").post(f"{API}/coupon-grants", asked).status_code == 403
    made = finance.post(f"{API}/coupon-grants", asked)
    assert made.status_code == 201, made.json()
    url = made.json()["url"]
    again = finance.post(f"{API}/coupon-grants", asked)
    assert_problem(again, 409, "coupon_already_granted", "coupon")
    ended = finance.post(f"{url}/end", {"on": "2026-05-01", "reason": "over"})
    assert (ended.status_code, ended.json()["ends_on"]) == (200, "2026-05-01")
    listed = finance.get(f"{API}/coupon-grants?account={world.account.reference}").json()
    assert [each["coupon"] for each in listed["results"]] == [coupon.code]


def test_a_minimum_is_set_and_ended(as_: As, world: World) -> None:
    finance = as_("finance")
    asked = {
        "account": world.account.reference,
        "text": "Minimum spend",
        "minimum": "100.00",
        "months": 1,
        "starts_on": "2026-01-01",
        "reason": "contract 7",
    }
    wrong = finance.post(f"{API}/minimum-spends", asked | {"minimum": "0"})
    assert_problem(wrong, 422, "minimum_invalid", "minimum")
    made = finance.post(f"{API}/minimum-spends", asked)
    assert made.status_code == 201, made.json()
    assert (made.json()["minimum"], made.json()["counted"]) == ("100.00", "calendar")
    body = {"on": "2026-05-01", "reason": "over"}
    ended = finance.post(f"{made.json()['url']}/end", body)
    assert ended.json()["ends_on"] == "2026-05-01"


def test_an_invoice_tells_its_adjustments(as_: As, world: World) -> None:
    world.on("2026-01-01").sell(products=[a_product(charges=[monthly("62.00")])])
    has(world.account, a_coupon("10"))
    committed(world.account)
    world.on("2026-02-01").bill()
    url = f"{API}/invoices/{world.invoices()[0].pk}"
    finance = as_("finance")
    told = finance.get(url).json()
    assert [(a["kind"], a["amount"]) for a in told["adjustments"]] == [
        ("coupon", "-6.20"),
        ("coupon", "-6.20"),
        ("minimum", "44.20"),
    ]
    again = finance.get(f"{url}/adjustments").json()
    assert [(a["equal"], a["amount"], a["steps"][-1]["label"]) for a in again] == [
        (True, "-6.20", "discount"),
        (True, "-6.20", "discount"),
        (True, "44.20", "missing"),
    ]
