"""Families in real runs: one document for all, every amount its member's, nothing lost or twice."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from billing.families.services.opening import MemberAlone
from billing.models import BillRun, FamilyMember, Invoice, InvoiceLine, Posting, Shard, Variance
from billing.runs.selectors import counts_of
from billing.runs.selectors.looking import bills_to_look_at
from billing.runs.services import open_run
from o2b import events
from o2b.customers.models import Account
from tests.billing.adjustments.build import a_coupon, committed, has
from tests.billing.control.worlds import approved, equation
from tests.billing.families.worlds import (
    a_family,
    an_account_with,
    documents,
    lines_on,
    parts,
    tied,
)
from tests.billing.payers import agreed
from tests.billing.test_journal import a_year, books, posted
from tests.billing.test_tax import rounds
from tests.billing.worlds import (
    AT,
    FEBRUARY,
    JANUARY,
    MARCH,
    bills,
    drafted,
    finalised,
    in_service,
    numbers,
    parked,
)
from tests.factories import a_product, a_tax_rate, a_user, an_account, an_entity

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("re_executed")]
D = Decimal


def test_a_family_gets_one_document_with_the_lines_of_all() -> None:
    a_tax_rate("19")
    payer, first, second = a_family("10.00", "20.00", "30.00")
    other = an_account_with("5.00")
    run = drafted()
    assert (run.families, equation(run)) == (1, (4, 4, 0, 0, 4, 0))
    assert counts_of(run_id=run.pk).invoices == 2
    approved(run)
    assert documents(payer) == [("60.00", "11.40", "71.40")]
    assert documents(first) == documents(second) == []
    assert documents(other) == [("5.00", "0.95", "5.95")]
    assert lines_on(payer) == [
        (payer.pk, "10.00"),
        (first.pk, "20.00"),
        (second.pk, "30.00"),
    ]
    assert parts(payer) == [
        (payer.pk, "10.00", "1.90"),
        (first.pk, "20.00", "3.80"),
        (second.pk, "30.00", "5.70"),
    ]
    assert numbers() == ["INV-00000001", "INV-00000002"]
    positions = InvoiceLine.objects.filter(invoice__account=payer).order_by("position")
    assert list(positions.values_list("position", flat=True)) == [1, 2, 3]
    posted = Posting.objects.filter(invoice_id=Invoice.objects.get(account=payer).pk)
    assert set(posted.values_list("account_id", "debit")) == {(payer.pk, "receivable")}
    assert sorted(posted.values_list("amount", flat=True)) == [D("11.40"), D("60.00")]
    assert [shard.families for shard in Shard.objects.order_by("n")] == [0, 1]


def test_it_is_paid_when_its_payer_pays() -> None:
    payer = an_account_with("10.00", payment_days=30)
    tied(an_account_with("20.00", payment_days=7), payer)
    finalised()
    assert Invoice.objects.get().due_on == JANUARY + timedelta(days=30)


def test_a_payer_who_has_nothing_himself_gets_the_document_of_his_members() -> None:
    payer = an_account(payment_days=5)
    first = tied(an_account_with("20.00"), payer)
    grandchild = tied(an_account_with("30.00"), first)
    run = finalised()
    assert parked(run) == {}
    assert lines_on(payer) == [(first.pk, "20.00"), (grandchild.pk, "30.00")]
    invoice = Invoice.objects.get()
    assert (invoice.account, invoice.due_on) == (payer, JANUARY + timedelta(days=5))


def test_who_has_bills_of_his_own_pays_for_those_below() -> None:
    top, middle, bottom = an_account_with("1.00"), an_account_with("2.00"), an_account_with("3.00")
    tied(middle, top, billed=False)
    tied(bottom, middle)
    finalised()
    assert documents(top) == [("1.00", "0.00", "1.00")]
    assert lines_on(middle) == [(middle.pk, "2.00"), (bottom.pk, "3.00")]


def test_the_next_month_is_compared_with_what_each_came_to() -> None:
    payer, first, second = a_family("10.00", "20.00", "30.00")
    finalised()
    run = drafted(FEBRUARY)
    assert variances(run) == {
        payer.pk: ("10.00", ""),
        first.pk: ("20.00", ""),
        second.pk: ("30.00", ""),
    }
    assert bills_to_look_at(run_id=run.pk) == []
    approved(run)
    assert documents(payer) == [("60.00", "0.00", "60.00")] * 2
    tied(first, None)
    run = drafted(MARCH)
    assert variances(run)[first.pk] == ("20.00", "")
    assert variances(run)[payer.pk] == ("10.00", "")


def test_each_advocate_looks_at_his_own_first_bill() -> None:
    payer, member = a_family("10.00", "20.00")
    run = drafted()
    told = {
        each.account_id: (each.advocate_id, each.net) for each in bills_to_look_at(run_id=run.pk)
    }
    assert told == {
        payer.pk: (payer.advocate_id, D("10.00")),
        member.pk: (member.advocate_id, D("20.00")),
    }


@pytest.mark.parametrize(("per", "tax"), [("line", "0.00"), ("rate", "0.01"), ("invoice", "0.01")])
def test_tax_is_rounded_once_for_the_whole_document(per: str, tax: str) -> None:
    rounds(per)
    a_tax_rate("10")
    payer, *_members = a_family("0.04", "0.04", "0.04")
    run = drafted()
    assert counts_of(run_id=run.pk).holds
    assert f"{D(run_tax(run)):.2f}" == tax  # who approves sees it as it will be
    approved(run)
    assert documents(payer) == [("0.12", tax, f"{D('0.12') + D(tax):.2f}")]


def run_tax(run: BillRun) -> str:
    shard = Shard.objects.get(run=run, families=1)
    tax: str = shard.totals["EUR"]["tax"]
    return tax


def test_discounts_and_minimums_stay_with_their_member() -> None:
    a_tax_rate("19")
    rounds("invoice")
    payer, saves, commits = a_family("10.00", "20.00", "30.00")
    has(saves, a_coupon("10"))
    committed(commits, "100.00")
    silent = tied(an_account(), payer)
    committed(silent, "7.00")
    tied(an_account(), payer)  # nothing was ever ordered there
    run = drafted(FEBRUARY)
    assert (parked(run), equation(run)) == ({}, (4, 4, 0, 0, 4, 0))
    approved(run)
    net = {account: D(net) for account, net, _tax in parts(payer)}
    assert net == {payer.pk: 20, saves.pk: 36, commits.pk: 130, silent.pk: 7}
    invoice = Invoice.objects.get()
    assert (invoice.net, invoice.tax) == (D("193"), D("36.67"))
    assert {row.account_id for row in invoice.adjustments.all()} == {
        saves.pk,
        commits.pk,
        silent.pk,
    }


def test_a_member_may_pay_a_part_of_anothers_line() -> None:
    payer, first, second = a_family("10.00", "20.00", "30.00")
    outside = an_account_with("40.00")
    agreed(first, (second, "50"))
    agreed(outside, (first, "25"))
    assert parked(finalised()) == {}
    assert parts(payer) == [
        (payer.pk, "10.00", "0.00"),
        (first.pk, "20.00", "0.00"),  # half of 20, a quarter of 40
        (second.pk, "40.00", "0.00"),
    ]
    assert documents(outside) == [("30.00", "0.00", "30.00")]


def test_what_is_billed_ahead_is_deferred_in_the_payers_books() -> None:
    books(defer_revenue=True)
    payer, member = (in_service([a_product(charges=[a_year("100.00")])]) for _ in range(2))
    tied(member, payer)
    finalised()
    invoice = Invoice.objects.get()
    rows = posted(invoice)
    assert rows[:2] == [
        ("2026-01-31", "receivable", "deferred", "183.02"),
        ("2026-01-31", "receivable", "revenue", "16.98"),
    ]
    assert sum(D(row[3]) for row in rows[2:]) == D("183.02")
    assert set(Posting.objects.values_list("account_id", flat=True)) == {payer.pk}


def test_joining_and_leaving_between_runs_loses_nothing_and_bills_nothing_twice() -> None:
    payer, member = an_account_with("10.00"), an_account_with("20.00")
    finalised()
    tied(member, payer)
    finalised(FEBRUARY)
    tied(member, None)
    finalised(MARCH)
    assert documents(member) == [("20.00", "0.00", "20.00")] * 2
    assert documents(payer) == [
        ("10.00", "0.00", "10.00"),
        ("30.00", "0.00", "30.00"),
        ("10.00", "0.00", "10.00"),
    ]
    own = InvoiceLine.objects.filter(account_id=member.pk).order_by("period_start")
    assert [str(line.period_start) for line in own] == ["2026-01-01", "2026-02-01", "2026-03-01"]


def test_what_changes_while_a_run_is_open_is_for_the_next_one() -> None:
    payer, member = a_family("10.00", "20.00")
    late = an_account_with("5.00")
    run = drafted()
    tied(member, None)
    tied(late, payer)
    approved(run)
    assert documents(payer) == [("30.00", "0.00", "30.00")]
    assert documents(late) == [("5.00", "0.00", "5.00")]
    finalised(FEBRUARY)
    assert documents(payer)[1:] == [("15.00", "0.00", "15.00")]
    assert documents(member) == [("20.00", "0.00", "20.00")]


def test_a_payer_brings_his_members_and_a_member_is_not_billed_alone() -> None:
    payer, member = a_family("10.00", "20.00")
    an_account_with("5.00")
    entity, by = an_entity().pk, a_user().pk
    with pytest.raises(MemberAlone) as refused, transaction.atomic():
        open_run(
            legal_entity_id=entity, on=JANUARY, opened_by_id=by, at=AT, account_ids=[member.pk]
        )
    assert payer.reference in refused.value.message
    assert refused.value.field == "accounts"
    assert not BillRun.objects.exists()
    run = finalised(account_ids=[payer.pk])
    assert (run.account_ids, run.families) == ([payer.pk, member.pk], 1)
    assert documents(payer) == [("30.00", "0.00", "30.00")]
    assert Invoice.objects.count() == 1


def test_the_bill_day_of_the_payer_counts() -> None:
    payer, member = a_family("10.00", "20.00")
    Account.objects.filter(pk=payer.pk).update(bill_day=15, bill_group="early")
    Account.objects.filter(pk=member.pk).update(bill_day=20, bill_group="late")
    other = an_account_with("5.00", bill_day=20, bill_group="late")
    chosen = []
    for told in ({"bill_day": 20}, {"bill_day": 15}, {"bill_group": "early"}):
        with transaction.atomic():
            run = open_run(
                legal_entity_id=an_entity().pk,
                on=JANUARY,
                opened_by_id=a_user().pk,
                at=AT,
                kind=BillRun.Kind.REHEARSAL,
                **told,  # type: ignore[arg-type]
            )
        chosen.append((run.account_ids, run.families))
    assert chosen == [([other.pk], 0), ([payer.pk, member.pk], 1), ([payer.pk, member.pk], 1)]


def test_a_rehearsal_of_families_is_thrown_away() -> None:
    payer, _member = a_family("10.00", "20.00")
    run = open_run(
        legal_entity_id=an_entity().pk,
        on=JANUARY,
        opened_by_id=a_user().pk,
        at=AT,
        kind=BillRun.Kind.REHEARSAL,
    )
    events.drain()
    assert equation(run) == (2, 2, 0, 0, 2, 0)
    finalised()
    assert documents(payer) == [("30.00", "0.00", "30.00")]


def test_families_are_cut_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("billing.runs.services.opening.MOST_ACCOUNTS", 3)
    families = [a_family("1.00", "2.00") for _ in range(4)]
    alone = [an_account_with("3.00") for _ in range(4)]
    run = drafted()
    shards = list(Shard.objects.filter(run=run).order_by("n"))
    assert [(s.families, s.planned_accounts) for s in shards] == [
        (0, 3),
        (0, 1),
        (1, 2),
        (1, 2),
        (1, 2),
        (1, 2),
    ]
    assert equation(run) == (12, 12, 0, 0, 12, 0)
    approved(run)
    assert [documents(payer) for payer, _member in families] == [[("3.00", "0.00", "3.00")]] * 4
    assert [len(bills(account)) for account in alone] == [1] * 4
    assert FamilyMember.objects.filter(shard=None).count() == 0


def variances(run: BillRun) -> dict[int, tuple[str, str]]:
    """account → (its last bill, the rule that marks it)."""
    return {v.account_id: (f"{v.before:.2f}", v.rule) for v in Variance.objects.filter(run=run)}


def test_a_run_without_families_asks_of_them_a_few_times_however_many_accounts() -> None:
    an_account_with("5.00")
    finalised()
    counted = []
    for month, more in ((FEBRUARY, 1), (MARCH, 5)):
        for _ in range(more):
            an_account_with("5.00")
        with CaptureQueriesContext(connection) as captured:
            run = finalised(month)
        assert run.families == 0
        counted.append(about(captured, "familymember", "invoicepart"))
    # who is in a family, at opening; whether the last bills of the shard have parts; how many
    # documents there will be, on approval; whose bill is the first of their lives (two)
    assert counted == [5, 5]


def test_a_larger_family_is_drafted_by_as_many_statements() -> None:
    rounds("invoice")
    a_tax_rate("19")
    payer, *_members = a_family("1.00", "2.00")
    finalised()
    counted = []
    for month, more in ((FEBRUARY, 1), (MARCH, 5)):
        for _ in range(more):
            tied(an_account_with("2.00"), payer)
        with CaptureQueriesContext(connection) as captured:
            finalised(month)
        counted.append(about(captured, "familymember", "invoicepart", "billing_draft"))
    assert counted[0] == counted[1]


def about(captured: CaptureQueriesContext, *tables: str) -> int:
    """How many statements name one of these tables."""
    said = [each["sql"] for each in captured.captured_queries]
    return sum(any(table in sql for table in tables) for sql in said)
