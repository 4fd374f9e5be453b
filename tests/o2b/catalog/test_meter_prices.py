"""Prices name meters: what is refused, what is warned of, and how it is said in words."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from o2b.catalog import services
from o2b.catalog.models import Contract, ContractPrice, Price, PriceBookVersion, Terms
from o2b.catalog.selectors import price_differences, rate_of
from o2b.catalog.services.meters import retire_version
from o2b.errors import Refused
from o2b.web.words import meter_words
from quotes.services import send_quote
from tests.factories import (
    NOON,
    a_meter,
    a_product,
    a_quote,
    a_user,
    an_account,
    monthly,
    reprice,
)

pytestmark = pytest.mark.django_db

ZONE = {"name": "zone", "required": True, "choices": ["national", "mobile"]}


def calls(**details: Any) -> dict[str, Any]:
    return {
        "key": "calls",
        "kind": "usage",
        "unit_price": Decimal("0.01"),
        "interval_unit": "month",
        "timing": "arrears",
        "details": details,
    }


def a_draft(**details: Any) -> PriceBookVersion:
    """A draft in which the usage of a phone is priced so."""
    phone = a_product(code="phone", charges=[monthly()])
    draft = services.draft_price_book_version(book="default-eur", by=a_user().pk, at=NOON)
    Price.objects.create(version=draft, product=phone.product, **calls(**details))
    return draft


@pytest.mark.parametrize(
    ("details", "column", "words"),
    [
        ({"meter": "fax"}, "details.meter", "publish it first"),
        ({"meter": "voice", "where": {"carrier": ["a"]}}, "details.where", "has no dimension"),
        ({"meter": "voice", "where": {"zone": ["mars"]}}, "details.where", "no choice “mars”"),
        ({"where": {"zone": ["mars"]}}, "details.where", "no choice “mars”"),
    ],
)
def test_usage_that_cannot_come_is_not_published(
    details: dict[str, Any], column: str, words: str
) -> None:
    a_meter("voice", dimensions=[ZONE])
    a_meter("calls", dimensions=[ZONE])
    draft = a_draft(**details)
    with pytest.raises(services.PricesInvalid) as caught:
        services.publish_price_book_version(version_id=draft.pk, at=NOON, by=a_user().pk)
    (fault,) = caught.value.faults
    assert (fault.product, fault.key, fault.column) == ("phone", "calls", column)
    assert words in services.fault_in_words(fault)
    draft.refresh_from_db()
    assert draft.state == "draft"


def test_a_meter_that_is_a_draft_or_retired_is_none() -> None:
    version = a_meter("voice")
    draft = a_draft(meter="voice")
    assert services.faults_of_book_version(draft) == []
    retire_version(version_id=version.pk, on=NOON.date(), at=NOON)
    assert [each.column for each in services.faults_of_book_version(draft)] == ["details.meter"]


def test_usage_without_a_meter_of_its_key_is_warned_of(client: Client) -> None:
    draft = a_draft()
    assert [each.key for each in services.warnings_of_book_version(draft)] == ["calls"]
    client.force_login(a_user("product"))
    page = client.get(f"/catalog/books/default-eur/{draft.number}/publication/").content.decode()
    assert "It can be published, but look:" in page
    assert "no published meter has the code “calls”" in page
    services.publish_price_book_version(version_id=draft.pk, at=NOON, by=a_user().pk)
    a_meter("calls")
    assert services.warnings_of_book_version(draft) == []


def test_contracts_name_meters_likewise(client: Client) -> None:
    phone = a_product(code="phone")
    contract = Contract.objects.create(
        account=an_account(), code="C-1", valid_from=NOON.date().replace(month=1)
    )
    price = ContractPrice.objects.create(
        contract=contract, product=phone.product, **calls(meter="voice")
    )
    with pytest.raises(Refused) as caught:
        services.sign_contract(contract_id=contract.pk, at=NOON)
    assert caught.value.field == f"rows[{price.pk}].details.meter"
    ContractPrice.objects.filter(pk=price.pk).update(details={})
    client.force_login(a_user("product"))
    page = client.get(f"/catalog/contracts/{contract.pk}/").content.decode()
    assert "no published meter has the code “calls”" in page
    services.sign_contract(contract_id=contract.pk, at=NOON)
    page = client.get(f"/catalog/contracts/{contract.pk}/").content.decode()
    assert "no published meter" not in page


def test_a_price_says_its_meter_in_words() -> None:
    a_meter("voice", dimensions=[ZONE])
    phone = a_product(code="phone", charges=[calls()])
    before = Price.objects.get()
    assert rate_of(before, "EUR").parts == ()
    where = {"zone": ["mobile", "national"]}
    reprice(phone, charges=[calls(meter="voice", where=where)])
    after = Price.objects.order_by("-pk")[0]
    assert rate_of(after, "EUR").parts == ("by meter voice, zone mobile or national",)
    assert (before.meter, after.meter, after.where) == ("calls", "voice", where)
    (change,) = price_differences(before.version, after.version)
    assert change.said_after.endswith("by meter voice, zone mobile or national")
    assert "meter" not in change.said_before
    with translation.override("en"):
        assert meter_words("", {"dial_zone": ["eu"]}) == "dial zone eu"


def test_terms_freeze_the_meter_and_say_it() -> None:
    a_meter("voice", dimensions=[ZONE])
    phone = a_product(code="phone", charges=[calls(meter="voice", where={"zone": ["national"]})])
    quote = a_quote(products=[phone])
    send_quote(quote_id=quote.pk, at=NOON)
    charge = Terms.objects.get().charges.get()
    assert charge.details == {"meter": "voice", "where": {"zone": ["national"]}}
    assert (charge.meter, charge.where) == ("voice", {"zone": ["national"]})
