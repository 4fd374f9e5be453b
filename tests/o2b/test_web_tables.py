"""The list toolkit: search, chips, sort, pages and CSV of one list, over people as rows."""

from decimal import Decimal
from typing import Any

import pytest
from django.db.models import QuerySet
from django.test import Client
from django.urls import include, path

from o2b.people.models import User
from o2b.web.columns import Column
from o2b.web.csv import plain_amount, safe
from o2b.web.tables import Action, ListPage

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class PeopleList(ListPage):
    permission = "people.view_user"
    title = "People"
    columns = (
        Column("username", "User name", sort="username", link=lambda row: f"/people/{row.pk}/"),
        Column("email", "Mail", sort=("email", "last_name"), note="first_name"),
        Column("is_staff", "State", kind="badge", label=lambda row: "staff"),
    )
    search = ("username", "last_name", "pk")
    state_field = "is_staff"
    states = ((True, "staff"), (False, "others"))
    default_sort = "username"
    csv_name = "people"
    actions = (Action("New person", "people:home", permission="people.add_user"),)
    empty = "Nobody yet."

    def get_rows(self) -> QuerySet[User]:
        return User.objects.exclude(username="reader")


urlpatterns = [
    path("people/", PeopleList.as_view(), name="list"),
    path("", include("o2b.people.urls")),
]


@pytest.fixture
def reader() -> Client:
    user = User.objects.create(username="reader", is_superuser=True)
    client = Client()
    client.force_login(user)
    return client


def people(count: int) -> None:
    User.objects.bulk_create(
        User(
            username=f"p{n:03}", last_name=f"Name {n % 2}", email=f"{n % 3}@x", is_staff=n % 2 == 0
        )
        for n in range(count)
    )


def names(response: Any) -> list[str]:
    return [row.source.username for row in response.context["rows"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["p000", "p001", "p002", "p003", "p004"]),
        ("sort=-username", ["p004", "p003", "p002", "p001", "p000"]),
        ("sort=email", ["p000", "p003", "p004", "p001", "p002"]),
        ("sort=-email", ["p002", "p001", "p004", "p003", "p000"]),
        ("sort=password", ["p000", "p001", "p002", "p003", "p004"]),
        ("sort=is_staff", ["p000", "p001", "p002", "p003", "p004"]),
        ("sort=--username", ["p000", "p001", "p002", "p003", "p004"]),
        ("state=True", ["p000", "p002", "p004"]),
        ("state=no-such", ["p000", "p001", "p002", "p003", "p004"]),
        ("q=P00+name", ["p000", "p001", "p002", "p003", "p004"]),
        ("q=name+1", ["p001", "p003"]),
        ("q=004&state=False", []),
        ("q=%00004", ["p004"]),
        ("q=%20", ["p000", "p001", "p002", "p003", "p004"]),
        ("page=0", ["p000", "p001", "p002", "p003", "p004"]),
        ("page=x", ["p000", "p001", "p002", "p003", "p004"]),
        ("page=99", ["p000", "p001", "p002", "p003", "p004"]),
    ],
)
def test_the_address_says_which_rows(reader: Client, query: str, expected: list[str]) -> None:
    people(5)
    response = reader.get(f"/people/?{query}")
    assert response.status_code == 200
    assert names(response) == expected


def test_search_by_key_takes_whole_numbers_only(reader: Client) -> None:
    people(3)
    wanted = User.objects.get(username="p001")
    assert names(reader.get("/people/", {"q": f"U-{wanted.pk}"})) == ["p001"]
    assert names(reader.get("/people/", {"q": "9" * 40})) == []
    assert names(reader.get("/people/", {"q": "²"})) == []


def test_pages_are_fifty_rows_and_the_last_page_answers_beyond_the_end(reader: Client) -> None:
    people(101)
    first = reader.get("/people/?state=no-such&page=1")
    assert (len(names(first)), first.context["next_href"]) == (50, "/people/?state=no-such&page=2")
    last = reader.get("/people/?page=7")
    assert names(last) == ["p100"]
    assert last.context["next_href"] is False
    assert last.context["previous_href"] == "/people/?page=2"


def test_links_keep_what_they_do_not_change(reader: Client) -> None:
    people(3)
    response = reader.get("/people/?q=p&state=True&sort=-email&page=1")
    heads = {head.column.name: (head.href, head.direction) for head in response.context["heads"]}
    assert heads == {
        "username": ("/people/?q=p&state=True&sort=username", ""),
        "email": ("/people/?q=p&state=True&sort=email", "descending"),
        "is_staff": ("", ""),
    }
    assert [(chip.href, chip.current) for chip in response.context["chips"]] == [
        ("/people/?q=p&sort=-email", False),
        ("/people/?q=p&sort=-email&state=True", True),
        ("/people/?q=p&sort=-email&state=False", False),
    ]
    assert response.context["csv_href"] == "/people/?q=p&state=True&sort=-email&format=csv"
    assert response.context["kept"] == [("state", "True"), ("sort", "-email")]


def test_csv_holds_every_filtered_row_and_no_formula(reader: Client) -> None:
    people(60)
    User.objects.filter(username="p002").update(email='=HYPERLINK("x")')
    response: Any = reader.get("/people/?format=csv&state=True&sort=-username&page=2")
    lines = b"".join(response.streaming_content).decode().split("\r\n")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="people.csv"'
    assert lines[0] == 'User name,Mail,"Mail, note",State'
    assert lines[1] == "p058,1@x,,True"
    assert len(lines) == 1 + 30 + 1
    assert 'p002,"\'=HYPERLINK(""x"")",,True' in lines


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        ("=1+1", "'=1+1"),
        ("+49 30", "'+49 30"),
        ("-x", "'-x"),
        ("@cmd", "'@cmd"),
        ("  =1", "'  =1"),
        ("\t=1", "'\t=1"),
        ("a=b", "a=b"),
        (-5, "-5"),
    ],
)
def test_a_cell_cannot_run(value: object, cell: str) -> None:
    assert safe(value) == cell


@pytest.mark.parametrize(
    ("amount", "currency", "cell"),
    [
        ("115.2000", "EUR", "115.20"),
        ("2.0000", "JPY", "2"),
        ("0.0035", "EUR", "0.0035"),
        ("-5.0000", "EUR", "-5.00"),
        ("1.5000", "", "1.5000"),
    ],
)
def test_amounts_have_the_decimals_of_their_currency(amount: str, currency: str, cell: str) -> None:
    assert safe(plain_amount(Decimal(amount), currency)) == cell


def test_htmx_gets_one_root_and_the_cache_is_told(reader: Client) -> None:
    people(1)
    whole = reader.get("/people/")
    part = reader.get("/people/", headers={"HX-Request": "true"})
    back = reader.get(
        "/people/", headers={"HX-Request": "true", "HX-History-Restore-Request": "true"}
    )
    assert part.content.decode().startswith('<div id="list"')
    assert part.content.decode().rstrip().endswith("</div>")
    assert b"<!doctype html>" in whole.content
    assert b"<!doctype html>" in back.content
    assert "HX-Request" in part["Vary"]


@pytest.mark.parametrize("rows", [1, 40])
def test_the_number_of_queries_does_not_grow_with_the_rows(
    reader: Client, rows: int, django_assert_num_queries
) -> None:
    people(rows)
    with django_assert_num_queries(5):  # session, person, notices, count, rows
        reader.get("/people/")


def test_the_door_of_a_list(client: Client) -> None:
    stranger = client.get("/people/?q=a")
    assert (stranger.status_code, stranger["Location"]) == (302, "/login/?next=/people/%3Fq%3Da")
    client.force_login(User.objects.create(username="nobody"))
    assert client.get("/people/").status_code == 403
    assert client.get("/people/?format=csv").status_code == 403


def test_empty_says_what_to_do_next(reader: Client) -> None:
    assert b"Nobody yet." in reader.get("/people/").content
    assert b"New person" in reader.get("/people/").content
    nothing = reader.get("/people/?q=zzz").content
    assert b"Nothing matches" in nothing
    assert b'href="/people/"' in nothing
