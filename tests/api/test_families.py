"""Families by REST: where an account is billed, and whose amounts are on a document."""

from typing import Any

import pytest

from billing.models import Invoice
from o2b.customers.models import Account
from tests.api.conftest import As
from tests.api.problem import assert_problem
from tests.billing.families.worlds import a_family, an_account_with, tied
from tests.billing.pages import queries
from tests.billing.worlds import finalised
from tests.factories import a_tax_rate, an_account

pytestmark = pytest.mark.django_db

ACCOUNTS, INVOICES, RUNS = "/api/v1/accounts", "/api/v1/invoices", "/api/v1/bill-runs"


@pytest.fixture
def admin(as_: As) -> Any:
    return as_("administrator")


def test_an_account_is_tied_and_let_go(admin: Any) -> None:
    top, account = an_account(reference="TOP"), an_account()
    address = f"{ACCOUNTS}/{account.pk}"
    shown = admin.patch(address, {"parent": "TOP", "billed_to_parent": True}).json()
    assert (shown["parent"], shown["billed_to_parent"]) == ("TOP", True)
    shown = admin.patch(address, {"name": "Other"}).json()
    assert (shown["parent"], shown["billed_to_parent"]) == ("TOP", True)
    shown = admin.patch(address, {"billed_to_parent": False}).json()
    assert (shown["parent"], shown["billed_to_parent"]) == ("TOP", False)
    assert admin.patch(address, {"parent": None}).json()["parent"] is None
    opened = admin.post(
        ACCOUNTS,
        {
            "reference": "N-1",
            "name": "North",
            "legal_entity": "nordlicht",
            "parent": top.reference,
            "billed_to_parent": True,
        },
    )
    assert opened.status_code == 201
    assert opened.json()["billed_to_parent"] is True


@pytest.mark.parametrize(
    ("said", "status", "code", "field"),
    [
        ({"parent": "NOBODY"}, 404, "not_found", "parent"),
        ({"billed_to_parent": True}, 422, "family_invalid", "parent"),
        ({"parent": "SELF"}, 422, "family_invalid", "parent"),
        (
            {"parent": "DOLLARS", "billed_to_parent": True},
            422,
            "family_invalid",
            "billed_to_parent",
        ),
        ({"billed_to_parent": "maybe"}, 400, "malformed", "billed_to_parent"),
        ({"parent": "x" * 41}, 400, "malformed", "parent"),
    ],
)
def test_what_is_refused(
    admin: Any, said: dict[str, Any], status: int, code: str, field: str
) -> None:
    account = an_account(reference="SELF")
    an_account(reference="DOLLARS", currency="USD")
    answer = admin.patch(f"{ACCOUNTS}/{account.pk}", said)
    assert_problem(answer, status, code, field)
    account.refresh_from_db()
    assert (account.parent, account.billed_to_parent) == (None, False)


def test_who_bills_for_others_is_not_closed(admin: Any) -> None:
    top = an_account()
    tied(an_account(), top)
    assert_problem(admin.post(f"{ACCOUNTS}/{top.pk}/close"), 409, "bills_for_children")
    assert Account.objects.get(pk=top.pk).is_open


def test_a_document_tells_its_parts_and_is_found_by_its_members(as_: As) -> None:
    a_tax_rate("19")
    payer, first, second = a_family("10.00", "20.00", "30.00")
    other = an_account_with("5.00")
    finalised()
    finance = as_("finance")
    invoice = Invoice.objects.get(account=payer)
    shown = finance.get(f"{INVOICES}/{invoice.pk}").json()
    assert [
        (each["account"]["reference"], each["net"], each["tax"]) for each in shown["parts"]
    ] == [
        (payer.reference, "10", "1.9"),
        (first.reference, "20", "3.8"),
        (second.reference, "30", "5.7"),
    ]
    assert [line["account"] for line in shown["lines"]] == [
        payer.reference,
        first.reference,
        second.reference,
    ]
    assert finance.get(f"{INVOICES}/{invoice.pk}/pdf").status_code == 200
    for account, found in ((first, [invoice.pk]), (payer, [invoice.pk]), (other, None)):
        rows = finance.get(f"{INVOICES}?bills={account.reference}").json()["results"]
        assert [row["id"] for row in rows] == (found or [Invoice.objects.get(account=other).pk])
    plain = finance.get(f"{INVOICES}/{Invoice.objects.get(account=other).pk}").json()
    assert plain["parts"] == []
    assert plain["lines"][0]["account"] == other.reference


def test_a_member_is_not_billed_alone(as_: As) -> None:
    payer, member = a_family("10.00", "20.00")
    finance = as_("finance")
    said = {"legal_entity": "nordlicht", "on": "2026-01-31", "accounts": [member.reference]}
    problem = assert_problem(finance.post(RUNS, said), 422, "member_alone", "accounts")
    assert payer.reference in problem["detail"]
    said["accounts"] = [payer.reference]
    assert finance.post(RUNS, said).json()["account_ids"] == [payer.pk, member.pk]


def test_a_larger_family_asks_no_more_queries(as_: As) -> None:
    small, *_ = a_family("1.00", "2.00")
    large, *_ = a_family(*["1.00"] * 6)
    finalised()
    finance = as_("finance")
    counted = []
    for payer in (small, large):
        address = f"{INVOICES}/{Invoice.objects.get(account=payer).pk}"
        finance.get(address)
        counted.append(queries(finance, address))
    assert counted[0] == counted[1]
