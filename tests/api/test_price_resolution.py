"""Which price an account gets, by REST: every candidate, why it won or lost, step by step."""

import pytest

from o2b.catalog.models import Price
from o2b.catalog.services import publish_price_book_version
from tests.api.conftest import As
from tests.api.problem import assert_problem
from tests.factories import LONG_AGO, a_book_version, a_contract, a_product, an_account, monthly

pytestmark = pytest.mark.django_db

SPEED = [{"name": "speed", "type": "integer"}]
RESOLUTION = "/api/v1/catalog/products/fibre/price-resolution"


def test_the_api_tells_it_all(as_: As) -> None:
    charges = [monthly("50.00"), monthly("45.00", match={"speed": "150"})]
    a_product(code="fibre", characteristics=SPEED, charges=charges)
    account = an_account(reference="A-7")
    a_contract(account, discounts=[("percent", "10")])
    query = "account=A-7&quantity=3&on=2026-01-31&characteristics[speed]=150"
    told = as_("sales").get(f"{RESOLUTION}?{query}").json()
    head = {name: told[name] for name in ("product", "version", "quantity", "currency", "on")}
    assert head == {
        "product": "fibre",
        "version": 1,
        "quantity": "3",
        "currency": "EUR",
        "on": "2026-01-31",
    }
    assert told["winner"] == "Default v1"
    assert [(c["kind"], c["won"], c["code"]) for c in told["candidates"]] == [
        ("book", True, "won"),
        ("contract", False, "no_price"),
    ]
    (charge,) = told["candidates"][0]["charges"]
    assert (charge["list_price"], charge["price"]) == ("135", "121.5")
    assert [step["result"] for step in charge["steps"]] == ["135", "121.5"]
    price_url = RESOLUTION.removesuffix("-resolution")
    resolved = as_("sales").get(f"{price_url}?{query}").json()
    assert resolved["charges"][0]["list_price"] == "135"


def test_where_nobody_has_a_price_the_api_says_why(as_: As) -> None:
    a_product(code="fibre")
    an_account(reference="A-8", currency="USD")
    told = as_("sales").get(f"{RESOLUTION}?account=A-8").json()
    assert told["winner"] is None
    assert [c["code"] for c in told["candidates"]] == ["wrong_currency"]


@pytest.mark.parametrize(
    ("query", "status", "code", "field"),
    [
        ("", 400, "malformed", "account"),
        ("account=nobody", 404, "not_found", "account"),
        ("account=A-7&quantity=0", 422, "quantity_invalid", "quantity"),
        ("account=A-7&on=soon", 400, "malformed", "on"),
        ("account=A-7&surprise=1", 400, "malformed", "surprise"),
        ("account=A-7&characteristics=1", 400, "malformed", "characteristics"),
        (
            "account=A-7&characteristics[colour]=red",
            422,
            "characteristic_invalid",
            "characteristics",
        ),
        (
            "account=A-7&characteristics[speed]=fast",
            422,
            "characteristic_invalid",
            "characteristics.speed",
        ),
    ],
)
def test_a_resolution_that_cannot_be_told(
    as_: As, query: str, status: int, code: str, field: str
) -> None:
    a_product(code="fibre", characteristics=SPEED)
    an_account(reference="A-7")
    assert_problem(as_("sales").get(f"{RESOLUTION}?{query}"), status, code, field)


def test_who_may_not_see_the_catalog_learns_no_price(as_: As) -> None:
    a_product(code="fibre")
    assert_problem(as_().get(f"{RESOLUTION}?account=A-7"), 403, "permission_denied")


def test_the_api_tells_whose_book_it_is(as_: As) -> None:
    version, account = a_product(code="seat"), an_account(reference="A-7")
    own = a_book_version(code="own", name="Own", is_default=False, account=account)
    Price.objects.create(version=own, product=version.product, **monthly("20.00"))
    publish_price_book_version(version_id=own.pk, at=LONG_AGO)
    client, url = as_("sales"), "/api/v1/catalog/price-books"
    heads = client.get(url).json()["results"]
    assert {head["code"]: head["account"] for head in heads} == {
        "default-eur": None,
        "own": "A-7",
    }
    (head,) = client.get(f"{url}?account=A-7").json()["results"]
    assert client.get(head["url"]).json()["account"] == "A-7"
    assert client.get(f"{url}?account=A-8").json()["results"] == []
    asked = "/api/v1/catalog/products/seat/price-resolution?account=A-7&on=2026-01-31"
    told = client.get(asked).json()
    assert told["winner"] == "Own v1"
    assert [(c["level"], c["code"], c["reason"]) for c in told["candidates"]] == [
        ("account", "won", "the account's own book"),
        ("default", "ranks_lower", "ranks lower"),
    ]
