"""Set-up in the admin: from an empty house to something that can be sold, and no further."""

import json
from decimal import Decimal

import pytest
from django.test import Client

from o2b.catalog.models import DeliveryPlan, Price, PriceBook, PriceBookVersion, ProductVersion
from o2b.customers.models import LegalEntity
from quotes.services import send_quote
from tests.factories import ACTIVATE, NOON, a_product, a_quote, a_user, an_account

pytestmark = pytest.mark.django_db
NO_INLINES = {f"prices-{k}": "0" for k in ("TOTAL_FORMS", "INITIAL_FORMS")}


@pytest.fixture
def ines(client: Client) -> Client:
    client.force_login(a_user("administrator", is_staff=True))
    return client


def added(client: Client, what: str, **fields: object) -> None:
    answer = client.post(f"/admin/{what}/add/", fields)
    assert answer.status_code == 302, answer.context["errors"]


def act(client: Client, what: str, action: str, pk: int) -> str:
    answer = client.post(f"/admin/{what}/", {"action": action, "_selected_action": pk}, follow=True)
    return answer.content.decode()


def test_an_empty_house_is_set_up_and_sells(ines: Client) -> None:
    added(
        ines,
        "customers/legalentity",
        **{"code": "acme", "name": "Acme", "country": "DE", "currency": "EUR"},
        number_prefix="AC-",
    )
    added(ines, "catalog/product", code="seat", name="Seat", unit="seat", quantity_places=0)
    product = ProductVersion.product.field.related_model.objects.get(code="seat")
    added(ines, "catalog/productversion", product=product.pk, number=1, characteristics="[]")
    added(ines, "catalog/deliveryplan", product=product.pk, number=1, tasks=json.dumps(ACTIVATE))
    added(ines, "catalog/pricebook", code="eur", name="Euro", currency="EUR", is_default="on")
    price = {
        "product": product.pk,
        "key": "monthly",
        "kind": "recurring",
        "model": "per_unit",
        "unit_price": "12.50",
        "tiers": "[]",
        "interval_unit": "month",
        "interval_count": 1,
        "timing": "advance",
        "alignment": "bill_day",
        "proration": "day",
        "from_version": 1,
    }
    added(
        ines,
        "catalog/pricebookversion",
        **{"book": PriceBook.objects.get().pk, "number": 1, "valid_from": "2025-01-01"},
        **NO_INLINES | {"prices-TOTAL_FORMS": "1"},
        **{f"prices-0-{name}": value for name, value in price.items()},
    )
    for what, model in (
        ("productversion", ProductVersion),
        ("deliveryplan", DeliveryPlan),
        ("pricebookversion", PriceBookVersion),
    ):
        act(ines, f"catalog/{what}", "publish", model.objects.get().pk)

    account = an_account(legal_entity=LegalEntity.objects.get(code="acme"))
    quote = a_quote(account=account, products=[ProductVersion.objects.get()], quantity="2")
    assert send_quote(quote_id=quote.pk, at=NOON).monthly_total == Decimal("25.00")


def test_what_is_published_can_only_be_looked_at(ines: Client) -> None:
    a_product()
    version = PriceBookVersion.objects.get()
    url = f"/admin/catalog/pricebookversion/{version.pk}/change/"
    assert ines.get(url).status_code == 200
    assert ines.post(url, {"number": 7}).status_code == 403
    assert ines.post(f"/admin/catalog/pricebookversion/{version.pk}/delete/").status_code == 403
    assert Price.objects.count() == 1


def test_a_broken_plan_is_refused_in_words(ines: Client) -> None:
    version = a_product()
    plan = DeliveryPlan.objects.create(product=version.product, number=2, tasks=[])
    assert "a plan needs at least one task" in act(ines, "catalog/deliveryplan", "publish", plan.pk)
    plan.refresh_from_db()
    assert plan.state == "draft"


@pytest.mark.parametrize("group", ["sales", "order team", "finance"])
def test_others_do_not_set_up(client: Client, group: str) -> None:
    client.force_login(a_user(group, is_staff=True))
    assert client.get("/admin/catalog/product/add/").status_code == 403
    assert client.get("/admin/catalog/product/").status_code == 200
