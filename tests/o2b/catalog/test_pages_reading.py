"""The pages of the catalog: products with plans and prices, books, contracts."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from o2b.catalog import asks, selectors
from o2b.catalog.models import ProductVersion
from o2b.catalog.services import draft_price_book_version, submit_price_book_version
from tests.factories import (
    INSTALL,
    LONG_AGO,
    a_contract,
    a_product,
    a_user,
    an_account,
    monthly,
    setup_fee,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(client: Client) -> Client:
    client.force_login(a_user("sales"))
    return client


def test_the_list_of_products(reader: Client) -> None:
    a_product(code="fibre", name="Fibre")
    draft = a_product(code="dream", name="Dream", charges=[])
    ProductVersion.objects.filter(pk=draft.pk).update(state="retired")
    page = reader.get("/catalog/products/")
    states = [
        (row.source.code, str(page.context["heads"][2].column.raw(row.source)))
        for row in page.context["rows"]
    ]
    assert states == [("dream", "retired"), ("fibre", "published")]
    assert b"Fibre" in b"".join(reader.get("/catalog/products/?format=csv").streaming_content)
    part = reader.get("/catalog/products/?q=fib", headers={"HX-Request": "true"}).content.decode()
    assert part.startswith('<div id="list"')


def test_a_product_shows_its_plan_prices_and_questions(reader: Client) -> None:
    a_product(
        code="fibre",
        name="<i>Fibre</i>",
        tasks=INSTALL,
        charges=[monthly("390.00"), setup_fee("850.00")],
        characteristics=[{"name": "speed", "type": "choice", "choices": ["1", "2"]}],
    )
    page = reader.get("/catalog/products/fibre/").content.decode()
    for words in ("€390.00", "€850.00", "1. Install on site", "after 1", "evidence", "speed"):
        assert words in page
    assert "&lt;i&gt;Fibre" in page
    assert "<i>Fibre" not in page


def test_a_plans_steps_are_numbered_in_the_order_of_work() -> None:
    steps = selectors.steps_of(list(reversed(INSTALL)))
    assert [(s.number, s.name, s.after, s.where) for s in steps] == [
        (1, "Install on site", [], "field"),
        (2, "Activate", [1], "activation"),
    ]
    assert selectors.steps_of([]) == []


def test_books_and_their_prices(reader: Client) -> None:
    a_product(name="Fibre", charges=[monthly("0.00000001")])
    assert "Default" in reader.get("/catalog/books/").content.decode()
    page = reader.get("/catalog/books/default-eur/").content.decode()
    assert "€0.00000001" in page
    assert "a month, per unit" in page


@pytest.mark.parametrize("count", [1, 6])
def test_a_book_reads_as_often_for_many_prices(
    reader: Client, count: int, django_assert_num_queries: Any
) -> None:
    for _ in range(count):
        a_product()
    with django_assert_num_queries(9):
        reader.get("/catalog/books/default-eur/")


def test_a_contract_and_the_panel_of_its_account(reader: Client) -> None:
    account = an_account()
    contract = a_contract(account, discounts=[("percent", "7.5"), ("amount", "5.00")])
    page = reader.get(f"/catalog/contracts/{contract.pk}/").content.decode()
    assert "7.5 %" in page
    assert "€5.00" in page or "€5" in page
    url = f"/catalog/contracts/of-account/{account.pk}/"
    part = reader.get(url, headers={"HX-Request": "true"}).content.decode()
    assert part.startswith("<section")
    assert f'href="/catalog/contracts/{contract.pk}/"' in part
    assert "<!doctype html>" in reader.get(url).content.decode()


URLS = ["", "products/none/", "books/", "books/none/", "contracts/9/", "contracts/of-account/9/"]


@pytest.mark.parametrize("url", URLS)
def test_the_doors_of_the_catalog(client: Client, url: str) -> None:
    assert client.get(f"/catalog/{url}").status_code == 302
    client.force_login(a_user())
    assert client.get(f"/catalog/{url}").status_code == 403
    client.force_login(a_user("sales"))
    there = 200 if url in {"", "books/"} else 404
    assert client.get(f"/catalog/{url}").status_code == there


def test_search_and_panels() -> None:
    a_product(code="fibre", name="Fibre")
    reader = a_user("sales")
    assert [found.url for found in asks.search(reader, "fib")] == ["/catalog/products/fibre/"]
    assert asks.search(a_user(), "fib") == []
    assert asks.search(reader, "\0zz") == []
    assert [p.url for p in asks.account_panels(reader, 7)] == ["/catalog/contracts/of-account/7/"]


def test_a_rate_in_words() -> None:
    version = a_product(charges=[monthly("120", interval_count=12, model="flat"), setup_fee()])
    (shelf,) = selectors.shelves_of(version.product)
    assert [(r.name, r.amount, r.rhythm) for r in shelf.rates] == [
        ("Monthly", Decimal("1.2E+2"), "every 12 months, flat"),
        ("Setup", Decimal("99"), "once, per unit"),
    ]


def test_home_tells_of_drafts() -> None:
    nora, felix = a_user("product"), a_user("product")
    assert asks.home_cards(nora) == []
    assert asks.home_cards(a_user("sales")) == []
    a_product()
    draft = draft_price_book_version(book="default-eur", by=nora.pk, at=LONG_AGO)
    submit_price_book_version(version_id=draft.pk, by=nora.pk, at=LONG_AGO)
    (mine,), (for_him,) = asks.home_cards(nora), asks.home_cards(felix)
    assert (mine.title, mine.value, mine.url) == ("Drafts that I prepare", "1", "/catalog/books/")
    assert (for_him.title, for_him.tone) == ("Drafts for me to publish", "warn")
