"""Any trees, any of their accounts billed upwards: each is billed what it would be alone."""

import random
from collections import defaultdict
from datetime import date
from decimal import Decimal

import pytest

from billing.models import BillRun, Invoice, InvoiceLine
from o2b.customers.models import Account
from o2b.errors import Refused
from tests.billing.adjustments.build import a_coupon, has
from tests.billing.families.worlds import tied
from tests.billing.test_tax import rounds
from tests.billing.worlds import FEBRUARY, JANUARY, MARCH, finalised, in_service, parked
from tests.factories import a_product, a_tax_rate, an_account, monthly, setup_fee

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("re_executed")]
ACCOUNTS = 9
APRIL = date(2026, 4, 30)


def tie_some(rng: random.Random, accounts: list[Account]) -> dict[int, int]:
    """Tie them at random; a ring is refused. Account → payer, found by walking up."""
    for account in accounts:
        if rng.random() < 0.6:
            parent = rng.choice([*accounts, None])
            try:
                tied(account, parent, billed=rng.random() < 0.8)
            except Refused:
                continue
    known = {account.pk: account for account in Account.objects.all()}
    payers = {}
    for pk, account in known.items():
        above = account
        while above.billed_to_parent:
            assert above.parent_id is not None
            above = known[above.parent_id]
        payers[pk] = above.pk
    return payers


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_any_family(seed: int) -> None:
    rng = random.Random(seed)
    rounds(rng.choice(["line", "rate", "invoice"]))
    a_tax_rate("19")
    a_tax_rate("7", "reduced")
    products = [
        a_product(charges=[monthly("33.33"), setup_fee("25.01", tax_code="reduced")]),
        a_product(charges=[monthly("7.77", tax_code="reduced")]),
        a_product(charges=[monthly("0.03")]),
    ]
    silent = [an_account() for _ in range(2)]
    accounts = [
        in_service(rng.sample(products, rng.randint(1, 2)), account=an_account())
        for _ in range(ACCOUNTS)
    ]
    coupon = a_coupon("10")
    for account in rng.sample(accounts, 3):
        has(account, coupon)
    expected: dict[int, set[Decimal]] = {}
    for month in (JANUARY, FEBRUARY, MARCH, APRIL):
        payers = tie_some(rng, [*accounts, *silent])
        run = finalised(month)
        assert parked(run) == {}
        look_at(run, payers)
        if month > JANUARY:  # without the fee each month costs the same, whoever's bill it is on
            for pk, net in net_of(run).items():
                assert expected.setdefault(pk, {net}) == {net}
    assert set(expected) == {account.pk for account in accounts}
    periods = InvoiceLine.objects.values_list("charge_id", "period_start", "segment")
    assert len(set(periods)) == len(periods)


def look_at(run: BillRun, payers: dict[int, int]) -> None:
    """One document a payer, with the rows of his family alone; its parts are their sums."""
    documents = Invoice.objects.filter(run=run)
    assert documents.values("account").distinct().count() == documents.count()
    for invoice in documents:
        rows = defaultdict(lambda: [Decimal(0), Decimal(0)])
        for row in [*invoice.lines.all(), *invoice.adjustments.all()]:
            assert payers[row.account_id] == invoice.account_id
            rows[row.account_id][0] += row.amount
            rows[row.account_id][1] += row.tax
        assert [sum(each) for each in zip(*rows.values(), strict=True)] == [
            invoice.net,
            invoice.tax,
        ]
        kept = {part.account_id: [part.net, part.tax] for part in invoice.parts.all()}
        assert kept in ({}, rows)
        assert kept or set(rows) == {invoice.account_id}


def net_of(run: BillRun) -> dict[int, Decimal]:
    """account → all that the run bills it, on whatever document."""
    found: dict[int, Decimal] = defaultdict(Decimal)
    for invoice in Invoice.objects.filter(run=run):
        for row in [*invoice.lines.all(), *invoice.adjustments.all()]:
            found[row.account_id] += row.amount
    return found
