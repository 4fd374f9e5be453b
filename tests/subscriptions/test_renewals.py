"""Renewals by the clock: each kind, what waits, what fails, what is told, and what is billed."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import InvoiceLine
from o2b.catalog.models import Contract, ContractPrice, Price, PriceBook, PriceBookVersion
from o2b.catalog.services import publish_price_book_version, sign_contract
from o2b.charging import from_canonical
from o2b.customers.models import Contact
from o2b.errors import Refused
from o2b.models import Event
from o2b.people.models import Notice
from orders.models import Order, OrderLine
from subscriptions.changes.services import change_services
from subscriptions.changes.wishes import When, Wish
from subscriptions.commitments import services
from subscriptions.commitments.services import Commit, commit, renew_by_hand, renew_due, renewal
from subscriptions.models import (
    Act,
    Commitment,
    Item,
    ItemChange,
    ItemVersion,
    PriceMove,
    RenewalDue,
)
from subscriptions.timelines.rebuilding import rebuild_versions
from tests.factories import LONG_AGO, a_product, monthly, reprice, setup_fee

pytestmark = pytest.mark.django_db
D = Decimal


def sold(world, code="line-30", charges=None, **given):
    """A service since 1 January 2026, committed for a year."""
    world.on("2026-01-01")
    charges = charges or [monthly("30.00"), setup_fee("12.00")]
    world.sell(products=[a_product(code=code, charges=charges)])
    item = Item.objects.latest("pk")
    agreed(world, item, **given)
    return item


def agreed(world, item, **given):
    wish = Commit(**{"item_id": item.pk, "months": 12, "starts_on": date(2026, 1, 1)} | given)
    commit(account_id=item.account_id, wishes=[wish], at=world.now, actor_id=None)
    world.settle()


def renewed(world, day):
    """All that is due on a day; how many were looked at."""
    world.on(day)
    done = 0
    while found := renew_due(machine_now=world.now):
        done += found
    world.settle()
    return done


def changed(world, item, act, **given):
    wish = Wish(item.pk, act, **given)
    change_services(account_id=item.account_id, wishes=[wish], at=world.now, actor_id=None)
    world.settle()


def running(item):
    found = Commitment.objects.filter(item=item).latest("number")
    return (found.number, str(found.starts_on), str(found.ends_on))


def prices(item):
    """What is believed: (from, unit price of the first charge, its keys)."""
    rows = ItemVersion.objects.filter(item=item, recorded__endswith=None).order_by("valid")
    found = []
    for version in rows.select_related("terms"):
        charges = from_canonical(version.terms.body).charges
        found.append((str(version.valid.lower), charges[0].unit_price, [c.key for c in charges]))
    return found


def last_bill(world):
    before = set(InvoiceLine.objects.values_list("pk", flat=True))
    run = world.bill(f"{world.today}")
    assert (run.state, world.parked()) == ("finalised", [])
    return sorted(f"{li.amount:.2f}" for li in InvoiceLine.objects.exclude(pk__in=before))


def written():
    kinds = (Order, OrderLine, ItemChange, ItemVersion, Commitment, Event, Notice)
    return (*(kind.objects.count() for kind in kinds), *RenewalDue.objects.values_list())


def test_at_the_same_price_only_the_term_is_new(world):
    item = sold(world)
    assert renewed(world, "2026-12-31") == 0
    assert renewed(world, "2027-01-01") == 1
    assert running(item) == (2, "2027-01-01", "2028-01-01")
    assert prices(item) == [("2026-01-01", D("30.00"), ["monthly", "setup"])]
    order = Order.objects.get(kind="renew")
    line = order.lines.get()
    assert (order.account, line.action, line.state) == (world.account, "commit", "completed")
    assert Event.objects.get(name="item.renewed").facts["ends_on"] == "2028-01-01"
    # It may run twice.
    before = written()
    assert renewed(world, "2027-01-01") == 0
    assert written() == before


def test_with_an_uplift_every_price_rises_and_no_set_up_is_owed_again(world):
    item = sold(world, renewal="uplift", uplift_percent="3.3333")
    world.bill("2026-12-01")
    assert renewed(world, "2027-01-01") == 1
    assert prices(item) == [
        ("2026-01-01", D("30.00"), ["monthly", "setup"]),
        ("2027-01-01", D("30.99999000"), ["monthly"]),
    ]
    assert OrderLine.objects.get(order__kind="renew").action == "terms"
    assert last_bill(world)[-1] == "31.00"
    renewed(world, "2028-01-01")
    assert prices(item)[-1][:2] == ("2028-01-01", D("32.03331267"))
    assert rebuild_versions(at=world.now, write=False).differences == ()


def test_at_the_price_list_of_that_day(world):
    item = sold(world, renewal="current")
    reprice(item.product_version, charges=[monthly("33.00"), setup_fee("20.00")])
    renewed(world, "2027-01-01")
    assert prices(item)[1:] == [("2027-01-01", D("33.00"), ["monthly"])]
    line = OrderLine.objects.get(order__kind="renew")
    assert line.book_version.book.is_default
    # Unchanged prices change nothing.
    renewed(world, "2028-01-01")
    assert len(prices(item)) == 2
    assert running(item) == (3, "2028-01-01", "2029-01-01")


def test_from_month_to_month_there_is_no_end_any_more(world):
    item = sold(world, renewal="monthly", notice_days=30)
    renewed(world, "2027-01-01")
    assert running(item) == (2, "2027-01-01", "None")
    assert not RenewalDue.objects.exists()
    with pytest.raises(Refused) as no:
        changed(world, item, Act.END)
    assert no.value.code == "notice_too_short"
    changed(world, item, Act.END, when=When.ON, on=date(2027, 1, 31))


def test_it_ends_with_its_term_and_owes_nothing(world):
    item = sold(world, renewal="end", leaving_fee="remaining")
    world.bill("2026-12-01")
    renewed(world, "2027-01-01")
    item.refresh_from_db()
    assert (item.state, str(item.ended_on)) == ("ended", "2027-01-01")
    assert OrderLine.objects.get(order__kind="renew").action == "end"
    assert not RenewalDue.objects.exists()
    assert last_bill(world) == []


def test_months_end_on_the_day_on_which_they_began(world):
    item = sold(world)
    agreed(world, item, starts_on=date(2026, 12, 31), months=2, renewal="same")
    assert running(item)[1:] == ("2026-12-31", "2027-02-28")
    renewed(world, "2027-02-28")
    assert running(item)[1:] == ("2027-02-28", "2027-04-30")
    renewed(world, "2027-04-30")
    assert running(item)[1:] == ("2027-04-30", "2027-06-30")
    renewed(world, "2027-06-30")
    renewed(world, "2027-08-31")
    assert running(item)[1:] == ("2027-08-31", "2027-10-31")


def test_what_was_missed_is_made_up_term_by_term(world):
    item = sold(world, months=3)
    assert renewed(world, "2026-11-15") == 3
    assert running(item) == (4, "2026-10-01", "2027-01-01")


def test_a_day_begins_where_the_account_lives(world):
    item = sold(world)
    item.account.time_zone = "Pacific/Auckland"
    item.account.save()
    assert renewed(world, "2026-12-31") == 1  # noon in UTC is the first of January there
    assert running(item)[1] == "2027-01-01"


def test_a_suspended_service_waits_and_its_advocate_is_told_once(world):
    item = sold(world, renewal="uplift", uplift_percent=10)
    changed(world, item, Act.SUSPEND, billing="none", when=When.ON, on=date(2026, 12, 20))
    world.on("2026-12-18").live("2027-01-03")
    assert running(item)[0] == 1
    assert RenewalDue.objects.get().waits
    assert Event.objects.filter(name="renewal.waits").count() == 1
    (told,) = Notice.objects.filter(key__startswith="renewal-waits")
    assert told.user == world.account.advocate
    changed(world, item, Act.RESUME, when=When.ON, on=date(2027, 1, 10))
    world.live("2027-01-09")
    assert running(item)[0] == 1
    world.live("2027-01-10")
    assert running(item) == (2, "2027-01-10", "2028-01-10")
    assert prices(item)[-1][:2] == ("2027-01-10", D("33"))


def test_renewal_by_hand_before_the_day(world):
    item = sold(world, renewal="uplift", uplift_percent=10)
    world.on("2026-06-01")
    asked = {"account_id": world.account.pk, "item_ids": [item.pk], "actor_id": None}
    (found,) = renew_by_hand(at=world.now, **asked)
    assert (found.number, str(found.ends_on)) == (2, "2028-01-01")
    assert [each[:2] for each in prices(item)] == [
        ("2026-01-01", D("30.00")),
        ("2027-01-01", D("33")),
    ]
    assert renewed(world, "2027-01-01") == 0


def test_renewal_by_hand_is_refused_during_a_suspension(world):
    item = sold(world)
    changed(world, item, Act.SUSPEND, billing="none", when=When.ON, on=date(2026, 12, 20))
    asked = {"account_id": world.account.pk, "item_ids": [item.pk], "actor_id": None}
    before = written()
    with pytest.raises(Refused) as no:
        renew_by_hand(at=world.now, **asked)
    assert (no.value.code, no.value.field) == ("suspended_then", "item")
    assert written() == before
    changed(world, item, Act.WITHDRAW, withdraws=2)
    changed(world, item, Act.END, when=When.ON, on=date(2027, 5, 1))
    with pytest.raises(Refused) as no:
        renew_by_hand(at=world.now, **asked)
    assert no.value.code == "after_end"


def test_without_a_term_there_is_nothing_to_renew(world):
    world.on("2026-01-01").sell()
    item = Item.objects.get()
    with pytest.raises(Refused) as no:
        renew_by_hand(account_id=world.account.pk, item_ids=[item.pk], at=world.now, actor_id=None)
    assert no.value.code == "nothing_to_renew"


def test_what_ends_anyway_is_not_renewed(world):
    item = sold(world, months=6)
    changed(world, item, Act.END, when=When.ON, on=date(2026, 9, 1))
    assert renewed(world, "2026-07-01") == 1
    assert running(item)[0] == 1
    assert str(RenewalDue.objects.get().due_on) == "2026-09-01"
    assert renewed(world, "2026-09-01") == 1
    assert not RenewalDue.objects.exists()
    assert Order.objects.filter(kind="renew").count() == 0


def test_one_bad_service_never_stops_the_rest(world, monkeypatch):
    good = sold(world)
    bad = sold(world, code="gone", charges=[monthly("5.00")], renewal="current")
    other = sold(world, code="third", charges=[monthly("6.00")])
    bad.product_version.product.versions.update(state="retired")
    reprice(bad.product_version, charges=[])
    renewed(world, "2027-01-01")
    assert [running(each)[0] for each in (good, bad, other)] == [2, 1, 2]
    # One order an account for all that renews.
    assert Order.objects.get(kind="renew").lines.count() == 2
    due = RenewalDue.objects.get(item=bad)
    assert (str(due.tried_on), bool(due.fault)) == ("2027-01-01", True)
    assert Event.objects.get(name="renewal.failed").subject_id == bad.pk
    assert Notice.objects.filter(key__startswith="renewal-failed").count() == 1
    # Tried once a day, told once.
    assert renewed(world, "2027-01-01") == 0
    assert renewed(world, "2027-01-02") == 1
    assert Notice.objects.filter(key__startswith="renewal-failed").count() == 1
    reprice(bad.product_version, charges=[monthly("8.00")])
    assert renewed(world, "2027-01-03") == 1
    assert running(bad) == (2, "2027-01-01", "2028-01-01")


def test_a_fault_of_ours_stops_only_the_one_that_has_it(world, monkeypatch):
    first, second, third = (sold(world, code=f"p{n}", charges=[monthly("6.00")]) for n in range(3))

    real = renewal.Renewing.next_term

    def breaks(self, line):
        if self.chain.root.pk == second.pk:
            raise RuntimeError("broken here")
        return real(self, line)

    monkeypatch.setattr(renewal.Renewing, "next_term", breaks)
    renewed(world, "2027-01-01")
    assert [running(each)[0] for each in (first, second, third)] == [2, 1, 2]
    assert "RuntimeError: broken here" in RenewalDue.objects.get(item=second).fault


def test_another_price_agreed_for_that_day_stays(world):
    item = sold(world, renewal="uplift", uplift_percent=10)
    a_product(code="line-50", charges=[monthly("50.00")])
    changed(world, item, Act.TERMS, product="line-50", when=When.ON, on=date(2027, 1, 1))
    renewed(world, "2027-01-01")
    assert running(item)[0] == 2
    assert prices(item)[-1][:2] == ("2027-01-01", D("50.00"))


def test_after_a_transfer_the_new_account_renews(world):
    item = sold(world)
    other = world.an_account()
    changed(world, item, Act.TRANSFER, to_account_id=other.pk, when=When.ON, on=date(2026, 6, 1))
    renewed(world, "2027-01-01")
    assert Order.objects.get(kind="renew").account == other
    assert running(item)[0] == 2


def test_as_many_statements_for_many_as_for_one(world):
    def statements(day):
        world.on(day)
        with CaptureQueriesContext(
            connection,
        ) as seen:
            renew_due(machine_now=world.now)
        return len(seen)

    sold(world, code="a", renewal="uplift", uplift_percent=2)
    few = statements("2027-01-01")
    for n in range(4):
        sold(
            world, code=f"more-{n}", charges=[monthly("30.00")], renewal="uplift", uplift_percent=2
        )
    assert Commitment.objects.count() == 6
    assert statements("2028-01-02") <= few + 2


# reminders


def test_advocates_are_reminded_once(world):
    item = sold(world, notice_days=60)
    sold(world, code="other", charges=[monthly("6.00")], notice_days=60)
    world.on("2026-10-02")
    assert services.remind_due(machine_now=world.now) == 0
    world.on("2026-10-03")
    assert services.remind_due(machine_now=world.now) == 2
    assert services.remind_due(machine_now=world.now) == 0
    (told,) = Notice.objects.filter(topic="renewals")
    assert told.user == world.account.advocate
    assert told.title == f"2 renewals of {world.account.name} come up"
    assert str(item) in told.text


# time does by itself what Terms say


def test_a_trial_ends_and_prices_step_by_themselves(world):
    details = {
        "trial": ["month", 1, False],
        "ramp": [[3, "40"], [6, "50"]],
    }
    item = sold(world, charges=[monthly("30.00", details=details)])
    held = []
    for day in ("2026-01-01", "2026-02-01", "2026-04-01", "2026-07-01"):
        world.on(day)
        held.append((day, last_bill(world)))
    assert held[0][1] == []
    assert held[1][1] == ["30.00"]
    assert held[2][1] == ["30.00", "40.00"]
    assert held[3][1] == ["40.00", "40.00", "50.00"]
    item.refresh_from_db()
    assert (item.state, item.revision) == ("active", 1)
    assert len(prices(item)) == 1


# prices of a new version of the book


def published(item, price, *, policy, notice_days=30, **given):
    """A new version of the default book in which the product costs something else."""

    book = PriceBook.objects.get(is_default=True, currency="EUR")
    number = book.versions.count() + 1
    fields = {"valid_from": date(2026, 6, 1)} | given
    version = PriceBookVersion.objects.create(
        book=book, number=number, policy=policy, notice_days=notice_days, **fields
    )
    before = book.versions.get(number=number - 1)
    for old in before.prices.exclude(product=item.product_version.product):
        old.pk, old.version = None, version
        old.save(force_insert=True)
    Price.objects.create(version=version, product=item.product_version.product, **monthly(price))
    publish_price_book_version(version_id=version.pk, at=datetime(2026, 2, 1, tzinfo=UTC))
    return version


def told_and_moved(world, day):
    world.on(day)
    for work in (services.tell_price_moves, services.move_prices):
        while work(machine_now=world.now):
            pass
    world.settle()


def test_prices_move_on_their_day_after_notice(world, mailoutbox):
    item = sold(world)
    Contact.objects.create(
        customer=world.account.customer, name="Dr. Hall", email="hall@example.com", signs=True
    )
    published(item, "36.00", policy="on_date", policy_on=date(2026, 7, 1))
    told_and_moved(world, "2026-05-24")
    assert not PriceMove.objects.exists()
    # 30 days and a week before.
    told_and_moved(world, "2026-05-25")
    move = PriceMove.objects.get()
    assert (str(move.told_on), str(move.moves_on), move.letter_owed) == (
        "2026-05-25",
        "2026-07-01",
        False,
    )
    (letter,) = [m for m in mailoutbox if "hall@example.com" in m.to]
    assert "30.00" in letter.body
    assert "36.00" in letter.body
    assert Notice.objects.filter(topic="renewals", key__startswith="prices-").count() == 1
    told_and_moved(world, "2026-06-30")
    assert len(prices(item)) == 1
    told_and_moved(world, "2026-07-01")
    assert prices(item)[1:] == [("2026-07-01", D("36.00"), ["monthly"])]
    order = Order.objects.get(kind="price_change")
    assert order.lines.get().action == "terms"
    move.refresh_from_db()
    assert (str(move.settled_on), move.order_line.order) == ("2026-07-01", order)
    before = written()
    told_and_moved(world, "2026-07-02")
    assert written() == before


def test_who_is_told_late_pays_later(world):
    item = sold(world)
    published(item, "36.00", policy="on_date", policy_on=date(2026, 7, 1))
    told_and_moved(world, "2026-06-20")
    assert str(PriceMove.objects.get().moves_on) == "2026-07-20"
    told_and_moved(world, "2026-07-01")
    assert len(prices(item)) == 1
    told_and_moved(world, "2026-07-20")
    assert prices(item)[-1][:2] == ("2026-07-20", D("36.00"))


def test_contract_prices_stay(world):
    item = sold(world)

    own = Contract.objects.create(account=world.account, code="C-own", valid_from=date(2025, 1, 1))
    ContractPrice.objects.create(
        contract=own, product=item.product_version.product, **monthly("20.00")
    )
    sign_contract(contract_id=own.pk, at=LONG_AGO)
    published(item, "36.00", policy="on_date", policy_on=date(2026, 7, 1))
    told_and_moved(world, "2026-07-01")
    assert len(prices(item)) == 1
    assert not PriceMove.objects.exclude(settled_on__isnull=False).exists()


def test_policy_keep_moves_nobody(world):
    item = sold(world)
    published(item, "36.00", policy="keep")
    told_and_moved(world, "2026-12-01")
    assert not PriceMove.objects.exists()


def test_prices_that_move_at_renewal_move_then(world):
    item = sold(world)
    kept = sold(world, code="kept", charges=[monthly("6.00")], renewal="uplift", uplift_percent=10)
    published(item, "36.00", policy="at_renewal", notice_days=60)
    told_and_moved(world, "2026-10-24")
    assert not PriceMove.objects.exists()
    told_and_moved(world, "2026-10-26")
    move = PriceMove.objects.get()
    assert (move.item, move.at_renewal, str(move.moves_on)) == (item, True, "2026-12-25")
    renewed(world, "2027-01-01")
    assert prices(item)[-1][:2] == ("2027-01-01", D("36.00"))
    assert prices(kept)[-1][:2] == ("2027-01-01", D("6.6"))
    move.refresh_from_db()
    assert str(move.settled_on) == "2027-01-01"


def test_told_too_late_for_this_renewal_moves_at_the_next(world):
    item = sold(world)
    published(item, "36.00", policy="at_renewal", notice_days=60)
    told_and_moved(world, "2026-12-01")
    renewed(world, "2027-01-01")
    assert len(prices(item)) == 1
    renewed(world, "2028-01-01")
    assert prices(item)[-1][:2] == ("2028-01-01", D("36.00"))


# two processes at it at once


@pytest.mark.django_db(transaction=True)
def test_two_at_once_renew_each_service_once(world):
    sold(world, renewal="uplift", uplift_percent=10)
    others = [world.an_account() for _n in range(3)]
    first = Item.objects.get()
    for n, account in enumerate(others):
        world.sell(account=account, products=[first.product_version])
        agreed(world, Item.objects.latest("pk"), renewal="uplift", uplift_percent=10 + n)
    world.on("2027-01-01")

    def work(_n):
        try:
            done = 0
            for _round in range(20):
                done += renew_due(machine_now=world.now, limit=1)
            return done
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(work, range(2)))
    assert sum(done) == 4
    assert Order.objects.filter(kind="renew").count() == 4
    assert sorted(Commitment.objects.values_list("number", flat=True)) == [1] * 4 + [2] * 4
