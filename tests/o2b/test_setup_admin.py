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


def no_rows(*inlines: str) -> dict[str, str]:
    """What a form sends for inlines in which nothing was written."""
    return {f"{name}-{k}": "0" for name in inlines for k in ("TOTAL_FORMS", "INITIAL_FORMS")}


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


def test_an_empty_house_is_set_up_and_sells_once_a_second_person_agrees(ines: Client) -> None:
    carl = Client()
    carl.force_login(a_user("administrator", is_staff=True))
    added(
        ines,
        "customers/legalentity",
        **{"code": "acme", "name": "Acme", "country": "DE", "currency": "EUR"},
        number_prefix="AC-",
        sending="mail",
    )
    added(ines, "catalog/product", code="seat", name="Seat", unit="seat", quantity_places=0)
    product = ProductVersion.product.field.related_model.objects.get(code="seat")
    added(
        ines,
        "catalog/productversion",
        **{"product": product.pk, "number": 1, "characteristics": "[]", "eligibility": "{}"},
        **no_rows("options", "rules"),
    )
    added(ines, "catalog/deliveryplan", product=product.pk, number=1, tasks=json.dumps(ACTIVATE))
    added(ines, "catalog/pricebook", code="eur", name="Euro", currency="EUR", is_default="on")
    price = {
        "product": product.pk,
        "key": "monthly",
        "kind": "recurring",
        "model": "per_unit",
        "unit_price": "12.50",
        "tiers": "[]",
        "details": "{}",
        "match": "{}",
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
        **{"policy": "keep", "notice_days": 0},
        **no_rows("prices") | {"prices-TOTAL_FORMS": "1"},
        **{f"prices-0-{name}": value for name, value in price.items()},
    )
    for what, model in (
        ("productversion", ProductVersion),
        ("deliveryplan", DeliveryPlan),
        ("pricebookversion", PriceBookVersion),
    ):
        draft = model.objects.get()
        assert "somebody else publishes it" in act(ines, f"catalog/{what}", "publish", draft.pk)
        act(carl, f"catalog/{what}", "publish", draft.pk)
        draft.refresh_from_db()
        assert (draft.state, draft.prepared_by_id == draft.published_by_id) == ("published", False)

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
    assert "A plan needs at least one step" in act(ines, "catalog/deliveryplan", "publish", plan.pk)
    plan.refresh_from_db()
    assert plan.state == "draft"


ENTITY = {
    "code": "acme",
    "name": "Acme",
    "country": "DE",
    "currency": "EUR",
    "number_prefix": "A",
    "sending": "on_demand",
}


@pytest.mark.parametrize(
    ("layout", "kept"),
    [
        ("", {}),
        ('{"accent": "#0b7a4b", "footer": "HRB 1"}', {"accent": "#0b7a4b", "footer": "HRB 1"}),
        ('{"accent": "green"}', None),
        ('{"logo": "<svg onload=\'x\'/>"}', None),
    ],
)
def test_a_layout_is_known_settings(ines: Client, layout: str, kept: object) -> None:
    answer = ines.post("/admin/customers/legalentity/add/", ENTITY | {"layout": layout})
    assert answer.status_code == (200 if kept is None else 302)
    made = LegalEntity.objects.filter(code="acme").first()
    assert (made.layout if made else None) == kept


@pytest.mark.parametrize(
    ("conventions", "kept"),
    [
        ("", {}),
        ("{}", {}),
        ('{"day_count": "thirty_360"}', {"day_count": "thirty_360"}),
        (
            '{"period_end": "inclusive", "cash_rounding": "0.05"}',
            {"period_end": "inclusive", "cash_rounding": "0.05"},
        ),
        ("[]", {}),
        ('"actual"', None),
        ('{"day_count": "lunar"}', None),
        ('{"colour": "red"}', None),
        ('{"period_end": "never"}', None),
        ('{"cash_rounding": "0"}', None),
        ('{"cash_rounding": "NaN"}', None),
        ('{"cash_rounding": "some"}', None),
    ],
)
def test_conventions_are_known_settings(ines: Client, conventions: str, kept: object) -> None:
    answer = ines.post("/admin/customers/legalentity/add/", ENTITY | {"conventions": conventions})
    assert answer.status_code == (200 if kept is None else 302)
    written = list(LegalEntity.objects.values_list("conventions", flat=True))
    assert written == ([] if kept is None else [kept])


def test_emptied_json_is_what_a_new_row_has(ines: Client) -> None:
    product = a_product().product
    fields = {"product": product.pk, "number": 2, "characteristics": "", "eligibility": ""}
    added(ines, "catalog/productversion", **fields, **no_rows("options", "rules"))
    version = ProductVersion.objects.get(number=2)
    assert (version.characteristics, version.eligibility) == ([], {})


@pytest.mark.parametrize("group", ["sales", "order team", "finance"])
def test_others_do_not_set_up(client: Client, group: str) -> None:
    client.force_login(a_user(group, is_staff=True))
    assert client.get("/admin/catalog/product/add/").status_code == 403
    assert client.get("/admin/catalog/product/").status_code == 200
