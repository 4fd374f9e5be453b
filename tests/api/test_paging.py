"""Pages by cursor: all rows once, newest first, while new rows come in."""

import pytest

from o2b.customers.models import Account
from tests.api.conftest import As
from tests.factories import a_user, an_account, an_entity

pytestmark = pytest.mark.django_db

ACCOUNTS = "/api/v1/accounts"


@pytest.fixture
def accounts() -> list[int]:
    entity, advocate = an_entity(), a_user()
    rows = [an_account(legal_entity=entity, advocate=advocate) for _ in range(7)]
    return [row.pk for row in reversed(rows)]


def test_every_row_once_there_and_back(as_: As, accounts: list[int]) -> None:
    client = as_("sales")
    pages, there = [], f"{ACCOUNTS}?page_size=3"
    back = None
    while there:
        page = client.get(there).json()
        pages.append([row["id"] for row in page["results"]])
        there, back = page["next"], page["previous"]
    assert pages == [accounts[:3], accounts[3:6], accounts[6:]]
    assert [row["id"] for row in client.get(back).json()["results"]] == accounts[3:6]  # type: ignore[arg-type]


def test_rows_that_come_in_shift_nothing(as_: As, accounts: list[int]) -> None:
    client = as_("sales")
    first = client.get(f"{ACCOUNTS}?page_size=3").json()
    an_account()
    second = client.get(first["next"]).json()
    assert [row["id"] for row in second["results"]] == accounts[3:6]


def test_filters_stay_on_the_next_page(as_: As, accounts: list[int]) -> None:
    Account.objects.filter(pk__in=accounts[::2]).update(state="closed")
    client = as_("sales")
    first = client.get(f"{ACCOUNTS}?page_size=2&state=closed").json()
    second = client.get(first["next"]).json()
    found = [row["id"] for row in first["results"] + second["results"]]
    assert found == accounts[::2]
    assert second["next"] is None


def test_the_end_and_beyond(as_: As, accounts: list[int]) -> None:
    client = as_("sales")
    assert client.get(ACCOUNTS).json()["next"] is None
    assert client.get(ACCOUNTS).json()["previous"] is None
    assert len(client.get(f"{ACCOUNTS}?page_size=200").json()["results"]) == 7
