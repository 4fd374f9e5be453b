"""What is published, signed or promised cannot change: services refuse, and so does Postgres."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from django.db import Error, connection, transaction

from o2b.catalog import services
from o2b.catalog.models import (
    Contract,
    ContractDiscount,
    DeliveryPlan,
    Price,
    PriceBookVersion,
    ProductVersion,
    Terms,
    TermsCharge,
)
from o2b.catalog.plans import PlanBroken
from o2b.catalog.resolution import Wanted, resolve
from o2b.charging import digest, from_canonical
from o2b.errors import Refused
from o2b.fsm import law
from tests.factories import (
    NOON,
    a_book_version,
    a_contract,
    a_product,
    a_sent_quote,
    an_account,
    monthly,
    setup_fee,
)

pytestmark = pytest.mark.django_db

PUBLISHED = {("draft", "publish", "published"), ("published", "retire", "retired")}


def test_the_laws_of_what_is_published() -> None:
    assert law(ProductVersion) == law(DeliveryPlan) == law(PriceBookVersion) == PUBLISHED
    assert law(Contract) == {("draft", "sign", "published"), ("published", "end", "retired")}


def test_publishing_stamps_once() -> None:
    version = a_product()
    draft = ProductVersion.objects.create(product=version.product, number=2)
    services.publish_product_version(version_id=draft.pk, at=NOON)
    draft.refresh_from_db()
    assert (draft.state, draft.published_at) == ("published", NOON)
    with pytest.raises(services.NotADraft):
        services.publish_product_version(version_id=draft.pk, at=NOON)
    services.retire_product_version(version_id=draft.pk, on=date(2026, 2, 1))
    draft.refresh_from_db()
    assert (draft.state, draft.retired_on) == ("retired", date(2026, 2, 1))
    with pytest.raises(services.NotADraft):
        services.retire_product_version(version_id=draft.pk, on=date(2026, 2, 1))


def test_a_broken_plan_and_an_empty_book_stay_drafts() -> None:
    product = a_product().product
    plan = DeliveryPlan.objects.create(product=product, number=2, tasks=[])
    book = a_book_version(is_default=False)
    refusals: list[tuple[Callable[[], object], type[Refused]]] = [
        (lambda: services.publish_delivery_plan(plan_id=plan.pk, at=NOON), PlanBroken),
        (
            lambda: services.publish_price_book_version(version_id=book.pk, at=NOON),
            services.NothingToPublish,
        ),
    ]
    for deed, refusal in refusals:
        with pytest.raises(refusal):
            deed()
    plan.refresh_from_db()
    book.refresh_from_db()
    assert (plan.state, book.state) == ("draft", "draft")


def test_a_contract_is_signed_once() -> None:
    contract = a_contract(an_account())
    assert (contract.state, contract.signed_at is not None) == ("published", True)
    with pytest.raises(services.NotADraft):
        services.sign_contract(contract_id=contract.pk, at=NOON)


@pytest.fixture
def house() -> None:
    """One row of everything that is frozen."""
    account = an_account()
    a_contract(account, discounts=[("percent", "5")])
    a_sent_quote(account=account, products=[a_product(code="fibre")])


FROZEN = [
    "UPDATE catalog_productversion SET characteristics = '[1]'",
    "UPDATE catalog_productversion SET state = 'draft'",
    "UPDATE catalog_productversion SET number = 9",
    "DELETE FROM catalog_productversion",
    "UPDATE catalog_deliveryplan SET tasks = '[]'",
    "DELETE FROM catalog_deliveryplan",
    "UPDATE catalog_pricebookversion SET valid_from = '2020-01-01'",
    "DELETE FROM catalog_pricebookversion",
    "UPDATE catalog_price SET unit_price = 1",
    "DELETE FROM catalog_price",
    "UPDATE catalog_contract SET valid_to = '2030-01-01'",
    "DELETE FROM catalog_contract",
    "UPDATE catalog_contractdiscount SET value = 50",
    "DELETE FROM catalog_contractdiscount",
    "UPDATE catalog_terms SET body = '{}'",
    "DELETE FROM catalog_terms",
    "UPDATE catalog_termscharge SET unit_price = 1",
    "DELETE FROM catalog_termscharge",
    "TRUNCATE catalog_termscharge CASCADE",
    "TRUNCATE catalog_terms CASCADE",
    "TRUNCATE catalog_price CASCADE",
    "TRUNCATE catalog_contractdiscount CASCADE",
    "TRUNCATE catalog_productversion CASCADE",
]


@pytest.mark.parametrize("statement", FROZEN)
def test_postgres_refuses(house: None, statement: str) -> None:
    with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert Terms.objects.count() == TermsCharge.objects.count() == 1


def test_no_row_joins_what_is_frozen(house: None) -> None:
    version, contract = PriceBookVersion.objects.get(), Contract.objects.get()
    product = ProductVersion.objects.get().product
    for deed in (
        lambda: Price.objects.create(version=version, product=product, **setup_fee()),
        lambda: ContractDiscount.objects.create(
            contract=contract, position=2, kind="percent", value=Decimal(1)
        ),
    ):
        with pytest.raises(Error), transaction.atomic():
            deed()


def test_a_row_of_a_frozen_parent_does_not_move_to_a_draft(house: None) -> None:
    draft = PriceBookVersion.objects.create(
        book=PriceBookVersion.objects.get().book, number=9, valid_from=date(2026, 1, 1)
    )
    with pytest.raises(Error), transaction.atomic():
        Price.objects.update(version=draft)


def test_a_row_of_a_draft_does_not_move_into_what_is_frozen(house: None) -> None:
    frozen, product = PriceBookVersion.objects.get(), ProductVersion.objects.get().product
    draft = PriceBookVersion.objects.create(book=frozen.book, number=9, valid_from=date(2026, 1, 1))
    price = Price.objects.create(version=draft, product=product, **setup_fee())
    with pytest.raises(Error), transaction.atomic():
        Price.objects.filter(pk=price.pk).update(version=frozen)


def test_what_may_still_change(house: None) -> None:
    ProductVersion.objects.update(retired_on=date(2026, 2, 1), state="retired")
    draft = ProductVersion.objects.create(
        product=ProductVersion.objects.get().product, number=2, characteristics=[]
    )
    ProductVersion.objects.filter(pk=draft.pk).update(characteristics=[{"name": "x"}])
    assert draft.delete()[0] == 1


def test_equal_promises_share_a_row_and_the_digest_names_it() -> None:
    account, version = an_account(), a_product(charges=[monthly(), setup_fee()])
    wanted = [Wanted(version, Decimal(n)) for n in (1, 2)]
    found = resolve(account=account, wanted=wanted, on=date(2026, 1, 31))
    first, second = services.freeze_terms(found)
    again = services.freeze_terms(found[:1])[0]
    assert first.pk == second.pk == again.pk
    assert first.digest == digest(found[0].terms) == digest(from_canonical(first.body))
    charges = list(first.charges.values_list("position", "key", "kind", "unit_price"))
    assert charges == [
        (1, "monthly", "recurring", Decimal("49.90")),
        (2, "setup", "one_time", Decimal("99.00")),
    ]
    assert services.freeze_terms([]) == []
