"""Accounts: opened, changed and closed by services; found by words; their pages."""

from typing import Any

import pytest
from django.test import Client

from o2b.customers import asks, selectors, services
from o2b.customers.models import Account, Contact, Customer, LegalEntity
from o2b.errors import Refused
from o2b.models import Event
from o2b.people.models import User
from tests.factories import NOON, a_contract, a_sent_quote, a_user, an_account, an_entity

pytestmark = pytest.mark.django_db


def told(**given: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {"reference": "N-1", "name": "Northwind", "at": NOON}
    if "legal_entity_id" not in given:
        fields["legal_entity_id"] = an_entity().pk
    if "advocate_id" not in given:
        fields["advocate_id"] = a_user("sales").pk
    return fields | given


def test_an_account_is_opened_with_a_customer_of_its_own() -> None:
    account = services.create_account(**told(segment="health", bill_day=31))
    assert (account.customer.name, account.customer.segment) == ("Northwind", "health")
    assert (account.currency, account.bill_day, account.state) == ("EUR", 31, "open")
    event = Event.objects.get()
    assert (event.name, event.account_id) == ("account.opened", account.pk)


def test_a_customer_may_have_several_accounts() -> None:
    first = services.create_account(**told())
    second = services.create_account(**told(reference="N-2", customer_id=first.customer_id))
    assert second.customer == first.customer
    assert Customer.objects.count() == 1


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"reference": ""}, "reference"),
        ({"reference": "taken"}, "reference"),
        ({"reference": "x" * 41}, "reference"),
        ({"reference": "a\0"}, "reference"),
        ({"name": "", "customer_name": "Someone"}, "name"),
        ({"name": ""}, "customer_name"),
        ({"segment": "no slug!"}, "segment"),
        ({"currency": "ABC"}, "currency"),
        ({"currency": "DEM"}, "currency"),
        ({"bill_day": 0}, "bill_day"),
        ({"bill_day": 32}, "bill_day"),
        ({"time_zone": "Mars/Base"}, "time_zone"),
        ({"payment_days": -1}, "payment_days"),
        ({"advocate_id": 0}, "advocate"),
    ],
)
def test_an_account_that_cannot_be_opened(given: dict[str, Any], field: str) -> None:
    an_account(reference="taken")
    asked = told(**given)
    with pytest.raises(Refused) as caught:
        services.create_account(**asked)
    assert (caught.value.code, caught.value.field) == ("account_invalid", field)
    assert (Account.objects.count(), Customer.objects.count(), Event.objects.count()) == (1, 1, 0)


def test_an_unknown_seller_is_not_there() -> None:
    asked = told(legal_entity_id=0)
    with pytest.raises(LegalEntity.DoesNotExist):
        services.create_account(**asked)
    assert Customer.objects.count() == 0


def changes(account: Account, **given: Any) -> dict[str, Any]:
    names = ("name", "advocate_id", "bill_day", "time_zone", "payment_days", "tax_exempt")
    fields = {name: getattr(account, name) for name in names} | {"address": account.address}
    return {"account_id": account.pk, "at": NOON} | fields | given


def test_a_change_says_what_it_changed() -> None:
    account = an_account()
    services.change_account(**changes(account))
    assert Event.objects.count() == 0
    services.change_account(**changes(account, bill_day=15, customer_name="New name"))
    account.refresh_from_db()
    assert (account.bill_day, account.customer.name) == (15, "New name")
    event = Event.objects.get(name="account.changed")
    assert event.facts == {"fields": ["bill_day", "customer"]}


def test_what_cannot_be_changed_is_refused_and_stays() -> None:
    account = an_account()
    with pytest.raises(Refused) as caught:
        services.change_account(**changes(account, customer_name="x", bill_day=99))
    assert caught.value.field == "bill_day"
    account.refresh_from_db()
    assert (account.bill_day, account.customer.name == "x") == (1, False)


def test_a_closed_account_is_neither_changed_nor_closed_again() -> None:
    account = an_account()
    services.close_account(account_id=account.pk, at=NOON)
    account.refresh_from_db()
    assert account.is_open is False
    for deed in (
        lambda: services.close_account(account_id=account.pk, at=NOON),
        lambda: services.change_account(**changes(account, bill_day=9)),
    ):
        with pytest.raises(services.AccountClosed):
            deed()
    assert [event.name for event in Event.objects.all()] == ["account.closed"]


def test_which_account_words_mean() -> None:
    first = an_account(reference="N-1", name="Northwind")
    second = an_account(reference="N-12", name="Northwind Labs")
    an_account(reference="Z-1", name="N-1")
    meant = selectors.accounts_meant
    assert meant(" n-1 ") == [first]
    assert meant("Northwind") == [first]
    assert meant("wind labs") == [second]
    assert meant("northw") == [first, second]
    assert meant("nobody") == meant("") == meant("\0") == []


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(a_user("administrator", username="ines", is_staff=True))
    return client


def form(**given: str) -> dict[str, str]:
    advocate = User.objects.get(username="ines").pk
    return {
        "reference": "N-1",
        "name": "Northwind",
        "customer_name": "",
        "legal_entity": str(an_entity().pk),
        "advocate": str(advocate),
        "bill_day": "1",
        "time_zone": "Europe/Berlin",
        "payment_days": "14",
        "currency": "",
    } | given


def test_an_account_is_opened_on_its_page(admin: Client) -> None:
    assert admin.get("/customers/new/").status_code == 200
    answer = admin.post("/customers/new/", form())
    account = Account.objects.get()
    assert answer["Location"] == f"/customers/{account.pk}/"
    assert (account.time_zone, account.customer.name) == ("Europe/Berlin", "Northwind")
    again = form(reference="N-2", customer=str(account.customer_id))
    page = admin.get(f"/customers/new/?customer={account.customer_id}").content.decode()
    assert 'name="customer"' in page
    admin.post("/customers/new/", again)
    assert Account.objects.get(reference="N-2").customer == account.customer


@pytest.mark.parametrize(
    "given",
    [
        {"reference": ""},
        {"reference": "taken"},
        {"legal_entity": "0"},
        {"advocate": "x"},
        {"bill_day": "32"},
        {"time_zone": "../etc"},
        {"currency": "abc"},
        {"name": "a\0"},
        {"customer": "9" * 30, "reference": "taken"},
        {"customer": "²", "reference": "taken"},
    ],
)
def test_errors_stand_on_the_form(admin: Client, given: dict[str, str]) -> None:
    an_account(reference="taken")
    page = admin.post("/customers/new/", form(**given))
    assert page.status_code == 422
    assert 'class="errorlist"' in page.content.decode()
    assert Account.objects.count() == 1


def test_an_account_is_changed_and_closed_on_its_page(admin: Client) -> None:
    account = an_account(name="Old")
    sent = form(name="New", customer_name="New Ltd")
    assert admin.get(f"/customers/{account.pk}/edit/").status_code == 200
    assert admin.post(f"/customers/{account.pk}/edit/", sent).status_code == 302
    account.refresh_from_db()
    assert (account.name, account.customer.name) == ("New", "New Ltd")
    admin.post(f"/customers/{account.pk}/close/")
    account.refresh_from_db()
    assert account.state == "closed"
    assert admin.post(f"/customers/{account.pk}/close/").status_code == 409
    assert admin.post(f"/customers/{account.pk}/edit/", sent).status_code == 422
    assert "/close/" not in admin.get(f"/customers/{account.pk}/").content.decode()


def test_the_page_of_an_account_has_a_panel_of_each_stage(admin: Client) -> None:
    account = an_account(name="<b>North</b>", address="1 Road\n2 Town")
    Contact.objects.create(customer=account.customer, name="Dr. Hall", email="hall@example.com")
    page = admin.get(f"/customers/{account.pk}/").content.decode()
    assert f'hx-get="/quotes/of-account/{account.pk}/"' in page
    assert f'href="/quotes/of-account/{account.pk}/"' in page
    assert f'hx-get="/catalog/contracts/of-account/{account.pk}/"' in page
    assert "hall@example.com" in page
    assert "&lt;b&gt;North" in page
    assert "<b>North" not in page


@pytest.mark.parametrize("rows", [1, 15])
def test_the_list_reads_as_often_for_many_rows(
    admin: Client, rows: int, django_assert_num_queries: Any
) -> None:
    for _ in range(rows):
        an_account()
    with django_assert_num_queries(7):
        page = admin.get("/customers/")
    assert len(page.context["rows"]) == rows


@pytest.mark.parametrize("url", ["/customers/", "/customers/1/", "/customers/new/"])
def test_the_doors_of_customers(client: Client, url: str) -> None:
    assert client.get(url).status_code == 302
    client.force_login(a_user())
    assert client.get(url).status_code == 403


def test_finance_looks_and_does_not_change(client: Client) -> None:
    account = an_account()
    client.force_login(a_user("finance"))
    page = client.get(f"/customers/{account.pk}/").content.decode()
    assert "/edit/" not in page
    for url in ("new", f"{account.pk}/edit", f"{account.pk}/close"):
        assert client.post(f"/customers/{url}/").status_code == 403
    account.refresh_from_db()
    assert account.is_open
    assert client.get("/customers/999/").status_code == 404


def test_search_finds_accounts_for_those_who_may_see_them() -> None:
    account = an_account(name="Northwind", state="closed")
    assert [found.url for found in asks.search(a_user("sales"), "northw")] == [
        f"/customers/{account.pk}/"
    ]
    assert asks.search(a_user(), "northw") == []


def test_the_admin_shows_and_never_writes(admin: Client) -> None:
    account = an_account()
    a_contract(account, discounts=[("percent", "5")])
    a_sent_quote(account=account)
    for page in ("customers/account", "customers/customer", "catalog/terms"):
        assert admin.get(f"/admin/{page}/").status_code == 200
        assert admin.get(f"/admin/{page}/add/").status_code == 403
    url = f"/admin/customers/account/{account.pk}"
    assert admin.get(f"{url}/change/").status_code == 200
    assert admin.post(f"{url}/change/", {"name": "x"}).status_code == 403
    assert admin.post(f"{url}/delete/", {"post": "yes"}).status_code == 403
    assert admin.get("/admin/people/user/add/").status_code == 200
