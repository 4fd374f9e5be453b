"""Where families meet split bills: a family has one document."""

import pytest
from django.db import transaction

from billing.models import Invoice
from o2b.customers.families import FamilyInvalid
from o2b.customers.models import Account
from o2b.customers.services import change_account
from tests.billing.documents.build import sold, split_by
from tests.billing.families.worlds import a_family, documents, tied
from tests.billing.worlds import AT, finalised
from tests.factories import an_account

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("re_executed")]


def split(account: Account) -> Account:
    """Say that its bills are split by purchase order."""
    kept = ("name", "advocate_id", "bill_day", "time_zone", "payment_days", "tax_exempt", "address")
    account.refresh_from_db()
    told = {name: getattr(account, name) for name in kept}
    return change_account(account_id=account.pk, **told, invoice_split="purchase_order", at=AT)


def test_who_shares_a_document_has_no_split_of_their_own() -> None:
    payer, member = a_family("10.00", "20.00")
    for account, word in ((payer, member.reference), (member, "account above")):
        with pytest.raises(FamilyInvalid, match=word) as refused, transaction.atomic():
            split(account)
        assert refused.value.field == "invoice_split"
    with pytest.raises(FamilyInvalid, match="several bills") as refused, transaction.atomic():
        tied(an_account(), split_by("site"))
    assert refused.value.field == "billed_to_parent"


def test_a_split_that_was_said_before_leaves_a_family_one_document() -> None:
    payer, member = a_family("10.00", "20.00")
    for account in (payer, member):
        sold(account, "5.00", po_number=f"PO-{account.pk}")
    Account.objects.filter(pk__in=[payer.pk, member.pk]).update(invoice_split="purchase_order")
    finalised()
    assert documents(payer) == [("40.00", "0.00", "40.00")]
    assert list(Invoice.objects.values_list("split", "about")) == [("", "")]
