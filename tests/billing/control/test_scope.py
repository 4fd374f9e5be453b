"""Bill days, groups, and a bill on demand."""

import pytest

from billing.models import BillRun
from billing.runs.selectors.scope import scope_of
from billing.runs.services import ScopeEmpty, open_run
from o2b import events
from o2b.customers.services import close_account
from tests.billing.control.test_variance import ended
from tests.billing.control.worlds import an_account_with, approved, equation
from tests.billing.pages import client_of
from tests.billing.worlds import AT, JANUARY, bills, drafted, in_service
from tests.factories import a_product, a_user, an_account, an_entity, monthly

pytestmark = pytest.mark.django_db


def opened(**told: object) -> BillRun:
    run = open_run(
        legal_entity_id=an_entity().pk, on=JANUARY, opened_by_id=a_user().pk, at=AT, **told
    )
    events.drain()
    run.refresh_from_db()
    return run


def test_a_cycle_bills_its_accounts_alone_and_two_go_side_by_side() -> None:
    first, mid = an_account_with("10.00"), an_account_with("20.00", bill_day=15)
    ours = an_account_with("30.00", bill_day=15, bill_group="north")
    run, group = opened(bill_day=1), opened(bill_day=15, bill_group="north")
    assert (run.account_ids, run.scope) == ([first.pk], "bill day 1")
    assert (group.account_ids, group.scope) == ([ours.pk], "bill day 15, group north")
    assert equation(run) == equation(group) == (1, 1, 0, 0, 1, 0)
    approved(run), approved(group)
    assert [len(bills(each)) for each in (first, mid, ours)] == [1, 0, 2]
    with pytest.raises(ScopeEmpty) as refused:
        opened(bill_group="south")
    assert refused.value.field == "bill_group"


def test_a_shard_asks_for_its_own_accounts_alone() -> None:
    accounts = [an_account_with("10.00") for _ in range(3)]
    run = opened(account_ids=[each.pk for each in accounts])
    shard = run.shards.get()
    shard.first_account = accounts[1].pk
    assert scope_of(run, shard).only == [accounts[1].pk, accounts[2].pk]


def test_one_click_bills_an_account_and_a_closed_one_gets_its_final_bill() -> None:
    account = in_service(
        [a_product(charges=[monthly("31.00", timing="arrears")])], account=an_account()
    )
    other = an_account_with("5.00")
    ended(account.pk, "2026-01-11")
    close_account(account_id=account.pk, at=AT)
    client = client_of("finance")
    page = client.get(f"/billing/of-account/{account.pk}/")
    assert "Final bill" in page.content.decode()
    response = client.post(f"/billing/of-account/{account.pk}/bill/")
    run = BillRun.objects.get()
    assert (response.headers["Location"], run.account_ids) == (
        run.get_absolute_url(),
        [account.pk],
    )
    events.drain()
    approved(BillRun.objects.get())
    assert [amount for *_, amount in bills(account)] == ["10.00"]
    assert bills(other) == []
    assert client_of("sales").post(f"/billing/of-account/{account.pk}/bill/").status_code == 403
    assert drafted(JANUARY) is not None
