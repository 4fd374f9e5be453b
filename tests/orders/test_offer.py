"""The doors of acceptance: the rep's buttons, and the customer's page without log-in."""

from datetime import date

import pytest
from django.test import Client
from django.urls import reverse

from orders.models import Order
from quotes import links
from quotes.services import withdraw_quote
from tests.factories import a_quote
from tests.orders.build import NOON, a_sent_quote, team, written

pytestmark = pytest.mark.django_db


def offer_of(quote):
    return reverse("orders:offer", args=[links.sign(quote.pk)])


YES = {"name": "Ann Hall", "consent": "on", "answer": "accept"}


# the rep


def test_the_rep_accepts_and_accepting_again_shows_the_order():
    rep, other = team("sales"), team("sales")
    quote = a_sent_quote(valid_until=date(2099, 12, 31))
    url = reverse("orders:accept-quote", args=[quote.pk])
    first = rep.post(url)
    order = Order.objects.get()
    assert (first.status_code, first["Location"]) == (302, f"/orders/{order.pk}/")
    again = rep.post(url, headers={"Referer": "http://testserver/quotes/1/"})
    assert (again.status_code, again["Location"]) == (302, f"/orders/{order.pk}/")
    someone = other.post(url, headers={"Referer": "http://testserver/quotes/1/"})
    assert someone.status_code == 409
    assert f'href="/orders/{order.pk}/"' in someone.text
    toast = other.post(url, headers={"HX-Request": "true"})
    assert toast.status_code == 409
    assert f"/orders/{order.pk}/" in toast.text
    assert Order.objects.count() == 1


def test_the_rep_declines():
    quote = a_sent_quote(valid_until=date(2099, 12, 31))
    answer = team("sales").post(
        reverse("orders:decline-quote", args=[quote.pk]), {"reason": "too dear"}
    )
    quote.refresh_from_db()
    assert (answer.status_code, quote.state, quote.reason) == (302, "declined", "too dear")


# the customer


def test_the_customer_accepts_on_the_link():
    quote = a_sent_quote(valid_until=date(2099, 12, 31))
    url, client = offer_of(quote), Client(enforce_csrf_checks=True)
    page = client.get(url)
    assert page.status_code == 200
    assert set(client.cookies) == {"csrftoken"}
    token = page.text.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    accepted = client.post(url, YES | {"csrfmiddlewaretoken": token})
    assert (accepted.status_code, accepted["Location"]) == (302, url)
    order = Order.objects.get()
    thanks = client.get(url)
    assert thanks.status_code == 200
    assert order.number in thanks.text
    assert "scheduled" in thanks.text
    assert set(client.cookies) == {"csrftoken"}
    again = client.post(url, YES | {"name": "ann hall ", "csrfmiddlewaretoken": token})
    assert (again.status_code, again["Location"]) == (302, url)
    other = client.post(url, YES | {"name": "Bob", "csrfmiddlewaretoken": token})
    assert other.status_code == 409
    assert url in other.text
    assert "check the address" not in other.text
    assert Order.objects.count() == 1


@pytest.mark.parametrize(
    "said",
    [{}, {"name": "", "consent": "on"}, {"name": "Ann"}, {"name": "A" * 201, "consent": "on"}],
)
def test_an_acceptance_without_name_or_consent_is_refused(said):
    quote = a_sent_quote(valid_until=date(2099, 12, 31))
    before = written()
    assert Client().post(offer_of(quote), said).status_code == 422
    assert Client().post(offer_of(quote), YES | {"name": "A\0"}).status_code == 422
    assert written() == before


def test_the_customer_declines_on_the_link():
    quote = a_sent_quote(valid_until=date(2099, 12, 31))
    answer = Client().post(offer_of(quote), {"answer": "decline", "reason": "moved away"})
    quote.refresh_from_db()
    assert (answer.status_code, quote.state, quote.reason) == (302, "declined", "moved away")
    assert Client().get(offer_of(quote)).status_code == 410
    assert Client().post(offer_of(quote), YES).status_code == 410
    assert Order.objects.count() == 0


def test_links_that_lead_nowhere():
    expired, withdrawn = a_sent_quote(valid_until=date(2026, 2, 1)), a_sent_quote()
    withdraw_quote(quote_id=withdrawn.pk, at=NOON)
    draft = a_quote()
    cases = [
        (offer_of(expired), 410, "expired"),
        (offer_of(withdrawn), 410, "withdrawn"),
        (offer_of(draft), 404, "not valid"),
        (offer_of(withdrawn)[:-3] + "xy/", 404, "not valid"),
        (reverse("orders:offer", args=["nonsense"]), 404, "not valid"),
        (reverse("orders:offer", args=[links.sign(10**30)]), 404, "not valid"),
    ]
    before = written()
    for url, status, words in cases:
        for answer in (Client().get(url), Client().post(url, YES)):
            assert answer.status_code == status, (url, answer.status_code)
            assert words in answer.text
    assert written() == before
