"""The pages of quotes: the list, one quote, what may be done with it, and by whom."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from o2b import clock
from quotes import services
from quotes.models import Quote
from tests.factories import a_contract, a_product, a_quote, a_sent_quote, a_user, an_account

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


def soon() -> dict[str, Any]:
    """Pages read the real clock, so their quotes are open by it."""
    now = clock.now()
    return {"at": now, "valid_until": now.date() + timedelta(days=10)}


@pytest.fixture
def rep() -> Client:
    client = Client()
    client.force_login(a_user("sales", username="rep", first_name="Mara", last_name="Lind"))
    return client


def test_the_list_says_who_is_offered_what(rep: Client) -> None:
    sent = a_sent_quote(title="Head office", account=an_account(name="Northwind", reference="N-1"))
    draft = a_quote()
    page = rep.get("/quotes/")
    rows = [row.source for row in page.context["rows"]]
    assert rows == [draft, sent]
    assert "€49.90" in page.content.decode()
    assert [row.source for row in rep.get("/quotes/?q=northw").context["rows"]] == [sent]
    assert [row.source for row in rep.get("/quotes/?q=N-1").context["rows"]] == [sent]
    assert [row.source for row in rep.get(f"/quotes/?q=Q-{draft.pk}").context["rows"]] == [draft]
    assert [row.source for row in rep.get("/quotes/?state=draft").context["rows"]] == [draft]
    part = rep.get("/quotes/?state=sent", headers=HTMX).content.decode()
    assert part.startswith('<div id="list"')
    assert "Northwind" in part


def test_the_list_as_csv(rep: Client) -> None:
    quote = a_sent_quote(account=an_account(name="=cmd()", reference="N-1"), title="Two seats")
    lines = b"".join(rep.get("/quotes/?format=csv").streaming_content).decode().split("\r\n")
    assert lines[0].startswith("Number,Title,Customer,")
    assert lines[1].startswith(f"Q-{quote.pk},Two seats,'=cmd(),")


def test_my_quotes_only(rep: Client) -> None:
    a_quote()
    mine = a_quote(owner_id=int(rep.session["_auth_user_id"]))
    assert [row.source for row in rep.get("/quotes/?mine=1").context["rows"]] == [mine]


@pytest.mark.parametrize("rows", [1, 12])
def test_the_list_reads_as_often_for_many_rows(
    rep: Client, rows: int, django_assert_num_queries: Any
) -> None:
    product = a_product()
    for _ in range(rows):
        a_sent_quote(products=[product])
    rep.get("/quotes/")
    with django_assert_num_queries(7):  # session, person, permissions (twice), bell, count, rows
        rep.get("/quotes/")


@pytest.mark.parametrize("lines", [1, 12])
def test_a_quote_reads_as_often_for_many_lines(
    rep: Client, lines: int, django_assert_num_queries: Any
) -> None:
    quote = a_sent_quote(products=[a_product()] * lines)
    with django_assert_num_queries(11):  # one for the rates of all lines
        rep.get(f"/quotes/{quote.pk}/")


def test_a_sent_quote_shows_its_terms_and_why(rep: Client) -> None:
    account = an_account()
    contract = a_contract(account, discounts=[("amount", "5.00")])
    quote = a_sent_quote(account=account, title="<script>alert(1)</script>", **soon())
    page = rep.get(f"/quotes/{quote.pk}/").content.decode()
    assert "€44.90" in page
    assert "49.9 − 5" in page
    assert "the default book" in page
    assert f"under contract {contract}" in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page
    assert " style=" not in page


def test_a_draft_shows_what_it_would_cost(rep: Client) -> None:
    quote = a_quote(**soon())
    page = rep.get(f"/quotes/{quote.pk}/").content.decode()
    assert "€49.90" in page
    assert "a preview" in page
    assert f"/quotes/{quote.pk}/send/" in page


def test_a_draft_that_has_no_price_says_so(rep: Client) -> None:
    quote = a_quote(account=an_account(currency="USD"), **soon())
    page = rep.get(f"/quotes/{quote.pk}/")
    assert page.status_code == 200
    assert "It cannot be sent like this" in page.content.decode()


def test_sending_by_the_button_and_once_only(rep: Client) -> None:
    quote = a_quote(**soon())
    answer = rep.post(f"/quotes/{quote.pk}/send/")
    assert (answer.status_code, answer["Location"]) == (302, f"/quotes/{quote.pk}/")
    quote.refresh_from_db()
    assert quote.state == "sent"
    assert rep.post(f"/quotes/{quote.pk}/send/").status_code == 409
    again = rep.post(f"/quotes/{quote.pk}/send/", headers=HTMX)
    assert (again.status_code, again["HX-Retarget"]) == (409, "#toasts")


def test_the_customers_link_is_shown_while_the_offer_is_open(rep: Client) -> None:
    quote = a_sent_quote(**soon())
    assert 'id="offer-link"' in rep.get(f"/quotes/{quote.pk}/").content.decode()
    services.withdraw_quote(quote_id=quote.pk, at=clock.now())
    assert 'id="offer-link"' not in rep.get(f"/quotes/{quote.pk}/").content.decode()


def test_withdrawing_and_revising_by_their_buttons(rep: Client) -> None:
    quote = a_sent_quote(**soon())
    answer = rep.post(f"/quotes/{quote.pk}/revise/")
    new = Quote.objects.get(supersedes=quote)
    assert answer["Location"] == f"/quotes/{new.pk}/edit/"
    assert f'href="/quotes/{new.pk}/"' in rep.get(f"/quotes/{quote.pk}/").content.decode()
    rep.post(f"/quotes/{new.pk}/withdraw/")
    new.refresh_from_db()
    assert new.state == "withdrawn"


PAGES = ["", "1/", "new/", "1/edit/", "accounts/", "of-account/1/"]
DEEDS = ["1/send/", "1/withdraw/", "1/revise/", "new/", "1/edit/"]


@pytest.mark.parametrize("page", PAGES)
def test_strangers_log_in_first(client: Client, page: str) -> None:
    assert client.get(f"/quotes/{page}")["Location"].startswith("/login/")


@pytest.mark.parametrize("page", PAGES)
def test_people_without_permission_see_nothing(client: Client, page: str) -> None:
    client.force_login(a_user())
    assert client.get(f"/quotes/{page}").status_code == 403


@pytest.mark.parametrize("deed", DEEDS)
def test_those_who_may_only_look_do_nothing(client: Client, deed: str) -> None:
    client.force_login(a_user("finance"))
    quote = a_quote(**soon())
    assert client.post(f"/quotes/{deed.replace('1', str(quote.pk))}").status_code == 403
    quote.refresh_from_db()
    assert (quote.state, Quote.objects.count()) == ("draft", 1)
    page = client.get(f"/quotes/{quote.pk}/").content.decode()
    assert "/send/" not in page
    assert "/withdraw/" not in page


@pytest.mark.parametrize("page", ["999/", "999/edit/", "of-account/999/"])
def test_what_is_not_there_is_a_404(rep: Client, page: str) -> None:
    assert rep.get(f"/quotes/{page}").status_code == 404


@pytest.mark.parametrize("deed", ["999/send/", "999/withdraw/", "999/revise/"])
def test_nothing_is_done_with_what_is_not_there(rep: Client, deed: str) -> None:
    assert rep.post(f"/quotes/{deed}").status_code == 404


def test_the_panel_of_an_account(rep: Client) -> None:
    quote = a_sent_quote(title="<i>x</i>")
    url = f"/quotes/of-account/{quote.account_id}/"
    part = rep.get(url, headers=HTMX).content.decode()
    assert part.startswith("<section")
    assert "&lt;i&gt;x" in part
    assert "<!doctype html>" in rep.get(url).content.decode()
