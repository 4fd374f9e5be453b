"""Prices grant units and money: what is refused, what is warned of, and how every page says it."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from o2b.catalog import services
from o2b.catalog.models import Contract, ContractPrice, Meter, Price, PriceBookVersion
from o2b.catalog.selectors import (
    price_differences,
    rate_of,
    uses_of_meter,
)
from o2b.catalog.services.meters import add_meter
from o2b.charging import Grant, Interval
from o2b.errors import Refused
from o2b.web.words import grant_words
from orders.acceptance.services import place_order
from quotes.services import send_quote
from subscriptions.explained import explain_terms
from tests.api.conftest import As, as_  # noqa: F401
from tests.factories import (
    LONG_AGO,
    NOON,
    a_meter,
    a_product,
    a_quote,
    a_user,
    an_account,
    monthly,
    reprice,
    setup_fee,
)

pytestmark = pytest.mark.django_db
D = Decimal
DATA = {"units": "100", "meter": "data", "rollover": "20"}
TOLD = "brings 100 GB into the pool of Data, in each period; up to 20 roll over for 1 period"


def filling(**grant: Any) -> dict[str, Any]:
    return monthly("20.00", details={"grant": DATA | grant})


def per_gb(**details: Any) -> dict[str, Any]:
    return {
        "key": "beyond",
        "kind": "usage",
        "unit_price": D("0.50"),
        "interval_unit": "month",
        "timing": "arrears",
        "details": {"meter": "data"} | details,
    }


def a_data_meter(**given: Any) -> None:
    a_meter("data", **{"unit": "GB"} | given)


def a_draft(*charges: dict[str, Any]) -> PriceBookVersion:
    """A draft in which a plan costs this."""
    plan = a_product(code="plan", charges=[monthly("1")])
    draft = services.draft_price_book_version(book="default-eur", by=a_user().pk, at=NOON)
    draft.prices.all().delete()
    for charge in charges:
        Price.objects.create(version=draft, product=plan.product, **charge)
    return draft


# In words.


@pytest.mark.parametrize(
    ("grant", "recurring", "quantity", "words"),
    [
        (
            Grant(D(500), "data", rollover=D(100), rollover_periods=2),
            True,
            None,
            "brings 500 GB into the pool of Data, in each period; "
            "up to 100 roll over for 2 periods",
        ),
        (
            Grant(D(500), "data", lasts=Interval("month", 3)),
            False,
            None,
            "brings 500 GB into the pool of Data, for 3 months",
        ),
        (Grant(D(500), "data"), False, D(3), "brings 1,500 GB into the pool of Data"),
        (Grant(D(500), "data", per_unit=False), False, D(3), "brings 500 GB into the pool of Data"),
        (
            Grant(D("0.5"), "fax", 10, per_unit=False, prorated=True),
            True,
            None,
            "brings 0.5 into the pool of fax, in each period; its share in a period that is served "
            "in part; whatever the quantity; drawn with priority 10",
        ),
        (
            Grant(D(9), "data", lasts=Interval("day", 30), rollover=D(5), rollover_periods=2),
            False,
            None,
            "brings 9 GB into the pool of Data, for 30 days; up to 5 stay 2 times as long again",
        ),
        (Grant(D(50)), False, None, "brings €50.00 of prepaid money"),
        (
            Grant(D(50), lasts=Interval("year")),
            True,
            D(2),
            "brings €100.00 of prepaid money, in each period, for 1 year",
        ),
    ],
)
def test_a_grant_in_words(grant: Grant, recurring: bool, quantity: Any, words: str) -> None:
    names = {"data": ("Data", "GB")}
    with translation.override("en"):
        assert words == grant_words(
            grant, recurring=recurring, currency="EUR", meters=names.get, quantity=quantity
        )


def test_every_page_of_the_catalog_says_it(client: Client) -> None:
    a_data_meter()
    plan = a_product(code="plan", charges=[filling(), per_gb()])
    client.force_login(a_user("product"))
    for url in (
        "/catalog/products/plan/",
        "/catalog/books/default-eur/",
        "/catalog/meters/data/",
    ):
        assert TOLD in client.get(url).content.decode(), url
    price = Price.objects.get(key="monthly")
    assert rate_of(price, "EUR").parts == (TOLD,)
    assert [use.price.key for use in uses_of_meter(Meter.objects.get())] == ["beyond", "monthly"]
    reprice(plan, charges=[filling(units="250"), per_gb()])
    after = Price.objects.filter(key="monthly").order_by("-pk")[0]
    (change,) = price_differences(price.version, after.version)
    assert (change.kind, change.said_before.endswith(TOLD)) == ("other", True)
    assert "brings 250 GB into the pool of Data" in change.said_after


@pytest.mark.parametrize("products", [1, 8])
def test_a_book_reads_as_often_for_many_grants(
    client: Client, products: int, django_assert_num_queries: Any
) -> None:
    a_data_meter()
    for n in range(products):
        a_product(code=f"plan-{n}", charges=[filling(), per_gb()])
    client.force_login(a_user("product"))
    client.get("/catalog/books/default-eur/")
    with django_assert_num_queries(9):
        client.get("/catalog/books/default-eur/")


def test_the_simulator_says_what_a_line_brings(client: Client) -> None:
    a_data_meter()
    account = an_account(reference="N-1")
    a_product(code="plan", charges=[filling(), per_gb()])
    client.force_login(a_user("sales"))
    asked = {"product": "plan", "account": "N-1", "quantity": "3", "start": "2026-02-10"}
    page = client.get("/catalog/simulator/", asked).content.decode()
    assert account.name in page
    assert "brings 300 GB into the pool of Data, in each period" in page


def test_offers_orders_and_what_is_promised_say_it(client: Client) -> None:
    a_data_meter()
    top = setup_fee(
        "9.00", details={"grant": {"units": "50", "meter": "data", "lasts": ["month", 3]}}
    )
    plan = a_product(code="plan", name="Plan", charges=[filling(), per_gb(), top])
    quote = a_quote(products=[plan], quantity="2")
    send_quote(quote_id=quote.pk, at=NOON)
    client.force_login(a_user("sales", "order team"))
    page = client.get(f"/quotes/{quote.pk}/").content.decode()
    assert "brings 200 GB into the pool of Data, in each period" in page
    assert "brings 100 GB into the pool of Data, for 3 months" in page
    order = place_order(quote_id=quote.pk, by="Dr. P. Hall", at=NOON)
    page = client.get(order.get_absolute_url()).content.decode()
    assert "Brings 200 GB into the pool of Data, in each period" in page
    terms = order.lines.get().terms
    told = explain_terms(terms, quantity=D(2))
    assert [each.brings[:20] for each in told.charges] == [
        "",
        "brings 200 GB into t",
        "brings 100 GB into t",
    ]


# At publication.


@pytest.mark.parametrize(
    ("meter", "aggregation", "words"),
    [
        (None, "", "no published meter “data” whose pool"),
        ("draft", "sum", "no published meter “data” whose pool"),
        ("published", "max", "is no sum of events (max)"),
        ("published", "average", "is no sum of events (average)"),
        ("published", "last", "is no sum of events"),
        ("published", "unique", "is no sum of events"),
        ("published", "sum", ""),
        ("published", "count", ""),
        ("published", "each", ""),
    ],
)
def test_a_pool_that_cannot_be_is_not_published(meter: Any, aggregation: str, words: str) -> None:
    if meter == "draft":
        add_meter(
            code="data", name="Data", unit="GB", aggregation=aggregation,
            starts_on=NOON.date(), by=None, at=LONG_AGO,
        )  # fmt: skip
    elif meter:
        a_data_meter(aggregation=aggregation)
    draft = a_draft(filling())
    faults = services.faults_of_book_version(draft)
    if not words:
        assert faults == []
        return
    (fault,) = faults
    assert (fault.product, fault.key, fault.column) == ("plan", "monthly", "details.grant")
    assert words in services.fault_in_words(fault)
    with pytest.raises(services.PricesInvalid):
        services.publish_price_book_version(version_id=draft.pk, at=NOON, by=a_user().pk)
    draft.refresh_from_db()
    assert draft.state == "draft"


def test_units_that_nobody_draws_are_warned_of(client: Client) -> None:
    a_data_meter()
    draft = a_draft(filling())
    client.force_login(a_user("product"))
    page = client.get(f"/catalog/books/default-eur/{draft.number}/publication/").content.decode()
    assert "plan, monthly: no price of usage draws by the meter “data”" in page
    draft.prices.create(product=draft.prices.get().product, **per_gb())
    assert services.warnings_of_book_version(draft) == []


def test_money_and_usage_of_another_book_are_no_reason_to_warn() -> None:
    a_data_meter()
    a_product(code="other", charges=[per_gb()])
    draft = a_draft(filling())
    # The running version of this very book has no say: the draft takes its place.
    assert [each.key for each in services.warnings_of_book_version(draft)] == ["monthly"]
    contract = Contract.objects.create(account=an_account(), code="C-1", valid_from=NOON.date())
    plan = draft.prices.get().product
    ContractPrice.objects.create(contract=contract, product=plan, **filling())
    assert services.warnings_of_contract(contract) == []
    draft.prices.update(details={"grant": {"units": "50"}})
    assert services.warnings_of_book_version(draft) == []
    assert services.faults_of_book_version(draft) != []  # "other" has no price any more
    assert [f.column for f in services.faults_of_book_version(draft)] == ["product"]


def test_usage_that_no_pool_covers_does_not_draw() -> None:
    a_data_meter()
    share = {**per_gb(), "model": "flat"}
    draft = a_draft(filling(), share)
    assert [each.key for each in services.warnings_of_book_version(draft)] == ["monthly"]


def test_contracts_grant_likewise(client: Client) -> None:
    plan = a_product(code="plan")
    contract = Contract.objects.create(
        account=an_account(), code="C-1", valid_from=NOON.date().replace(month=1)
    )
    price = ContractPrice.objects.create(contract=contract, product=plan.product, **filling())
    with pytest.raises(Refused) as caught:
        services.sign_contract(contract_id=contract.pk, at=NOON)
    assert caught.value.field == f"rows[{price.pk}].details.grant"
    a_data_meter()
    client.force_login(a_user("product"))
    page = client.get(f"/catalog/contracts/{contract.pk}/").content.decode()
    assert TOLD in page
    assert "no price of usage draws by the meter “data”" in page
    services.sign_contract(contract_id=contract.pk, at=NOON)


# By REST.


def test_the_api_says_it_in_full_and_in_words(as_: As) -> None:  # noqa: F811
    a_data_meter()
    top = setup_fee("9.00", details={"grant": {"units": "50", "lasts": ["month", 3]}})
    a_product(code="plan", charges=[filling(), per_gb(), top])
    an_account(reference="N-1")
    client = as_("sales")
    (version,) = client.get("/api/v1/catalog/price-books/default-eur").json()["versions"]
    grants = {price["key"]: price["grant"] for price in version["prices"]}
    assert grants == {
        "beyond": None,
        "monthly": {
            "units": "100",
            "meter": "data",
            "lasts": None,
            "rollover": "20",
            "rollover_periods": 1,
            "priority": 100,
            "prorated": False,
            "per_unit": True,
            "text": TOLD,
        },
        "setup": {
            "units": "50",
            "meter": "",
            "lasts": {"unit": "month", "count": 3},
            "rollover": None,
            "rollover_periods": 1,
            "priority": 100,
            "prorated": False,
            "per_unit": True,
            "text": "brings 50.00 of prepaid money, for 3 months",
        },
    }
    resolved = client.get("/api/v1/catalog/products/plan/price?account=N-1").json()
    assert {each["key"]: each["grant"] for each in resolved["charges"]} == grants
    url = "/api/v1/catalog/products/plan/price-resolution?account=N-1"
    (candidate,) = client.get(url).json()["candidates"]
    assert {each["key"]: each["grant"] for each in candidate["charges"]} == grants
