"""The pages of price books: versions, what changed, the grid, its forms, impact and publication."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from o2b.catalog.forms import grid
from o2b.catalog.models import Price, PriceBook, PriceBookVersion
from o2b.people.models import User
from tests.factories import a_product, a_quote, a_user, an_account, monthly, setup_fee

pytestmark = pytest.mark.django_db

BOOK = "/catalog/books/default-eur/"
SPEED = {"name": "speed", "type": "choice", "choices": ["100", "400"]}
TIERS = [{"up_to": "10", "unit_price": "12"}, {"unit_price": "9.5", "flat_fee": "20"}]


@pytest.fixture
def nora() -> User:
    return a_user("product", first_name="Nora")


@pytest.fixture
def manager(client: Client, nora: User) -> Client:
    client.force_login(nora)
    return client


@pytest.fixture
def colleague() -> Client:
    other = Client()
    other.force_login(a_user("product", first_name="Felix"))
    return other


@pytest.fixture
def draft(manager: Client) -> PriceBookVersion:
    """Version 3: fibre by the month and once, seats in tiers."""
    a_product(code="fibre", charges=[monthly("390"), setup_fee("850")], characteristics=[SPEED])
    a_product(code="seat", charges=[monthly("0", model="graduated", tiers=TIERS)])
    assert manager.post(f"{BOOK}draft/")["Location"] == f"{BOOK}3/edit/"
    return PriceBookVersion.objects.get(number=3)


@pytest.fixture
def send(manager: Client) -> Callable[..., Any]:
    def send(*rows: Any, url: str = f"{BOOK}3/edit/") -> Any:
        return manager.post(url, json.dumps({"rows": rows}), content_type="application/json")

    return send


def price_of(product: str, key: str = "monthly") -> Price:
    return Price.objects.get(version__number=3, product__code=product, key=key)


def cells(product: str, key: str = "monthly", /, **changes: str) -> dict[str, Any]:
    price = price_of(product, key)
    return {"id": price.pk, "cells": grid.cells_of(price) | changes}


def stored() -> list[tuple[Any, ...]]:
    rows = Price.objects.filter(version__number=3).order_by("pk")
    return list(rows.values_list("product__code", "key", "unit_price", "tiers", "match"))


def test_a_book_shows_the_prices_of_one_version(manager: Client, draft: PriceBookVersion) -> None:
    page = manager.get(BOOK).content.decode()
    assert "Prices of version 2" in page
    assert "up to 10: €12.00" in page
    assert "above: €9.50 + €20.00" in page
    assert "Edit draft" in page
    assert "Prices of version 3" in manager.get(f"{BOOK}?version=3").content.decode()
    assert "Prices of version 2" in manager.get(f"{BOOK}?version=99").content.decode()
    found = manager.get(f"{BOOK}?q=seat").context["rows"]
    assert [row.source.product.code for row in found] == ["seat"]
    told = b"".join(manager.get(f"{BOOK}?format=csv").streaming_content).decode()
    assert "Fibre,fibre,Monthly" in told


@pytest.mark.parametrize("count", [2, 20])
def test_pages_of_a_book_read_as_often_for_many(
    manager: Client, draft: PriceBookVersion, count: int, django_assert_max_num_queries: Any
) -> None:
    version = price_of("fibre").product
    Price.objects.bulk_create(
        Price(version=draft, product=version, **monthly(str(n), key=f"k{n}")) for n in range(count)
    )
    with django_assert_max_num_queries(11):
        manager.get(f"{BOOK}?version=3")
    with django_assert_max_num_queries(11):
        manager.get(f"{BOOK}3/edit/")
    with django_assert_max_num_queries(11):
        manager.get(f"{BOOK}compare/?from=2&to=3")
    with django_assert_max_num_queries(36):
        manager.get(f"{BOOK}3/publication/")


def test_what_changed_between_versions(
    manager: Client, draft: PriceBookVersion, send: Callable[..., Any]
) -> None:
    seat = cells("seat", tiers="10:12; *:9:20")
    new = {"cells": {**grid.NEW_ROW, "product": "seat", "key": "care", "unit_price": "2"}}
    gone = {"id": price_of("fibre", "setup").pk, "delete": True}
    assert send(cells("fibre", unit_price="409.50"), seat, new, gone).json() == {"saved": 4}
    page = manager.get(f"{BOOK}compare/?from=2&to=3")
    told = [
        (c.code, c.charge, c.kind, c.before, c.after, c.percent)
        for c in (row.source for row in page.context["rows"])
    ]
    assert told == [
        ("fibre", "Monthly", "dearer", Decimal("3.9E+2"), Decimal("409.5"), Decimal("5.00")),
        ("fibre", "Setup", "gone", Decimal("8.5E+2"), None, None),
        ("seat", "Care", "new", None, Decimal(2), None),
        ("seat", "Monthly", "other", None, None, None),
    ]
    assert "above: €9.00 + €20.00" in page.content.decode()
    counts = {"dearer": 1, "cheaper": 0, "new": 1, "gone": 1, "other": 1}
    assert manager.get(f"{BOOK}3/publication/").context["counts"] == counts
    for asked, first in (
        ("?sort=-percent", "fibre"),
        ("?sort=after", "seat"),
        ("?state=new", "seat"),
        ("?q=care", "seat"),
    ):
        rows = manager.get(f"{BOOK}compare/{asked}").context["rows"]
        assert rows[-1 if "after" in asked else 0].source.code in {first, "fibre"}
    told_csv = b"".join(manager.get(f"{BOOK}compare/?format=csv").streaming_content).decode()
    assert "409.50,EUR" in told_csv
    assert "No price differs" in manager.get(f"{BOOK}compare/?from=3&to=3").content.decode()


def test_cells_go_to_the_browser_and_come_back_the_same(
    draft: PriceBookVersion, send: Callable[..., Any]
) -> None:
    before = stored()
    assert send(cells("fibre"), cells("seat"), cells("fibre", "setup")).status_code == 200
    assert sorted(stored()) == sorted(before)
    assert grid.cells_of(price_of("seat"))["tiers"] == "10:12; *:9.5:20"


def test_a_row_takes_every_column(draft: PriceBookVersion, send: Callable[..., Any]) -> None:
    row = {
        **grid.NEW_ROW,
        "product": "fibre",
        "key": "traffic",
        "kind": "usage",
        "timing": "arrears",
        "unit_price": "0.05",
        "interval": "quarter",
        "included": "500",
        "minimum": "5",
        "maximum": "100",
        "discount_limit": "12.5",
        "tax_code": "standard",
        "match.speed": "400",
        "meter": "traffic-out",
        "where": "zone=eu|us",
    }
    assert send({"cells": row}).json() == {"saved": 1}
    price = price_of("fibre", "traffic")
    assert price.details == {
        "allowance": {"units": "500"},
        "minimum": "5",
        "maximum": "100",
        "meter": "traffic-out",
        "where": {"zone": ["eu", "us"]},
    }
    assert (price.interval_unit, price.interval_count) == ("month", 3)
    assert (price.match, price.discount_limit) == ({"speed": "400"}, Decimal("12.5"))
    assert {k: v for k, v in grid.cells_of(price).items() if v} == {
        k: v for k, v in row.items() if v
    } | {"proration": "day", "from_version": "1"}


def test_a_row_says_what_it_grants(draft: PriceBookVersion, send: Callable[..., Any]) -> None:
    said = "500 data; rollover 100 for 2 periods; priority 10"
    row = {**grid.NEW_ROW, "product": "fibre", "key": "plan", "unit_price": "20", "grants": said}
    assert send({"cells": row}).json() == {"saved": 1}
    price = price_of("fibre", "plan")
    assert price.details == {
        "grant": {
            "units": "500",
            "meter": "data",
            "rollover": "100",
            "rollover_periods": 2,
            "priority": 10,
        }
    }
    assert grid.cells_of(price)["grants"] == said


@pytest.mark.parametrize(
    ("changes", "column", "words", "tier"),
    [
        ({"unit_price": "1,5"}, "unit_price", "with a point", None),
        ({"unit_price": "cheap"}, "unit_price", "no number", None),
        ({"unit_price": "1e99"}, "unit_price", "too large", None),
        ({"kind": "often"}, "kind", "", None),
        ({"interval": "fortnight"}, "interval", "no interval", None),
        ({"interval": ""}, "interval", "needs an interval", None),
        ({"product": "none"}, "product", "no product", None),
        ({"product": ""}, "product", "missing", None),
        ({"key": "two words"}, "key", "", None),
        ({"model": "volume", "tiers": "10:1; 5:2; *:1"}, "tiers", "ascend", 1),
        ({"model": "volume", "tiers": "10:1; 20:2"}, "tiers", "no end", 1),
        ({"model": "volume", "tiers": "10:x; *:1"}, "tiers", "no number", 0),
        ({"model": "volume"}, "tiers", "needs tiers", None),
        ({"model": "package", "package_size": "-5"}, "package_size", "more than zero", None),
        ({"minimum": "9", "maximum": "5"}, "maximum", "Below the minimum", None),
        ({"included": "many"}, "included", "no number", None),
        ({"discount_limit": "101"}, "discount_limit", "100", None),
        ({"details": "[1]"}, "details", "", None),
        ({"meter": "voice"}, "meter", "Only usage is measured", None),
        ({"where": "zone"}, "where", "says no dimension", None),
        ({"kind": "usage", "timing": "arrears", "where": "Zone=a"}, "where", "no name", None),
        ({"grants": "500"}, "grants", "write units and a meter", None),
        ({"grants": "500 data; lasts month"}, "grants", "last for its period", None),
        ({"grants": "-1 data"}, "grants", "", None),
        ({"match.colour": "red"}, "match.colour", "no characteristic", None),
        ({"from_version": "3", "to_version": "2"}, "to_version", "before the first", None),
    ],
)
def test_a_fault_names_its_cell_and_nothing_is_written(
    draft: PriceBookVersion,
    send: Callable[..., Any],
    changes: dict[str, str],
    column: str,
    words: str,
    tier: int | None,
) -> None:
    before = stored()
    answer = send(cells("seat", unit_price="7"), cells("fibre", **changes))
    assert answer.status_code == 422
    (fault, *_others) = answer.json()["faults"]
    assert (fault["row"], fault["column"], fault["tier"]) == (1, column, tier)
    assert words in fault["message"]
    assert stored() == before


@pytest.mark.parametrize(
    "body",
    ["", "[]", "{}", '{"rows": 1}', '{"rows": [1]}', '{"rows": [{"id": "x"}]}',
     '{"rows": [{"cells": {"key": 1}}]}', "[" * 100_000,
     r'{"rows": [{"cells": {"product": "\ud800"}}]}',
     r'{"rows": [{"cells": {"match.x": "\ud800"}}]}',
     '{"rows": [{"id": 99999999999999999999, "delete": true}]}',
     '{"rows": [{"id": true, "delete": true}]}', " " * 3_000_000],
)  # fmt: skip
def test_what_no_grid_sends_is_refused(manager: Client, draft: PriceBookVersion, body: str) -> None:
    before = stored()
    answer = manager.post(f"{BOOK}3/edit/", body, content_type="application/json")
    assert answer.status_code == 422
    assert "message" in answer.json()
    assert stored() == before


def test_rows_of_other_books_are_not_touched(
    draft: PriceBookVersion, send: Callable[..., Any]
) -> None:
    other = Price.objects.filter(version__number=2).first()
    assert other is not None
    answer = send({"id": other.pk, "delete": True})
    assert answer.status_code == 422
    assert Price.objects.filter(pk=other.pk).exists()


def test_a_published_version_is_edited_no_more(
    manager: Client, draft: PriceBookVersion, send: Callable[..., Any]
) -> None:
    assert send({"cells": {}}, url=f"{BOOK}2/edit/").status_code == 409
    assert manager.get(f"{BOOK}2/edit/")["Location"] == BOOK
    assert manager.get(f"{BOOK}2/prices/new/")["Location"] == BOOK


def test_many_prices_come_in_pages_and_by_search(manager: Client, draft: PriceBookVersion) -> None:
    product = price_of("fibre").product
    Price.objects.bulk_create(
        Price(version=draft, product=product, **monthly(str(n), key=f"k{n:03}")) for n in range(150)
    )
    first = manager.get(f"{BOOK}3/edit/")
    assert len(first.context["rows"]) == 100
    assert "page=2" in first.content.decode()
    assert len(manager.get(f"{BOOK}3/edit/?page=2").context["rows"]) == 53
    found = manager.get(f"{BOOK}3/edit/?q=k14").context["rows"]
    assert [row["price"].key for row in found] == [f"k14{n}" for n in range(10)]
    asked = manager.get(f"{BOOK}3/edit/?with=speed&with=not+a+name")
    assert "match.speed" in [column.name for column in asked.context["columns"]]


def test_one_price_by_a_plain_form(manager: Client, draft: PriceBookVersion) -> None:
    seat = price_of("seat")
    url = f"{BOOK}3/prices/{seat.pk}/"
    page = manager.get(url).content.decode()
    assert "10:12\n*:9.5:20" in page
    said = grid.cells_of(seat) | {"tiers": "10:12\n5:1", "do": "save"}
    wrong = manager.post(url, said)
    assert wrong.status_code == 422
    assert "Tiers ascend" in str(wrong.context["form"].errors["tiers"])
    assert price_of("seat").tiers == TIERS
    assert manager.post(url, said | {"tiers": "10:12\n*:8"})["Location"] == f"{BOOK}3/edit/"
    assert price_of("seat").tiers == [
        {"up_to": "10", "unit_price": "12"},
        {"unit_price": "8"},
    ]
    again = f"{BOOK}3/prices/{price_of('seat').pk}/"
    assert manager.post(again, {"do": "remove"}).status_code == 302
    assert not Price.objects.filter(version=draft, product__code="seat").exists()
    new = grid.NEW_ROW | {"product": "seat", "key": "care", "unit_price": "2"}
    wrong = manager.post(f"{BOOK}3/prices/new/", new | {"grants": "lots of data"})
    assert "write units and a meter" in str(wrong.context["form"].errors["grants"])
    new |= {"grants": "50 money; once"}
    assert manager.post(f"{BOOK}3/prices/new/", new).status_code == 302
    care = price_of("seat", "care")
    assert care.unit_price == 2
    assert care.details == {"grant": {"units": "50", "per_unit": False}}
    page = manager.get(f"{BOOK}3/prices/{care.pk}/").content.decode()
    assert 'value="50 money; once"' in page
    assert manager.get(f"{BOOK}3/prices/999999/").status_code == 404


def test_impact_policy_and_publication(
    manager: Client,
    colleague: Client,
    draft: PriceBookVersion,
    send: Callable[..., Any],
    nora: User,
) -> None:
    seat = price_of("seat").product.versions.get()
    a_quote(account=an_account(), products=[seat], quantity="37")
    send(cells("seat", tiers="10:12; *:9.75:20"))
    url = f"{BOOK}3/publication/"
    page = manager.get(url)
    kinds = {kind.name: (kind.affected, kind.untouched) for kind in page.context["impact"]}
    assert kinds["quote"] == (1, 0)
    assert "Submit for publication" in page.content.decode()
    assert not page.context["may_publish"]

    policy = {"valid_from": str(draft.valid_from), "policy": "on_date", "notice_days": "30"}
    wrong = manager.post(url, policy)
    assert wrong.status_code == 422
    assert "on which day" in str(wrong.context["form"].errors["policy_on"])
    later = policy | {"policy_on": "2100-01-01", "note": "Dearer power"}
    assert manager.post(url, later).status_code == 302

    assert manager.post(f"{BOOK}3/submit/").status_code == 302
    assert manager.post(f"{BOOK}3/publish/").status_code == 409
    draft.refresh_from_db()
    assert (draft.state, draft.policy, draft.note) == ("draft", "on_date", "Dearer power")
    assert "Dearer power" in colleague.get(url).content.decode()
    assert colleague.post(f"{BOOK}3/publish/")["Location"] == BOOK
    draft.refresh_from_db()
    assert (draft.state, draft.prepared_by) == ("published", nora)
    assert manager.post(f"{BOOK}3/discard/").status_code == 409


def test_what_stands_in_the_way_is_told_beforehand(
    manager: Client, colleague: Client, draft: PriceBookVersion, send: Callable[..., Any]
) -> None:
    send({"id": price_of("seat").pk, "delete": True})
    page = colleague.get(f"{BOOK}3/publication/")
    assert "here it has no price" in page.content.decode()
    assert 'action="/catalog/books/default-eur/3/publish/"' not in page.content.decode()
    assert manager.post(f"{BOOK}3/discard/")["Location"] == BOOK
    assert not PriceBookVersion.objects.filter(number=3).exists()


def test_a_new_book_begins_as_a_draft(manager: Client, draft: PriceBookVersion) -> None:
    said = {"code": "public", "name": "Public sector", "currency": "eur", "segment": "public"}
    for wrong, field in (
        ({"currency": "XXY"}, "currency"),
        ({"code": "default-eur"}, "code"),
        ({"is_default": "on"}, "is_default"),
    ):
        answer = manager.post("/catalog/books/new/", said | {"valid_from": "2026-01-01"} | wrong)
        assert (answer.status_code, list(answer.context["form"].errors)) == (422, [field])
    assert PriceBook.objects.count() == 1
    made = manager.post("/catalog/books/new/", said | {"valid_from": "2026-01-01"})
    assert made["Location"] == "/catalog/books/public/1/edit/"
    assert "No prices yet" in manager.get(made["Location"]).content.decode()


@pytest.mark.parametrize(
    "url",
    ["books/new/", "books/default-eur/draft/", "books/default-eur/3/edit/",
     "books/default-eur/3/prices/new/", "books/default-eur/3/publication/",
     "books/default-eur/3/submit/", "books/default-eur/3/publish/",
     "books/default-eur/3/discard/"],
)  # fmt: skip
def test_who_may_only_read_changes_no_price(client: Client, url: str) -> None:
    assert client.post(f"/catalog/{url}").status_code == 302
    client.force_login(a_user("sales"))
    assert client.post(f"/catalog/{url}").status_code == 403
    client.force_login(a_user("product"))
    if "new" not in url:
        assert client.post(f"/catalog/{url}").status_code == 404


@pytest.mark.parametrize(
    ("model", "sent"),
    [("graduated", "0"), ("volume", "0"), ("stairstep", "0"), ("rated", "0"), ("package", "39")],
)
def test_a_unit_price_that_tiers_or_rates_replace_is_not_kept(model: str, sent: str) -> None:
    row, _ = grid.row_of(0, {**grid.NEW_ROW, "model": model, "unit_price": "39"})
    assert row["unit_price"] == sent
