"""Publish a version of a book: a second person, every check at once, frozen; and retire it."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from o2b.catalog import services
from o2b.catalog.models import (
    Contract,
    ContractPrice,
    Price,
    PriceBookVersion,
    ProductVersion,
)
from o2b.errors import Refused
from o2b.models import Event
from tests.factories import (
    NOON,
    a_book_version,
    a_product,
    a_user,
    an_account,
    monthly,
    setup_fee,
)

pytestmark = pytest.mark.django_db

D = Decimal
SPEED = [{"name": "speed", "type": "integer"}, {"name": "term", "type": "integer"}]


def a_draft(**given: Any) -> PriceBookVersion:
    a_product(code="fibre", characteristics=SPEED, charges=[monthly("49.90"), setup_fee()])
    return services.draft_price_book_version(book="default-eur", by=a_user().pk, at=NOON, **given)


def refused(draft: PriceBookVersion, **given: Any) -> Refused:
    """The refusal of its publication, after which it is a draft still."""
    with pytest.raises(Refused) as caught:
        services.publish_price_book_version(
            version_id=draft.pk, at=NOON, **{"by": a_user().pk} | given
        )
    draft.refresh_from_db()
    assert (draft.state, draft.published_at, draft.published_by) == ("draft", None, None)
    assert not Event.objects.filter(name="price_book_version.published").exists()
    return caught.value


def columns(refusal: Refused) -> set[tuple[str, str]]:
    assert isinstance(refusal, services.PricesInvalid)
    return {(fault.product, fault.column) for fault in refusal.faults}


def test_a_second_person_publishes_and_postgres_freezes() -> None:
    draft, second = a_draft(), a_user()
    version = services.publish_price_book_version(version_id=draft.pk, at=NOON, by=second.pk)
    assert (version.state, version.published_by) == ("published", second)
    assert Event.objects.get(name="price_book_version.published").actor_id == second.pk
    writes: list[Callable[[], object]] = [
        lambda: version.prices.update(unit_price=1),
        lambda: version.prices.all().delete(),
        lambda: Price.objects.create(
            version=version, product=version.prices.all()[0].product, **monthly(key="x")
        ),
        lambda: PriceBookVersion.objects.filter(pk=version.pk).update(policy="at_renewal"),
    ]
    for write in writes:
        with pytest.raises(DatabaseError), transaction.atomic():
            write()


def test_not_the_one_who_wrote_it() -> None:
    draft = a_draft()
    assert refused(draft, by=draft.prepared_by_id).code == "second_person_needed"


def test_no_program_publishes_what_a_person_wrote() -> None:
    assert refused(a_draft(), by=None).code == "second_person_needed"


def test_who_edited_last_counts_as_who_wrote_it() -> None:
    draft, editor = a_draft(), a_user()
    row = draft.prices.get(key="monthly")
    services.submit_price_book_version(version_id=draft.pk, by=a_user().pk, at=NOON)
    services.edit_prices(
        version_id=draft.pk, by=editor.pk, at=NOON, rows=[{"id": row.pk, "unit_price": "1"}]
    )
    draft.refresh_from_db()
    assert draft.submitted_at is None
    assert refused(draft, by=editor.pk).code == "second_person_needed"


def test_a_submission_waits_for_the_second_person() -> None:
    draft = a_draft()
    services.submit_price_book_version(version_id=draft.pk, by=draft.prepared_by_id or 0, at=NOON)
    draft.refresh_from_db()
    assert (draft.state, draft.submitted_at) == ("draft", NOON)


def test_a_submission_is_checked_too() -> None:
    draft = a_draft()
    draft.prices.all().delete()
    with pytest.raises(services.NothingToPublish):
        services.submit_price_book_version(version_id=draft.pk, by=a_user().pk, at=NOON)
    draft.refresh_from_db()
    assert draft.submitted_at is None


def test_twice_is_once_too_often() -> None:
    draft = a_draft()
    services.publish_price_book_version(version_id=draft.pk, at=NOON, by=a_user().pk)
    with pytest.raises(services.NotADraft):
        services.publish_price_book_version(version_id=draft.pk, at=NOON, by=a_user().pk)


def test_what_was_priced_before_has_a_price() -> None:
    draft = a_draft()
    draft.prices.filter(product__code="fibre").update(from_version=2)
    assert columns(refused(draft)) >= {("fibre", "product")}


def test_what_is_on_sale_has_a_price_somewhere() -> None:
    a_product(code="orphan", charges=[])
    with pytest.raises(services.PricesInvalid) as caught:
        a_product(code="fibre")
    assert [(f.product, f.code) for f in caught.value.faults] == [("orphan", "price_missing")]


@pytest.mark.parametrize("where", ["a segment's book", "a contract"])
def test_a_price_somewhere_is_enough(where: str) -> None:
    version = a_product(code="orphan", charges=[])
    if where == "a contract":
        contract = Contract.objects.create(
            account=an_account(), code="C", valid_from=date(2026, 1, 1)
        )
        ContractPrice.objects.create(contract=contract, product=version.product, **monthly())
        services.sign_contract(contract_id=contract.pk, at=NOON)
    else:
        shelf = a_book_version(is_default=False, segment="s")
        Price.objects.create(version=shelf, product=version.product, **monthly())
        services.publish_price_book_version(version_id=shelf.pk, at=NOON)
    assert a_product(code="fibre")


def test_a_retired_product_needs_no_price() -> None:
    version = a_product(code="old")
    services.retire_product_version(version_id=version.pk, on=date(2026, 1, 1))
    draft = a_draft()
    draft.prices.filter(product__code="old").delete()
    assert services.publish_price_book_version(version_id=draft.pk, at=NOON, by=a_user().pk)


TIERS = [{"up_to": "10", "unit_price": "5"}]


@pytest.mark.parametrize(
    ("charges", "column"),
    [
        ([monthly(interval_unit="")], "interval_unit"),
        ([monthly(model="volume", tiers=TIERS)], "tiers.0.up_to"),
        ([monthly(model="volume")], "tiers"),
        ([monthly(details={"minimum": "-1"})], "details.minimum"),
        ([monthly(details={"package_size": "x"})], "details.package_size"),
        ([monthly(match={"colour": "red"})], "match"),
        ([monthly(to_version=2), monthly(from_version=2)], "from_version"),
        ([monthly(match={"speed": "1"}), monthly(match={"term": "1"})], "match"),
        ([monthly(match={"speed": "1"}), monthly(match={"speed": "1.0"})], "from_version"),
    ],
)
def test_rows_that_could_not_be_billed(charges: list[dict[str, Any]], column: str) -> None:
    draft = a_draft()
    product = draft.prices.all()[0].product
    draft.prices.filter(key="monthly").delete()
    for charge in charges:
        Price.objects.create(version=draft, product=product, **charge)
    refusal = refused(draft)
    assert columns(refusal) == {("fibre", column)}
    assert refusal.extra["faults"]


def test_versions_one_after_the_other_do_not_overlap() -> None:
    draft = a_draft()
    product = draft.prices.all()[0].product
    draft.prices.filter(key="monthly").update(to_version=1)
    Price.objects.create(version=draft, product=product, **monthly(from_version=2))
    assert services.publish_price_book_version(version_id=draft.pk, at=NOON, by=a_user().pk)


def test_all_faults_at_once() -> None:
    draft = a_draft(valid_from=date(2024, 1, 1))
    draft.prices.filter(key="monthly").update(interval_unit="")
    draft.prices.filter(key="setup").update(match={"colour": "red"})
    refusal = refused(draft)
    assert columns(refusal) == {("", "valid_from"), ("fibre", "interval_unit"), ("fibre", "match")}
    assert "2 more" in refusal.message


@pytest.mark.parametrize("state", ["draft", "retired"])
def test_only_what_is_published_retires(state: str) -> None:
    draft = a_draft()
    if state == "retired":
        services.publish_price_book_version(version_id=draft.pk, at=NOON, by=a_user().pk)
        services.retire_price_book_version(version_id=draft.pk, on=date(2026, 2, 1), at=NOON)
    with pytest.raises(services.NotADraft):
        services.retire_price_book_version(version_id=draft.pk, on=date(2026, 3, 1), at=NOON)
    draft.refresh_from_db()
    assert draft.retired_on == (date(2026, 2, 1) if state == "retired" else None)


def test_a_price_for_an_earlier_version_is_none_for_the_version_on_sale() -> None:
    fibre = a_product(code="fibre", charges=[monthly(from_version=1, to_version=1)])
    second = ProductVersion.objects.create(product=fibre.product, number=2)
    services.publish_product_version(version_id=second.pk, at=NOON)
    draft = services.draft_price_book_version(book="default-eur", by=a_user().pk, at=NOON)
    refusal = refused(draft)
    assert refusal.message == "fibre v2 is on sale and has no price anywhere."
    assert columns(refusal) == {("fibre", "product")}
    draft.prices.update(to_version=None)
    services.publish_price_book_version(version_id=draft.pk, at=NOON, by=a_user().pk)
