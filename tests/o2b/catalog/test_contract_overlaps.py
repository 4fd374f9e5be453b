"""One signed contract of an account at a time, and the days for which an ended one answers."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import Error, connection, transaction

from o2b.catalog.introduction import Agreement, sign_agreements
from o2b.catalog.models import Contract, ContractDiscount, ContractDocument
from o2b.catalog.resolution import signed_on
from o2b.catalog.services import ContractOverlaps, sign_contract
from o2b.customers.models import Account
from orders.entry.services import enter_order
from quotes.inputs import LineInput
from tests.factories import NOON, a_contract, a_product, a_sent_quote, an_account, monthly

pytestmark = pytest.mark.django_db

JAN, MAR, MAY, JUL = (date(2026, month, 1) for month in (1, 3, 5, 7))


def drafted(account: Account, code: str, number: int = 1, **given: Any) -> Contract:
    fields = {"valid_from": JAN} | given
    fixed = fields.pop("fixed", None)
    contract = Contract.objects.create(account=account, code=code, number=number, **fields)
    if fixed:
        ContractDiscount.objects.create(contract=contract, kind="amount", value=Decimal(fixed))
    return contract


def signed(account: Account, code: str, number: int = 1, **given: Any) -> Contract:
    return sign_contract(contract_id=drafted(account, code, number, **given).pk, at=NOON)


def answering(account: Account, *days: date) -> list[str]:
    """The contract that answers on each day."""
    found = [signed_on(day).filter(account=account).first() for day in days]
    return [str(contract) if contract else "" for contract in found]


def test_the_next_version_ends_the_one_before() -> None:
    account = an_account()
    first = signed(account, "C")
    signed(account, "C", 2, valid_from=MAY)
    first.refresh_from_db()
    assert (first.state, first.retired_on) == ("retired", MAY)
    assert answering(account, date(2025, 12, 31), JAN, date(2026, 4, 30), MAY, JUL) == [
        "",
        "C v1",
        "C v1",
        "C v2",
        "C v2",
    ]


def test_a_version_that_is_over_by_then_stays_as_it_is() -> None:
    account = an_account()
    first = signed(account, "C", valid_to=MAR)
    signed(account, "C", 2, valid_from=MAY)
    first.refresh_from_db()
    assert (first.state, first.retired_on) == ("published", None)
    assert answering(account, JAN, MAR, MAY) == ["C v1", "", "C v2"]


def test_a_version_that_replaces_all_of_the_one_before() -> None:
    account = an_account()
    signed(account, "C", valid_from=MAR)
    signed(account, "C", 2, valid_from=JAN)
    assert answering(account, JAN, MAR) == ["C v2", "C v2"]


@pytest.mark.parametrize("by_quote", [True, False])
def test_a_fixed_discount_goes_once_whatever_the_version(by_quote: bool) -> None:
    """(MONEY) who has the amount of version 1 keeps it; version 2 does not give it once more."""
    account, product = an_account(), a_product(charges=[monthly("20.00")])
    signed(account, "C", fixed="5.00")
    if by_quote:
        assert a_sent_quote(account=account, products=[product]).monthly_total == Decimal("15.00")
    else:
        line = LineInput(product.product.code, 1)
        enter_order(account_id=account.pk, lines=[line], at=NOON, actor_id=None, channel="screen")
    signed(account, "C", 2, valid_from=date(2026, 1, 15), fixed="5.00")
    assert a_sent_quote(account=account, products=[product]).monthly_total == Decimal("20.00")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (("A", 1, {}), ("B", 1, {})),
        (("A", 1, {"valid_from": MAR}), ("B", 1, {"valid_to": MAY})),
        (("A", 1, {"valid_to": JUL}), ("B", 1, {"valid_from": MAY})),
        (("A", 2, {}), ("A", 1, {"valid_from": MAR})),
    ],
)
def test_another_contract_is_in_the_way(before: tuple[Any, ...], after: tuple[Any, ...]) -> None:
    account = an_account()
    signed(account, before[0], before[1], **before[2])
    draft = drafted(account, after[0], after[1], **after[2])
    rows = list(Contract.objects.order_by("pk").values())
    with pytest.raises(ContractOverlaps) as caught:
        sign_contract(contract_id=draft.pk, at=NOON)
    assert (caught.value.code, caught.value.field) == ("contract_overlaps", "valid_from")
    assert f"{before[0]} v{before[1]}" in caught.value.message
    assert list(Contract.objects.order_by("pk").values()) == rows


def test_neighbours_and_other_accounts_are_not_in_the_way() -> None:
    account = an_account()
    signed(account, "A", valid_to=MAY)
    signed(account, "B", valid_from=MAY)
    signed(an_account(), "C")
    assert Contract.objects.filter(state="published").count() == 3


def test_agreements_are_signed_together_under_the_same_law() -> None:
    old, new = an_account(), an_account()
    a_contract(old)
    for agreements in (
        [Agreement(new, "A", JAN), Agreement(old, "B", JAN)],
        [Agreement(new, "A", JAN), Agreement(new, "B", MAY)],
    ):
        with pytest.raises(ContractOverlaps):
            sign_agreements(agreements=agreements, at=NOON)
        assert Contract.objects.count() == 1


def test_postgres_refuses_two_at_a_time_and_days_that_run_backwards() -> None:
    account = an_account()
    signed(account, "A")
    draft = drafted(account, "B", valid_from=MAY)
    for statement in (
        f"UPDATE catalog_contract SET state = 'published' WHERE id = {draft.pk}",
        f"UPDATE catalog_contract SET valid_to = valid_from WHERE id = {draft.pk}",
    ):
        with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_a_document_is_attached_at_any_time_and_never_changed() -> None:
    contract = a_contract(an_account())
    document = ContractDocument.objects.create(
        contract=contract,
        name="frame.pdf",
        content_type="application/pdf",
        size=3,
        sha256="0" * 64,
        body=b"abc",
    )
    for deed in (
        lambda: ContractDocument.objects.update(body=b"abd"),
        lambda: ContractDocument.objects.all().delete(),
    ):
        with pytest.raises(Error), transaction.atomic():
            deed()
    document.refresh_from_db()
    assert bytes(document.body) == b"abc"
