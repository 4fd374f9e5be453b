"""The rail and the home: which places somebody sees, which is current, under which heading."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path

from o2b.asks import Card
from o2b.people import selectors, services
from o2b.people.models import User
from o2b.web.places import places_for

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


def page(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("a page")


def stage(name: str, **places: str):
    return include(([path(address, page, name=place) for place, address in places.items()], name))


urlpatterns = [
    path("quotes/", stage("quotes", list="", detail="<int:pk>/")),
    path("orders/", stage("orders", list="", queue="queue/")),
    path("billing/", stage("billing", **{"run-list": "runs/"})),
    path("", include("o2b.people.urls")),
]


def seen(user: User, address: str) -> dict[str, list[str]]:
    return {
        str(hood.title): [f"{place.title}{'*' * place.current}" for place in hood.places]
        for hood in places_for(user, address)
    }


@pytest.fixture
def people() -> dict[str, User]:
    return {person.username: person for person in services.ensure_demo_people()}


@pytest.mark.parametrize(
    ("who", "address", "rail"),
    [
        ("mara", "/", {"": ["Home*"], "Sales": ["Quotes"], "Delivery": ["Orders"]}),
        ("mara", "/quotes/7/", {"": ["Home"], "Sales": ["Quotes*"], "Delivery": ["Orders"]}),
        (
            "ada",
            "/orders/queue/",
            {"": ["Home"], "Sales": ["Quotes"], "Delivery": ["Orders", "My queue*"]},
        ),
        (
            "priya",
            "/search/",
            {"": ["Home"], "Sales": ["Quotes"], "Delivery": ["Orders"], "Finance": ["Bill runs"]},
        ),
    ],
)
def test_the_rail(people: dict[str, User], who: str, address: str, rail: dict) -> None:
    assert seen(people[who], address) == rail


@pytest.mark.urls("o2b.urls")
def test_the_places_of_delivery_and_products(people: dict[str, User]) -> None:
    found = {
        title: [place.removesuffix("*") for place in places]
        for title, places in seen(people["samir"], "/orders/systems/").items()
    }
    assert found["Delivery"] == [
        *("Orders", "Bulk orders", "My queue", "Board", "Work", "Approvals", "Fallout"),
        *("Outside systems", "Visits", "Purchases", "Licence pools"),
    ]
    assert found["Products"] == [
        *("Catalog", "Delivery plans", "Price books", "Meters", "Rate decks", "Price simulator"),
    ]
    assert "Bulk orders" not in seen(people["priya"], "/")["Delivery"]
    for address, current in (
        ("/orders/systems/", "Outside systems*"),
        ("/orders/bulk/7/", "Bulk orders*"),
        ("/catalog/plans/", "Delivery plans*"),
    ):
        rail = seen(people["samir"], address)
        assert [p for places in rail.values() for p in places if p.endswith("*")] == [current]


def test_a_stranger_has_no_rail(client: Client) -> None:
    assert client.get("/login/").context["rail"] == []


def test_home_shows_cards_under_headings_own_work_first() -> None:
    quotes, runs, words = (
        Card("Quotes", "1", "/quotes/?state=sent"),
        Card("Runs", "2", "/billing/runs/"),
        Card("Words", "3", "/elsewhere/"),
    )
    sections = selectors.home_sections(cards=[words, quotes, runs], groups=["finance"])
    assert [(str(section.title), section.cards) for section in sections] == [
        ("Finance", [runs]),
        ("", [words]),
        ("Sales", [quotes]),
    ]
    assert selectors.home_sections(cards=[], groups=["finance"]) == []
