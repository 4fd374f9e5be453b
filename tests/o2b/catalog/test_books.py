"""Drafts of price books: copied, edited as a grid, all or nothing; contracts and their papers."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from o2b.catalog import services
from o2b.catalog.models import (
    Contract,
    ContractCommitment,
    ContractDiscount,
    ContractDocument,
    ContractPool,
    ContractPrice,
    Price,
    PriceBook,
    PriceBookVersion,
)
from o2b.catalog.rules.books import RowFault
from o2b.errors import Refused
from o2b.models import Event
from tests.factories import NOON, a_product, a_user, an_account, monthly, setup_fee

pytestmark = pytest.mark.django_db

D = Decimal
SPEED = [{"name": "speed", "type": "integer"}, {"name": "term", "type": "integer"}]


def a_draft(**given: Any) -> PriceBookVersion:
    """A draft of the default book, a copy of what one product costs."""
    charges = given.pop("charges", [monthly("49.90"), setup_fee("99.00")])
    a_product(code="fibre", characteristics=SPEED, charges=charges)
    return services.draft_price_book_version(book="default-eur", by=a_user().pk, at=NOON, **given)


def edit(draft: PriceBookVersion, *rows: dict[str, Any]) -> list[RowFault]:
    return services.edit_prices(version_id=draft.pk, by=a_user().pk, at=NOON, rows=rows)


def prices(version: PriceBookVersion) -> dict[str, str]:
    return {f"{p.key} {p.match or ''}".strip(): f"{p.unit_price:.2f}" for p in version.prices.all()}


def test_a_draft_begins_as_a_copy_of_the_newest_version() -> None:
    draft = a_draft(charges=[monthly("9.00", discount_limit=D(10), match={"speed": "5"})])
    assert (draft.number, draft.state, draft.valid_from) == (2, "draft", date(2026, 1, 31))
    (copy,) = draft.prices.all()
    original = Price.objects.exclude(version=draft).get()
    skipped = {"id", "version_id", "_state"}
    assert {k: v for k, v in vars(copy).items() if k not in skipped} == {
        k: v for k, v in vars(original).items() if k not in skipped
    }


def test_one_draft_at_a_time() -> None:
    draft = a_draft()
    with pytest.raises(services.DraftOpen):
        services.draft_price_book_version(book="default-eur", by=a_user().pk, at=NOON)
    assert PriceBookVersion.objects.filter(book=draft.book).count() == 2


def test_rows_change_come_and_go() -> None:
    draft = a_draft()
    first, second = draft.prices.order_by("key")
    assert not edit(
        draft,
        {"id": first.pk, "unit_price": "45.00"},
        {"id": second.pk, "delete": True},
        {
            "product": "fibre",
            "key": "monthly",
            "kind": "recurring",
            "unit_price": "40",
            "interval_unit": "month",
            "match": "speed=150; term=3",
        },
    )
    assert prices(draft) == {
        "monthly": "45.00",
        "monthly {'term': '3', 'speed': '150'}": "40.00",
    }
    assert draft.prices.get(pk=first.pk).interval_unit == "month"
    draft.refresh_from_db()
    assert draft.prepared_by is not None
    assert Event.objects.filter(name="price_book_version.edited").count() == 1


def test_two_rows_may_change_places() -> None:
    draft = a_draft(charges=[monthly("1.00", match={"speed": s}) for s in ("1", "2")])
    one, two = draft.prices.order_by("pk")
    assert not edit(draft, {"id": one.pk, "match": two.match}, {"id": two.pk, "match": one.match})
    assert draft.prices.get(pk=one.pk).match == {"speed": "2"}


def test_tiers_in_place() -> None:
    draft = a_draft()
    row = draft.prices.get(key="monthly")
    tiers = '[{"up_to": "10", "unit_price": "5"}, {"up_to": null, "unit_price": "4"}]'
    assert not edit(draft, {"id": row.pk, "model": "volume", "tiers": tiers, "unit_price": ""})
    row.refresh_from_db()
    assert (row.model, [tier["unit_price"] for tier in row.tiers]) == ("volume", ["5", "4"])


TIER = {"up_to": "10", "unit_price": "5"}
LAST = {"up_to": None, "unit_price": "4"}
NEW = {
    "product": "fibre",
    "key": "extra",
    "kind": "recurring",
    "unit_price": "1",
    "interval_unit": "month",
}


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ({"unit_price": "1,50"}, "unit_price"),
        ({"unit_price": "1.123456789"}, "unit_price"),
        ({"unit_price": "1e99"}, "unit_price"),
        ({"unit_price": "NaN"}, "unit_price"),
        ({"unit_price": 1.5}, "unit_price"),
        ({"unit_price": True}, "unit_price"),
        ({"unit_price": "=1+1"}, "unit_price"),
        ({"product": "none"}, "product"),
        ({"product": ""}, "product"),
        ({"key": "no blanks"}, "key"),
        ({"key": "x" * 41}, "key"),
        ({"kind": "sometimes"}, "kind"),
        ({"model": "magic"}, "model"),
        ({"interval_unit": "moon"}, "interval_unit"),
        ({"interval_unit": ""}, "interval_unit"),
        ({"interval_count": "0"}, "interval_count"),
        ({"interval_count": "400"}, "interval_unit"),
        ({"kind": "one_time"}, "interval_unit"),
        ({"kind": "usage", "timing": "advance"}, "timing"),
        ({"timing": "later"}, "timing"),
        ({"tiers": [TIER, LAST]}, "tiers"),
        ({"model": "volume"}, "tiers"),
        ({"model": "volume", "tiers": [TIER]}, "tiers.0.up_to"),
        ({"model": "volume", "tiers": [LAST, TIER]}, "tiers.1.up_to"),
        ({"model": "volume", "tiers": [TIER, TIER, LAST]}, "tiers.1.up_to"),
        ({"model": "volume", "tiers": [{"up_to": "-1", "unit_price": "1"}, LAST]}, "tiers.0.up_to"),
        ({"model": "volume", "tiers": [{"up_to": "10"}]}, "tiers.0"),
        ({"model": "volume", "tiers": "[1, 2"}, "tiers"),
        ({"model": "volume", "tiers": "x" * 1_000_000}, "tiers"),
        ({"model": "package"}, "details.package_size"),
        ({"model": "package", "details": {"package_size": "-5"}}, "details.package_size"),
        ({"details": {"minimum": "-1"}}, "details.minimum"),
        ({"details": {"minimum": "9", "maximum": "8"}}, "details.maximum"),
        ({"details": {"surprise": "1"}}, "details.surprise"),
        ({"details": {"conventions": {"day_count": "moons"}}}, "details.conventions.day_count"),
        ({"details": "[]"}, "details"),
        ({"from_version": "2", "to_version": "1"}, "to_version"),
        ({"from_version": "0"}, "from_version"),
        ({"from_version": "99999"}, "from_version"),
        ({"discount_limit": "101"}, "discount_limit"),
        ({"discount_limit": "-1"}, "discount_limit"),
        ({"match": "colour=red"}, "match"),
        ({"match": {"speed": ["1"]}}, "match"),
        ({"match": "speed"}, "match"),
        ({"tax_code": "a b"}, "tax_code"),
        ({"tax_code": "a\0b"}, "tax_code"),
        ({"currency": "USD"}, "currency"),
        ({"surprise": "1"}, "surprise"),
        ({"id": 2**40}, "id"),
        ({"id": 2**80}, "id"),
        ({"id": "1"}, "id"),
        ({"key": "monthly"}, "from_version"),
    ],
)
def test_what_a_row_may_not_say(row: dict[str, Any], column: str) -> None:
    draft = a_draft()
    good = draft.prices.get(key="setup")
    faults = edit(draft, {"id": good.pk, "unit_price": "1.00"}, NEW | row)
    assert [(fault.row, fault.column) for fault in faults] == [(1, column)]
    assert services.fault_in_words(faults[0])
    assert prices(draft) == {"monthly": "49.90", "setup": "99.00"}
    assert not Event.objects.filter(name="price_book_version.edited").exists()


def test_every_fault_at_once() -> None:
    faults = edit(a_draft(), NEW | {"unit_price": "x", "tax_code": "?"}, NEW | {"product": "none"})
    assert {(f.row, f.column) for f in faults} == {
        (0, "unit_price"),
        (0, "tax_code"),
        (1, "product"),
    }


def test_cells_that_fit_the_same_line_equally() -> None:
    draft = a_draft()
    both = [NEW | {"match": "speed=150"}, NEW | {"match": "term=3"}]
    (fault,) = edit(draft, *both)
    assert (fault.row in (0, 1), fault.column) == (True, "match")
    assert not edit(draft, *both, NEW | {"match": "speed=150; term=3"})


def test_what_clashed_before_is_no_reason_to_refuse_a_price() -> None:
    draft = a_draft()
    for match in ({"speed": "150"}, {"term": "3"}):
        extra = monthly("1.00", key="extra", match=match)
        Price.objects.create(version=draft, product=draft.prices.first().product, **extra)
    row = draft.prices.filter(key="extra").latest("pk")
    assert not edit(draft, {"id": row.pk, "unit_price": "2.00"})
    assert edit(draft, {"id": row.pk, "match": {"speed": "150.0"}})
    row.refresh_from_db()
    assert (row.unit_price, row.match) == (D(2), {"term": "3"})


def test_too_many_rows() -> None:
    with pytest.raises(Refused) as caught:
        edit(a_draft(), *[NEW] * 5001)
    assert caught.value.code == "too_many_rows"


def test_a_row_of_another_version_is_not_to_be_edited() -> None:
    draft = a_draft()
    theirs = Price.objects.exclude(version=draft).first()
    assert theirs is not None
    (fault,) = edit(draft, {"id": theirs.pk, "unit_price": "1"})
    assert fault.column == "id"


def test_a_published_version_is_not_edited() -> None:
    a_product()
    published = PriceBookVersion.objects.get()
    for write in (
        lambda: edit(published, NEW),
        lambda: services.set_policy(version_id=published.pk, by=1, at=NOON, policy="keep"),
        lambda: services.discard_price_book_version(version_id=published.pk, by=1, at=NOON),
    ):
        with pytest.raises(services.NotADraft):
            write()


def test_a_draft_is_thrown_away_with_its_prices() -> None:
    draft = a_draft()
    services.discard_price_book_version(version_id=draft.pk, by=a_user().pk, at=NOON)
    assert PriceBook.objects.get().versions.count() == 1
    assert Price.objects.count() == 2


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"policy": "whenever"}, "policy"),
        ({"policy": "on_date"}, "policy_on"),
        ({"policy": "keep", "policy_on": date(2026, 5, 1)}, "policy_on"),
        ({"policy": "on_date", "policy_on": date(2026, 1, 1)}, "policy_on"),
        ({"policy": "keep", "notice_days": -1}, "notice_days"),
        ({"policy": "keep", "notice_days": 4000}, "notice_days"),
        ({"policy": "keep", "valid_from": date(2024, 12, 31)}, "valid_from"),
        ({"policy": "keep", "valid_to": date(2026, 1, 31)}, "valid_to"),
        ({"policy": "keep", "note": "a\0"}, "note"),
    ],
)
def test_policies_that_make_no_sense(given: dict[str, Any], field: str) -> None:
    draft = a_draft()
    with pytest.raises(Refused) as caught:
        services.set_policy(version_id=draft.pk, by=a_user().pk, at=NOON, **given)
    assert caught.value.field == field
    draft.refresh_from_db()
    assert (draft.policy, draft.policy_on, draft.valid_to) == ("keep", None, None)


def test_a_policy_is_recorded() -> None:
    draft = a_draft()
    services.set_policy(
        version_id=draft.pk,
        by=a_user().pk,
        at=NOON,
        policy="on_date",
        policy_on=date(2026, 7, 1),
        notice_days=30,
        valid_from=date(2026, 3, 1),
        note="Summer prices",
    )
    draft.refresh_from_db()
    assert (draft.policy, draft.policy_on, draft.notice_days) == ("on_date", date(2026, 7, 1), 30)
    assert (draft.valid_from, draft.note) == (date(2026, 3, 1), "Summer prices")


# contracts


def a_contract_draft() -> Contract:
    return Contract.objects.create(account=an_account(), code="C", valid_from=date(2026, 1, 1))


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda c, p: ContractPrice(product=p, **monthly(interval_unit="")), "rows"),
        (lambda c, p: ContractPrice(product=p, **monthly(match={"colour": "red"})), "rows"),
        (lambda c, p: ContractPrice(product=p, **monthly(model="volume")), "rows"),
        (lambda c, p: ContractDiscount(kind="percent", value=D(101)), "discounts[0].value"),
        (lambda c, p: ContractDiscount(kind="amount", value=D("0.001")), "discounts[0].value"),
        (lambda c, p: ContractCommitment(kind="minimum", amount=D(0)), "commitments[0].amount"),
        (
            lambda c, p: ContractCommitment(kind="minimum", amount=D(1), interval_unit="moon"),
            "commitments[0].interval_unit",
        ),
        (
            lambda c, p: ContractCommitment(kind="minimum", amount=D(1), interval_count=400),
            "commitments[0].interval_count",
        ),
        (
            lambda c, p: ContractCommitment(kind="minimum", amount=D(1), key="monthly"),
            "commitments[0].product",
        ),
        (lambda c, p: ContractPool(name="a", units=D(1), unit=" "), "pools[0].unit"),
        (lambda c, p: ContractPool(name="a", units=D(1), unit="h", price=D(-1)), "pools[0].price"),
        (
            lambda c, p: ContractPool(name="a", units=D(1), unit="h", expires_after_months=999),
            "pools[0].expires_after_months",
        ),
    ],
)
def test_contracts_that_nobody_signs(make: Any, field: str) -> None:
    contract, version = a_contract_draft(), a_product(characteristics=SPEED)
    part = make(contract, version.product)
    part.contract = contract
    part.save()
    with pytest.raises(Refused) as caught:
        services.sign_contract(contract_id=contract.pk, at=NOON)
    assert str(caught.value.field).startswith(field)
    contract.refresh_from_db()
    assert contract.state == Contract.State.DRAFT


def test_the_least_above_the_most() -> None:
    contract = a_contract_draft()
    for kind, amount in (("minimum", 2), ("maximum", 1)):
        ContractCommitment.objects.create(contract=contract, kind=kind, amount=D(amount))
    with pytest.raises(Refused) as caught:
        services.sign_contract(contract_id=contract.pk, at=NOON)
    assert caught.value.field == "commitments[1].amount"


def attach(contract: Contract, **given: Any) -> ContractDocument:
    said = {"name": "contract.pdf", "content_type": "application/pdf", "body": b"%PDF-1.7"}
    return services.attach_document(
        contract_id=contract.pk, by=a_user().pk, at=NOON, **said | given
    )


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/pdf", b"%PDF-1.7"),
        ("image/png", b"\x89PNG\r\n\x1a\n..."),
        ("image/jpeg", b"\xff\xd8\xff\xe0"),
        ("text/plain", "Grüße".encode()),
    ],
)
def test_documents_are_kept(content_type: str, body: bytes) -> None:
    contract = a_contract_draft()
    services.sign_contract(contract_id=contract.pk, at=NOON)
    document = attach(contract, content_type=content_type, body=body, name="C:\\in\\paper.x")
    document.refresh_from_db()
    assert (bytes(document.body), document.name, document.size) == (body, "paper.x", len(body))
    assert len(document.sha256) == 64
    again = attach(contract, content_type=content_type, body=body, name="paper.x")
    assert again.pk == document.pk


@pytest.mark.parametrize(
    "given",
    [
        {"body": b""},
        {"body": b"%PDF-" + b"x" * (10 * 1024 * 1024)},
        {"body": b"<html>"},
        {"content_type": "text/html", "body": b"<html>"},
        {"content_type": "text/plain", "body": b"\xff\xfe"},
        {"content_type": "text/plain", "body": b"a\0b"},
        {"content_type": "image/png", "body": b"%PDF-1.7"},
        {"name": " "},
        {"name": "a/"},
    ],
)
def test_documents_that_are_refused(given: dict[str, Any]) -> None:
    contract = a_contract_draft()
    with pytest.raises(services.DocumentInvalid) as caught:
        attach(contract, **given)
    assert caught.value.field == "file"
    assert not ContractDocument.objects.exists()
