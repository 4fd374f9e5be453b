"""The catalog by REST, and which price an account gets."""

import pytest

from tests.api.conftest import As
from tests.api.problem import assert_problem
from tests.factories import a_contract, a_product, an_account, monthly, setup_fee

pytestmark = pytest.mark.django_db

CATALOG = "/api/v1/catalog"


def test_products_and_their_versions(as_: As) -> None:
    a_product(code="fibre", family="access")
    client = as_("order team")
    (head,) = client.get(f"{CATALOG}/products").json()["results"]
    assert (head["code"], head["url"]) == ("fibre", f"{CATALOG}/products/fibre")
    told = client.get(head["url"]).json()
    assert [(v["number"], v["state"]) for v in told["versions"]] == [(1, "published")]
    assert client.get(f"{CATALOG}/products?family=access").json()["results"] == [head]
    assert client.get(f"{CATALOG}/products?family=other").json()["results"] == []


def test_price_books_and_their_prices(as_: As) -> None:
    a_product(code="fibre", charges=[monthly("49.90"), setup_fee("99.00")])
    client = as_("finance")
    (head,) = client.get(f"{CATALOG}/price-books").json()["results"]
    (version,) = client.get(head["url"]).json()["versions"]
    prices = [(p["product"], p["key"], p["unit_price"]) for p in version["prices"]]
    assert prices == [("fibre", "monthly", "49.9"), ("fibre", "setup", "99")]


def test_the_price_is_explained(as_: As) -> None:
    a_product(code="fibre", quantity_places=1)
    account = an_account(reference="A-7")
    a_contract(account, discounts=[("percent", "10")])
    url = f"{CATALOG}/products/fibre/price?account=A-7&quantity=2.5"
    told = as_("sales").get(url).json()
    assert (told["currency"], told["quantity"]) == ("EUR", "2.5")
    assert told["charges"][0]["list_price"] == "124.75"
    assert told["charges"][0]["discounts"] == [{"kind": "percent", "value": "10"}]
    assert [(why["won"], why["source"].split()[0]) for why in told["why"]] == [
        (False, "contract"),
        (True, "book"),
    ]


@pytest.mark.parametrize(
    ("query", "status", "code", "field"),
    [
        ("", 400, "malformed", "account"),
        ("account=A-none", 404, "not_found", "account"),
        ("account=A-7&quantity=0", 422, "quantity_invalid", "quantity"),
        ("account=A-7&quantity=NaN", 400, "malformed", "quantity"),
        ("account=A-7&on=31.1.2026", 400, "malformed", "on"),
        ("account=A-7&surprise=1", 400, "malformed", "surprise"),
        ("account=A-7&on=1999-01-01", 422, "no_price", "product"),
    ],
)
def test_a_price_that_cannot_be_told(
    as_: As, query: str, status: int, code: str, field: str
) -> None:
    a_product(code="fibre")
    an_account(reference="A-7")
    answer = as_("sales").get(f"{CATALOG}/products/fibre/price?{query}")
    assert_problem(answer, status, code, field)
