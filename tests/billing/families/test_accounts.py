"""Who is billed where: said by services, forms and REST, and held by Postgres."""

import pytest
from django.db import DatabaseError, transaction
from django.test import Client

from o2b.customers.families import FamilyInvalid, Tie, payer_of
from o2b.customers.models import Account
from o2b.customers.services import BillsForChildren, close_account, create_account
from o2b.models import Event
from tests.billing.families.worlds import say, tied
from tests.factories import NOON, a_user, an_account, an_entity

pytestmark = pytest.mark.django_db


def test_the_payer_is_the_nearest_above_with_bills_of_his_own() -> None:
    top, middle, bottom = an_account(), an_account(), an_account()
    tied(middle, top, billed=False)
    bottom = tied(bottom, middle)
    assert payer_of(bottom) == middle
    middle = tied(middle, top)
    assert (payer_of(bottom), payer_of(middle), payer_of(top)) == (top, top, top)
    event = Event.objects.order_by("-pk").first()
    assert event is not None
    assert (event.name, event.facts["fields"]) == ("account.changed", ["billed_to_parent"])


def test_an_account_is_opened_in_a_family() -> None:
    top = an_account()
    account = create_account(
        reference="N-1",
        name="North",
        legal_entity_id=an_entity().pk,
        advocate_id=a_user().pk,
        tied=Tie(top.pk, True),
        at=NOON,
    )
    account.refresh_from_db()
    assert (account.parent, account.billed_to_parent) == (top, True)


def test_what_no_family_can_be() -> None:
    account = an_account()
    child = tied(an_account(), account)
    seller = an_entity(code="other")
    closed = an_account(state="closed")
    for parent, billed, field, word in (
        (None, True, "parent", "name the account"),
        (account, True, "parent", "itself"),
        (child, False, "parent", "itself"),
        (an_account(currency="USD"), True, "billed_to_parent", "bills of its own"),
        (an_account(legal_entity=seller), True, "billed_to_parent", "bills of its own"),
        (closed, True, "billed_to_parent", "bills of its own"),
    ):
        with pytest.raises(FamilyInvalid, match=word) as refused, transaction.atomic():
            say(account, Tie(parent.pk if parent else None, billed))
        assert refused.value.field == field
        account.refresh_from_db()
        assert (account.parent, account.billed_to_parent) == (None, False)
    tied(account, closed, billed=False)  # whoever is only above it may be anybody


def test_postgres_holds_it_too() -> None:
    top, middle, bottom = an_account(), an_account(), an_account()
    tied(middle, top)
    tied(bottom, middle)
    dollars, closed = an_account(currency="USD"), an_account(state="closed")
    loner = an_account()
    for account, told in (
        (loner, {"billed_to_parent": True}),
        (loner, {"parent": loner}),
        (top, {"parent": bottom}),
        (loner, {"parent": dollars, "billed_to_parent": True}),
        (loner, {"parent": closed, "billed_to_parent": True}),
        (middle, {"currency": "USD"}),
        (top, {"currency": "USD"}),
        (top, {"state": "closed"}),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            Account.objects.filter(pk=account.pk).update(**told)


def test_who_bills_for_others_is_closed_after_them() -> None:
    top, child = an_account(), an_account()
    tied(child, top)
    with pytest.raises(BillsForChildren, match=child.reference), transaction.atomic():
        close_account(account_id=top.pk, at=NOON)
    close_account(account_id=child.pk, at=NOON)
    close_account(account_id=top.pk, at=NOON)
    assert set(Account.objects.values_list("state", flat=True)) == {"closed"}


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(a_user("administrator", username="ines", is_staff=True))
    return client


def form(account: Account, **given: str) -> dict[str, str]:
    return {
        "name": account.name,
        "customer_name": account.customer.name,
        "advocate": str(account.advocate_id),
        "bill_day": "1",
        "time_zone": "UTC",
        "payment_days": "14",
    } | given


def test_it_is_set_on_the_page_of_the_account(admin: Client) -> None:
    top, account = an_account(reference="TOP"), an_account()
    address = f"/customers/{account.pk}/edit/"
    said = form(account, parent="TOP", billed_to_parent="on")
    assert admin.post(address, said).status_code == 302
    account.refresh_from_db()
    assert (account.parent, account.billed_to_parent) == (top, True)
    page = admin.get(address).content.decode()
    assert 'value="TOP"' in page
    assert "billed there" in admin.get(f"/customers/{account.pk}/").content.decode()
    for told, word in (
        ({"parent": "NOBODY"}, "There is no account of this number."),
        ({"parent": "", "billed_to_parent": "on"}, "name the account"),
        ({"parent": account.reference}, "itself"),
    ):
        answer = admin.post(address, form(account, **told))
        assert answer.status_code == 422
        assert word in answer.content.decode()
    account.refresh_from_db()
    assert (account.parent, account.billed_to_parent) == (top, True)
    assert admin.post(f"/customers/{top.pk}/close/").status_code == 409
    admin.post(address, form(account))
    account.refresh_from_db()
    assert (account.parent, account.billed_to_parent) == (None, False)
