"""What may be used on a day: the rules in tables, and the questions over rows."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from o2b.catalog.models import Product
from o2b.customers.models import Account, Customer
from o2b.models import TestClock
from o2b.people.models import User
from o2b.periods import FOREVER, Period
from orders.models import LicenceKey, Task
from subscriptions.entitlements import selectors
from subscriptions.entitlements.rules import (
    Holding,
    Reason,
    Verdict,
    days_of,
    run_around,
    together,
    verdict,
)
from subscriptions.entitlements.selectors import Whose
from subscriptions.models import Equipment, Item
from tests.factories import a_product, a_user, an_account
from tests.subscriptions.having import Days, an_item

JAN, FEB, MAR, APR = (date(2026, month, 1) for month in (1, 2, 3, 4))
NOW = datetime(2026, 2, 15, 12, tzinfo=UTC)
DAY = NOW.date()


def held(start: date, end: date | None, quantity: str = "1", in_use: bool = True) -> Holding:
    return Holding(days_of(start, end), in_use, Decimal(quantity))


YES, NO = True, False
TABLE = [
    ([held(JAN, None)], Verdict(YES, Decimal(1))),
    ([held(JAN, FEB), held(FEB, None, "3")], Verdict(YES, Decimal(3))),
    ([held(JAN, MAR)], Verdict(YES, Decimal(1), until=MAR)),
    ([held(JAN, MAR), held(MAR, APR)], Verdict(YES, Decimal(1), until=APR)),
    ([held(JAN, MAR), held(APR, None)], Verdict(YES, Decimal(1), until=MAR)),
    ([held(JAN, MAR), held(MAR, None, in_use=False)], Verdict(YES, Decimal(1), until=MAR)),
    ([held(JAN, MAR), held(JAN, None, "4")], Verdict(YES, Decimal(5))),
    ([held(JAN, FEB), held(FEB, None, "9", NO)], Verdict(NO, reason=Reason.SUSPENDED, since=FEB)),
    (
        [held(JAN, FEB, in_use=NO), held(FEB, APR, in_use=NO)],
        Verdict(NO, reason=Reason.SUSPENDED, since=JAN),
    ),
    ([held(JAN, None, in_use=NO), held(JAN, None, "2")], Verdict(YES, Decimal(2))),
    ([held(MAR, None)], Verdict(NO, reason=Reason.NOT_STARTED, since=MAR)),
    ([held(JAN, FEB), held(MAR, None)], Verdict(NO, reason=Reason.NOT_STARTED, since=MAR)),
    ([held(date(2025, 1, 1), JAN)], Verdict(NO, reason=Reason.ENDED, since=JAN)),
    ([held(JAN, DAY)], Verdict(NO, reason=Reason.ENDED, since=DAY)),
    ([held(DAY, None)], Verdict(YES, Decimal(1))),
    ([], Verdict(NO, reason=Reason.NEVER)),
]


@pytest.mark.parametrize(("holdings", "expected"), TABLE)
def test_the_verdict_of_a_day(holdings: list[Holding], expected: Verdict) -> None:
    assert verdict(holdings, DAY) == expected
    assert verdict(holdings[::-1], DAY) == expected


def test_a_run_has_no_gap() -> None:
    periods = [Period(MAR, FOREVER), Period(JAN, FEB), Period(FEB, date(2026, 2, 20))]
    assert run_around(periods, DAY) == Period(JAN, date(2026, 2, 20))
    assert run_around(periods, date(2026, 2, 20)) is None
    assert run_around(periods, date(2025, 2, 20)) is None


def test_what_any_account_may_use_the_customer_may() -> None:
    no = Verdict(NO, reason=Reason.NEVER)
    halted = Verdict(NO, reason=Reason.SUSPENDED, since=JAN)
    some, more = Verdict(YES, Decimal(2), until=MAR), Verdict(YES, Decimal(3), until=APR)
    assert together([no, some, halted, more]) == Verdict(YES, Decimal(5), until=APR)
    assert together([some, Verdict(YES, Decimal(1))]).until is None
    assert together([no, halted]) == halted


# over rows

pytestmark = pytest.mark.django_db


def check(by: str, value: Any, product: str, on: date | None = None) -> Verdict:
    found = selectors.check(whose=Whose(by, value), product=product, on=on, machine_now=NOW)
    return found.verdict


@pytest.fixture
def account() -> Account:
    return an_account(reference="A-4711")


def test_a_check_is_one_statement(account: Account) -> None:
    suite = a_product(code="suite")
    for _ in range(3):
        an_item(account, suite, Days(JAN, quantity="2"))
    an_item(an_account(), suite, Days(JAN))
    check("account", "A-4711", "suite")  # the connection plans it, once
    with CaptureQueriesContext(connection) as captured:
        assert check("account", "A-4711", "suite") == Verdict(YES, Decimal(6))
    assert len(captured) == 1


def test_what_is_not_believed_any_more_entitles_nobody(account: Account) -> None:
    suite = a_product(code="suite")
    an_item(
        account,
        suite,
        Days(JAN, quantity="9", until_known=NOW),
        Days(JAN, MAR, quantity="2", known=NOW),
    )
    assert check("account", "A-4711", "suite") == Verdict(YES, Decimal(2), until=MAR)
    assert check("account", "A-4711", "suite", on=MAR).reason == Reason.ENDED


def test_an_upgrade_ends_one_product_and_begins_another(account: Account) -> None:
    basic, pro = a_product(code="basic"), a_product(code="pro")
    an_item(account, basic, Days(JAN, FEB), Days(FEB, None, version=pro))
    assert check("account", "A-4711", "basic") == Verdict(NO, reason=Reason.ENDED, since=FEB)
    assert check("account", "A-4711", "pro") == Verdict(YES, Decimal(1))
    assert check("account", "A-4711", "basic", on=JAN) == Verdict(YES, Decimal(1), until=FEB)


def test_the_day_is_the_accounts_own() -> None:
    suite = a_product(code="suite")
    late = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)
    for zone, expected in (("Europe/Berlin", True), ("America/New_York", False)):
        one = an_account(time_zone=zone)
        an_item(one, suite, Days(FEB))
        found = selectors.check(
            whose=Whose("account_id", one.pk), product="suite", machine_now=late
        )
        assert (found.verdict.entitled, found.on) == (
            expected,
            FEB if expected else date(2026, 1, 31),
        )


def test_under_a_test_clock_it_is_the_clocks_day() -> None:
    suite = a_product(code="suite")
    far = datetime(2030, 5, 1, 12, tzinfo=UTC)
    one = an_account(test_clock=TestClock.objects.create(name="later", now=far))
    an_item(one, suite, Days(JAN, date(2030, 1, 1)))
    found = selectors.check(whose=Whose("account_id", one.pk), product="suite", machine_now=NOW)
    assert (found.on, found.verdict.reason) == (far.date(), Reason.ENDED)
    assert not selectors.entitlements(whose=Whose("account_id", one.pk), machine_now=NOW).usable


def test_by_customer_serial_and_licence_key() -> None:
    suite, other = a_product(code="suite"), a_product(code="other")
    customer = Customer.objects.create(name="Acme")
    one, two = (an_account(customer=customer) for _ in range(2))
    first = an_item(one, suite, Days(JAN, quantity="2"), serial="TOP-1")
    second = an_item(two, suite, Days(JAN, quantity="3"))
    an_item(two, other, Days(JAN))
    Equipment.objects.create(
        item=second, account=two, product_version=suite, serial="SN-2", installed_on=JAN
    )
    key_of(second, "AAAA-BBBB", state="issued")
    key_of(first, "GONE-GONE", state="revoked")
    assert check("customer", customer.pk, "suite").quantity == 5
    assert check("serial", "TOP-1", "suite").quantity == 2
    assert check("serial", "SN-2", "suite").quantity == 3
    assert check("serial", "SN-2", "other").reason == Reason.NEVER
    assert check("key", "AAAA-BBBB", "suite").quantity == 3
    for by, value in (("serial", "SN-3"), ("serial", ""), ("key", "GONE-GONE"), ("customer", 0)):
        with pytest.raises(Account.DoesNotExist):
            check(by, value, "suite")


def test_a_transfer_takes_serial_and_key_along() -> None:
    suite = a_product(code="suite")
    one, two = an_account(), an_account()
    first = an_item(one, suite, Days(JAN, FEB))
    second = an_item(two, suite, Days(FEB), root=first, in_service={"item_id": first.pk})
    Equipment.objects.create(
        item=first, account=one, product_version=suite, serial="SN-1", installed_on=JAN
    )
    key_of(first, "AAAA-BBBB", state="issued")
    for by, value in (("serial", "SN-1"), ("key", "AAAA-BBBB")):
        assert check(by, value, "suite") == Verdict(YES, Decimal(1))
        (only,) = selectors.entitlements(whose=Whose(by, value), machine_now=NOW).usable
        assert (only.account, only.item, list(only.serials)) == (
            two.reference,
            second.number,
            ["SN-1"],
        )
    assert check("account_id", one.pk, "suite").reason == Reason.ENDED


def test_a_fee_for_leaving_is_nothing_that_is_had(account: Account) -> None:
    suite = a_product(code="suite")
    gone = an_item(account, suite, Days(JAN, FEB))
    an_item(
        account,
        suite,
        Days(FEB, date(2026, 2, 2), standing="suspended"),
        in_service={"item_id": gone.pk},
    )
    ended = Verdict(NO, reason=Reason.ENDED, since=FEB)
    assert check("account", "A-4711", "suite", on=FEB) == ended
    assert check("account", "A-4711", "suite") == ended
    found = selectors.entitlements(whose=Whose("account", "A-4711"), on=FEB, machine_now=NOW)
    assert (found.usable, found.suspended) == ([], [])


def test_no_product_and_nobody_are_told_apart_from_nothing(account: Account) -> None:
    a_product(code="suite")
    assert check("account", "A-4711", "suite") == Verdict(NO, reason=Reason.NEVER)
    with pytest.raises(Product.DoesNotExist):
        check("account", "A-4711", "siute")
    with pytest.raises(Account.DoesNotExist):
        check("account", "A-4712", "suite")


def test_all_that_may_be_used(account: Account) -> None:
    suite, team, gone = (a_product(code=code) for code in ("suite", "team", "gone"))
    moved = an_item(an_account(), suite, Days(JAN), characteristics={"site": "Wien"}).order_line
    one = an_item(
        account,
        suite,
        Days(JAN, FEB, "2"),
        Days(FEB, APR, "3", line=moved),
        characteristics={"site": "Berlin"},
    )
    two = an_item(account, team, Days(JAN, FEB), Days(FEB, None, standing="suspended"))
    an_item(account, gone, Days(JAN, FEB))
    found = selectors.entitlements(whose=Whose("account", "A-4711"), machine_now=NOW)
    (usable,), (suspended,) = found.usable, found.suspended
    assert (usable.item, usable.product, usable.version) == (one.number, "suite", 1)
    assert (usable.quantity, usable.until, usable.on) == (3, APR, DAY)
    assert usable.characteristics == {"site": "Wien"}
    assert (suspended.item, suspended.reason, suspended.since) == (
        two.number,
        Reason.SUSPENDED,
        FEB,
    )
    before = selectors.entitlements(whose=Whose("account", "A-4711"), on=JAN, machine_now=NOW)
    assert [each.characteristics for each in before.usable][0] == {"site": "Berlin"}
    assert len(before.usable) == 3


def test_pages_hold_every_item_once(account: Account) -> None:
    suite = a_product(code="suite")
    items = [an_item(account, suite, Days(JAN)).number for _ in range(5)]
    seen: list[list[str]] = []
    after: int | None = 0
    while after is not None:
        page = selectors.entitlements(
            whose=Whose("account", "A-4711"), machine_now=NOW, after=after, most=2
        )
        seen.append([each.item for each in page.usable])
        after = page.after
    assert seen == [items[:2], items[2:4], items[4:]]


@pytest.mark.parametrize("items", [1, 12])
def test_the_list_is_one_statement_whatever_its_length(account: Account, items: int) -> None:
    suite = a_product(code="suite")
    for n in range(items):
        item = an_item(account, suite, Days(JAN, FEB), Days(FEB))
        Equipment.objects.create(
            item=item, account=account, product_version=suite, serial=f"SN-{n}", installed_on=JAN
        )
    selectors.entitlements(whose=Whose("account", "A-4711"), machine_now=NOW)
    with CaptureQueriesContext(connection) as captured:
        found = selectors.entitlements(whose=Whose("account", "A-4711"), machine_now=NOW)
    assert (len(captured), len(found.usable)) == (1, items)


def test_who_may_ask_is_who_has_the_permission() -> None:
    permission = Permission.objects.get(codename="check_entitlement")
    direct = a_user()
    direct.user_permissions.add(permission)
    people = [
        (a_user("sales"), True),
        (a_user("entitlement checker"), True),
        (direct, True),
        (a_user(is_superuser=True), True),
        (a_user(), False),
        (a_user("entitlement checker", is_active=False), False),
        (a_user(is_superuser=True, is_active=False), False),
    ]
    for user, expected in people:
        told = User.objects.get(pk=user.pk)
        assert selectors.may_ask(told) is expected
        assert told.has_perm("subscriptions.check_entitlement") is expected
    assert selectors.may_ask(AnonymousUser()) is False


def key_of(item: Item, key: str, *, state: str) -> LicenceKey:
    line = item.order_line
    task = Task.objects.create(
        order=line.order, line=line, account_id=line.account_id, key="licence", kind="automatic"
    )
    return LicenceKey.objects.create(key=key, state=state, task=task, line=line)
