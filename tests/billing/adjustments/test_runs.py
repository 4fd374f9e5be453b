"""Coupons and minimums in bill runs: late ones, corrections, taxes, checks, frozen rows."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError

from billing.adjustments.mirroring import mirror_adjustments
from billing.adjustments.rules.targets import discounts
from billing.adjustments.services.granting import end_grant
from billing.adjustments.services.refusals import GivenAlready
from billing.explaining.selectors.adjusted import explain_adjustments
from billing.models import (
    BillRun,
    DraftAdjustment,
    Invoice,
    InvoiceAdjustment,
    InvoiceLine,
    ParkedAccount,
    Posting,
    Wallet,
)
from billing.runs.selectors import counts_of
from billing.runs.services import approve_run
from o2b import events
from o2b.customers.models import LegalEntity
from subscriptions.models import Act, Item
from tests.billing.adjustments.build import a_coupon, committed, documents, given_to, has
from tests.billing.wallets.build import granted as granted_money
from tests.billing.wallets.build import left, paid_by_wallet
from tests.billing.worlds import AT, by_hand, drafted, finalised, in_service
from tests.billing.worlds import parked as parked_in
from tests.factories import a_product, a_tax_rate, a_user, an_entity, monthly
from tests.scenarios.world import World
from tests.subscriptions.serving import told
from tests.subscriptions.usage.build import a_meter, a_metered_service, an_event, by_meter, taken

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("re_executed")]
D = Decimal


def test_a_percentage_comes_off_each_period_and_its_tax_and_is_posted_net() -> None:
    a_tax_rate("19")
    a_tax_rate("7", "reduced")
    account = in_service(
        [
            a_product(charges=[monthly("49.90")]),
            a_product(charges=[monthly("10.05", tax_code="reduced")]),
        ]
    )
    plain = in_service([a_product(charges=[monthly("49.90")])])
    has(account, a_coupon("10"))
    run = finalised()
    assert parked_in(run) == {}
    assert given_to(account) == [
        ("2026-01-01", "1", "-4.99", "-0.95"),
        ("2026-01-01", "1", "-1.01", "-0.07"),
    ]
    assert documents(account) == [("53.95", "9.16", "63.11")]
    assert documents(plain) == [("49.90", "9.48", "59.38")]
    posted = Posting.objects.filter(account_id=account.pk).order_by("credit")
    assert [(p.credit, f"{p.amount:.2f}") for p in posted] == [
        ("revenue", "53.95"),
        ("tax", "9.16"),
    ]
    assert counts_of(run_id=run.pk).holds
    assert not DraftAdjustment.objects.exists()
    assert Invoice.objects.get(account=account).line_count == 2


def test_the_first_periods_only(world: World) -> None:
    world.on("2026-01-01").sell(products=[a_product(charges=[monthly("100.00")])])
    has(world.account, a_coupon("25", periods=2))
    for month in ("01", "02", "03"):
        world.on(f"2026-{month}-01").bill()
    assert [row[:3] for row in given_to(world.account)] == [
        ("2026-01-01", "1", "-25.00"),
        ("2026-02-01", "1", "-25.00"),
    ]
    assert [net for net, *_ in documents(world.account)] == ["75.00", "75.00", "100.00"]


def test_a_coupon_granted_late_is_a_document_of_its_own(world: World) -> None:
    a_tax_rate("19")
    world.on("2026-01-01").sell(products=[a_product(charges=[monthly("100.00")])])
    world.bill()
    has(world.account, a_coupon("15", "amount"))
    world.on("2026-01-10").bill()
    assert documents(world.account) == [
        ("100.00", "19.00", "119.00"),
        ("-15.00", "-2.85", "-17.85"),
    ]
    credit = Invoice.objects.latest("serial")
    assert (credit.is_credit_note, credit.line_count) == (True, 0)
    assert world.bill().shards.get().nothing_due == 1  # once is enough
    assert len(documents(world.account)) == 2


def test_a_change_of_the_line_changes_its_discount_at_the_rate_of_its_bill(world: World) -> None:
    a_tax_rate("19", valid_until=date(2026, 1, 5))
    a_tax_rate("16", valid_from=date(2026, 1, 5))
    world.on("2026-01-01").sell(products=[a_product(charges=[monthly("100.00")])])
    has(world.account, a_coupon("10"))
    world.bill()
    world.on("2026-01-11")
    told(world, Item.objects.get(), Act.END)
    world.bill()
    # 10 of 31 days stay: 32.26, and 3.23 off it.
    assert given_to(world.account) == [
        ("2026-01-01", "1", "-10.00", "-1.90"),
        ("2026-01-01", "2", "6.77", "1.29"),
    ]
    assert documents(world.account) == [
        ("90.00", "17.10", "107.10"),
        ("-60.97", "-11.58", "-72.55"),
    ]
    # together: 32.26 - 3.23 = 29.03, and 6.13 - 0.61 of tax
    assert sum(i.tax for i in Invoice.objects.all()) == D("5.52")


def test_a_fixed_amount_is_shared_anew_when_more_comes_into_its_period(world: World) -> None:
    world.on("2026-01-01").sell(products=[a_product(charges=[monthly("100.00")])])
    has(world.account, a_coupon("30", "amount"))
    world.bill()
    world.sell(products=[a_product(charges=[monthly("200.00")])])
    world.bill()
    assert [row[1:3] for row in given_to(world.account)] == [
        ("1", "-30.00"),
        ("2", "20.00"),
        ("1", "-20.00"),
    ]
    assert [net for net, *_ in documents(world.account)] == ["70.00", "200.00"]


def test_several_coupons_and_products_in_the_order_of_their_grants(world: World) -> None:
    one, two = (a_product(code=code, charges=[monthly("100.00")]) for code in ("one", "two"))
    world.on("2026-01-01").sell(products=[one, two])
    has(world.account, a_coupon("20", "amount", products=["two"]))
    has(world.account, a_coupon("50"))
    world.bill()
    assert sorted(row[2] for row in given_to(world.account)) == ["-20.00", "-40.00", "-50.00"]
    assert documents(world.account) == [("90.00", "0.00", "90.00")]


@pytest.mark.parametrize("per", ["line", "rate", "invoice"])
def test_tax_is_rounded_together_with_the_lines(per: str) -> None:
    an_entity()
    LegalEntity.objects.update(conventions={"tax_rounding": per})
    a_tax_rate("15")
    account = in_service([a_product(charges=[monthly("0.10")]) for _ in range(4)])
    has(account, a_coupon("50"))
    finalised()
    (document,) = documents(account)
    # 4 x 0.02 less 4 x 0.01, or 15 % of 0.20 at once
    assert document == {"line": ("0.20", "0.04", "0.24")}.get(per, ("0.20", "0.03", "0.23"))


def test_a_minimum_is_billed_when_its_period_is_over_and_corrected_later(world: World) -> None:
    a_tax_rate("19")
    a_tax_rate("7", "minimum")
    world.on("2026-01-01").sell(products=[a_product(charges=[monthly("62.00")])])
    has(world.account, a_coupon("50", periods=1))
    committed(world.account, "100.00", tax_code="minimum")
    world.bill()
    assert given_to(world.account) == [("2026-01-01", "1", "-31.00", "-5.89")]
    world.on("2026-02-01").bill()
    # January: 62 less 31; February goes on.
    assert given_to(world.account)[1:] == [("2026-01-01", "1", "69.00", "4.83")]
    assert documents(world.account)[1] == ("131.00", "16.61", "147.61")
    told(world, Item.objects.get(), Act.END, on=date(2026, 1, 16))
    world.bill()
    # 15 of 31 days stay of January: 30.00 less 15.00, so 85 are missing; February is taken back.
    assert [row[1:] for row in given_to(world.account)[2:]] == [
        ("2", "16.00", "3.04"),
        ("2", "16.00", "1.12"),
    ]
    january = list(InvoiceAdjustment.objects.filter(period_start=date(2026, 1, 1)))
    lines = InvoiceLine.objects.filter(period_start=date(2026, 1, 1))
    assert sum(a.amount for a in january) + sum(x.amount for x in lines) == D(100)


def test_a_minimum_of_an_account_without_services_is_billed(world: World) -> None:
    account = world.account
    committed(account, "50.00", "2026-01-17")
    world.on("2026-02-01")
    run = world.bill()
    assert documents(account) == [("24.19", "0.00", "24.19")]  # 15 of 31 days
    counts = counts_of(run_id=run.pk)
    assert (counts.looked_at, counts.drafted, counts.holds) == (1, 1, True)
    world.bill()
    assert len(documents(account)) == 1


def test_an_ended_grant_keeps_what_it_gave(world: World) -> None:
    world.on("2026-01-01").sell(products=[a_product(charges=[monthly("100.00")])])
    grant = has(world.account, a_coupon("10"))
    world.bill()
    world.on("2026-01-20")
    asked = {"grant_id": grant.pk, "reason": "over", "by": a_user().pk, "at": world.now}
    with pytest.raises(GivenAlready):
        end_grant(on=date(2026, 1, 1), **asked)
    end_grant(on=date(2026, 1, 2), **asked)
    world.on("2026-02-01").bill()
    assert [net for net, *_ in documents(world.account)] == ["90.00", "100.00"]


def test_money_that_is_paid_ahead_gets_no_discount(world: World) -> None:
    charge = monthly("50.00", details={"grant": {"units": "50"}})
    world.on("2026-01-01").sell(products=[a_product(charges=[charge])])
    has(world.account, a_coupon("10"))
    world.bill()
    assert documents(world.account) == [("50.00", "0.00", "50.00")]


def test_a_draft_that_is_not_what_the_coupon_promises_is_parked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    account, good = (
        in_service([a_product(charges=[monthly("100.00")])]),
        in_service([a_product(charges=[monthly("20.00")])]),
    )
    for each in (account, good):
        has(each, a_coupon("10"))
    real = "billing.adjustments.rules.adjusting.discounts"

    def wrong(coupons, bases, currency):  # type: ignore[no-untyped-def]
        found = discounts(coupons, bases, currency)
        return {
            key: target._replace(amount=D("-10.01")) if target.amount == D("-10.00") else target
            for key, target in found.items()
        }

    monkeypatch.setattr(real, wrong)
    run = drafted()
    assert parked_in(run) == {account.pk: "amount"}
    assert "-1000 by a discount" in ParkedAccount.objects.get().reason
    assert counts_of(run_id=run.pk).holds


def test_postgres_refuses_an_adjustment_beside_its_document() -> None:
    account = in_service([a_product(charges=[monthly("100.00")])])
    has(account, a_coupon("10"))
    run = drafted()
    by_hand("UPDATE billing_draftadjustment SET amount = -9.99 WHERE run_id = %s", [run.pk])
    approve_run(run_id=run.pk, user_id=a_user().pk, at=AT)
    with pytest.raises(DatabaseError, match="do not add up"), transaction.atomic():
        events.drain()


def test_postgres_refuses_another_adjustment_later() -> None:
    account = in_service([a_product(charges=[monthly("100.00")])])
    has(account, a_coupon("10"))
    finalised()
    row = InvoiceAdjustment.objects.get()
    row.pk, row.revision, row.position = None, 2, 2
    with pytest.raises(DatabaseError, match="cannot be adjusted"), transaction.atomic():
        row.save(force_insert=True)


@pytest.mark.parametrize("statement", ["UPDATE billing_invoiceadjustment SET amount = 1",
                                       "DELETE FROM billing_invoiceadjustment"])  # fmt: skip
def test_what_was_given_is_frozen(statement: str) -> None:
    account = in_service([a_product(charges=[monthly("100.00")])])
    has(account, a_coupon("10"))
    finalised()
    refused = pytest.raises(DatabaseError, match="Cannot update or delete")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize("kind", ["percent", "amount", "minimum"])
def test_a_stored_adjustment_that_is_a_cent_off_is_told(kind: str, world: World) -> None:
    world.on("2026-01-01").sell(products=[a_product(charges=[monthly("62.00")])])
    if kind == "minimum":
        committed(world.account)
        world.bill()
    else:
        has(world.account, a_coupon("10", kind))
    world.on("2026-02-01").bill()
    row = InvoiceAdjustment.objects.earliest("pk")
    assert {each.equal for each in explain_adjustments(row.invoice)} == {True}
    change = "UPDATE billing_invoiceadjustment SET amount = amount {} 0.01 WHERE id = %s"
    by_hand(change.format("+"), [row.pk])
    found = explain_adjustments(row.invoice)[0]
    assert (found.equal, found.again.amount) == (False, row.amount)
    by_hand(change.format("-"), [row.pk])


def test_a_stored_coupon_that_is_changed_by_hand_is_told(world: World) -> None:
    world.on("2026-01-01").sell(products=[a_product(charges=[monthly("62.00")])])
    has(world.account, a_coupon("10"))
    world.bill()
    by_hand("UPDATE billing_coupon SET value = 11", [])
    (found,) = explain_adjustments(Invoice.objects.get())
    assert found.equal is False
    by_hand("UPDATE billing_coupon SET value = 10", [])


def test_a_wallet_pays_what_is_left_after_discounts(world: World) -> None:
    a_meter()
    item = a_metered_service(world, by_meter(price="1.00"))
    world.sell(products=[a_product(charges=[monthly("50.00")])])
    granted_money(world, "500")
    taken(an_event(item, "100", f"{world.today}T08:00:00Z"), now=world.now.isoformat())
    has(world.account, a_coupon("50"), str(world.today.replace(day=1)))
    world.on("2026-04-01").bill()
    usage = InvoiceLine.objects.get(charge__terms_charge__kind="usage", amount__gt=0)
    assert usage.amount == 100
    assert paid_by_wallet(world.account)[0][1] == "50.00"


def test_lagos_invoice_of_two_subscriptions(world: World) -> None:
    """Published by Lago: three coupons over eight fees at two rates, tax once an invoice."""
    LegalEntity.objects.update(conventions={"tax_rounding": "invoice"})
    a_tax_rate("10")
    a_tax_rate("20", "twenty")
    fees = [("10", ""), ("20", "twenty"), ("30", ""), ("40", "")] * 2
    products = [
        a_product(code=f"fee-{n}", charges=[monthly(price, tax_code=code)])
        for n, (price, code) in enumerate(fees)
    ]
    world.on("2026-01-01").sell(products=products)
    has(world.account, a_coupon("20", "amount", products=["fee-0", "fee-1"]))
    has(world.account, a_coupon("10", "amount", products=[f"fee-{n}" for n in range(4, 8)]))
    has(world.account, a_coupon("5", "amount"))
    world.bill()
    assert documents(world.account) == [("165.00", "18.89", "183.89")]


def test_a_document_that_is_taken_back_takes_its_discounts_back(world: World) -> None:
    """As a reversal drafts it: the mirror of a document's adjustments, explained as such."""
    a_tax_rate("19")
    world.on("2026-01-01").sell(products=[a_product(charges=[monthly("100.00")])])
    has(world.account, a_coupon("10"))
    world.bill()
    world.on("2026-01-11")
    told(world, Item.objects.get(), Act.END)
    world.bill()
    first, second = world.invoices()
    shard = BillRun.objects.latest("pk").shards.get()
    originals = {901: first.pk, 902: second.pk}
    mirrored = mirror_adjustments(run_id=shard.run_id, shard_id=shard.pk, originals=originals)
    rows = DraftAdjustment.objects.order_by("invoice_id")
    assert mirrored == 2
    assert [(r.revision, f"{r.amount:.2f}", f"{r.tax:.2f}", r.basis) for r in rows] == [
        (3, "10.00", "1.90", {"reverses": 1}),
        (4, "-6.77", "-1.29", {"reverses": 2}),
    ]
    rows.delete()


def test_a_wallet_gets_back_what_it_paid_for_less_its_discount(world: World) -> None:
    world.on("2026-01-01").sell(products=[a_product(charges=[monthly("62.00")])])
    granted_money(world, "500")
    Wallet.objects.update(covers="all")
    has(world.account, a_coupon("50"))
    world.bill()
    assert left(world.account) == "469.00"
    world.on("2026-01-11")
    told(world, Item.objects.get(), Act.END)
    world.bill()
    assert left(world.account) == "490.00"  # 20 of 62 stay, half of it was paid
    assert documents(world.account)[1] == ("-21.00", "0.00", "-21.00")
