"""What quotes answers to the home page, to the search and to an account's page; and the clock."""

from datetime import timedelta

import pytest

from o2b import clock
from quotes import asks
from quotes.tasks import expire_quotes
from tests.factories import NOON, a_quote, a_sent_quote, a_user, an_account

pytestmark = pytest.mark.django_db


def test_a_reps_home_counts_what_waits() -> None:
    rep, now = a_user("sales"), clock.now()
    a_quote(owner_id=rep.pk)
    a_quote()
    for days in (6, 7, 8):
        until = now.date() + timedelta(days=days)
        a_sent_quote(owner_id=rep.pk, at=now, valid_until=until)
    assert [(card.value, card.tone) for card in asks.home_cards(rep)] == [
        ("1", ""),
        ("3", "go"),
        ("2", "warn"),
    ]
    assert asks.home_cards(a_user("finance")) == []


def test_search_by_number_title_and_customer() -> None:
    rep = a_user("sales")
    quote = a_quote(account=an_account(name="Northwind"), title="Head office")
    a_quote()
    for words in (f"Q-{quote.pk}", f"q-{quote.pk}", f"Q-{quote.pk} v2", "northw", "head"):
        assert [found.url for found in asks.search(rep, words)] == [f"/quotes/{quote.pk}/"]
    assert asks.search(rep, "Q-²") == []
    assert asks.search(rep, "9" * 30) == []
    assert asks.search(rep, "\0zz") == []
    assert asks.search(a_user(), "northw") == []


def test_an_account_has_a_panel_of_quotes_for_those_who_may_see_them() -> None:
    account = an_account()
    (panel,) = asks.account_panels(a_user("sales"), account.pk)
    assert panel.url == f"/quotes/of-account/{account.pk}/"
    assert asks.account_panels(a_user(), account.pk) == []


def test_the_task_expires_by_the_clock() -> None:
    quote = a_sent_quote(at=NOON, valid_until=NOON.date())
    assert expire_quotes() == 1
    quote.refresh_from_db()
    assert quote.state == "expired"
    assert expire_quotes() == 0
