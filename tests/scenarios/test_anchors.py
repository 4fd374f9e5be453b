"""Anchors 28 to 31, every month of a leap year and the one before it, four time zones with DST.

Each account begins on its anchor, or on the last day of a month that has none, within half an hour
of midnight where it lives; its quantity changes on the day on which the clocks there are changed.
What is billed is told by days alone, and the parts of a period add up to it exactly.
"""

from calendar import monthrange
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from billing.models import InvoiceLine
from billing.promises.services import open_promises_of
from o2b import clock
from o2b.customers.models import Account
from subscriptions.changes.services import change_services
from subscriptions.changes.wishes import Wish
from subscriptions.models import Act, Item
from subscriptions.services import start_items_of
from tests.factories import a_product, an_account, monthly
from tests.scenarios.world import World
from tests.subscriptions.build import a_line, an_order

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("re_executed")]

# The days of 2024 on which each zone changes its clocks.
ZONES = {
    "Europe/Berlin": (date(2024, 3, 31), date(2024, 10, 27)),
    "America/New_York": (date(2024, 3, 10), date(2024, 11, 3)),
    "Pacific/Auckland": (date(2024, 4, 7), date(2024, 9, 29)),
    "Australia/Lord_Howe": (date(2024, 4, 7), date(2024, 10, 6)),
}
ANCHORS = (28, 29, 30, 31)
UNTIL = date(2025, 2, 28)
PRICE, BEFORE, AFTER = Fraction(3137, 100), 3, 7


@dataclass(frozen=True)
class Told:
    """One account: where it lives, from when, and when its quantity changes."""

    account: Account
    anchor: int
    start: date
    change: date


def on_anchor(year: int, month: int, anchor: int) -> date:
    """The anchor's day in a month, or its last day."""
    return date(year, month, min(anchor, monthrange(year, month)[1]))


def periods(start: date, anchor: int) -> list[tuple[date, date]]:
    """All periods in advance that begin by `UNTIL`."""
    days, year, month = [start], start.year, start.month
    while days[-1] <= UNTIL:
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
        days.append(on_anchor(year, month, anchor))
    return list(zip(days, days[1:], strict=False))


def owed(told: Told) -> dict[date, Decimal]:
    """Period → its price: so many days at each quantity, rounded once, half up."""
    found = {}
    for first, end in periods(told.start, told.anchor):
        whole = (end - first).days
        before = min(max((told.change - first).days, 0), whole)
        exact = PRICE * (BEFORE * before + AFTER * (whole - before)) / whole
        cents = Decimal(exact.numerator) * 100 / Decimal(exact.denominator)
        found[first] = cents.quantize(Decimal(1), ROUND_HALF_UP) / 100
    return found


def moment(day: date, at: time, zone: str) -> datetime:
    """That time of day on the wall there."""
    return datetime.combine(day, at, ZoneInfo(zone)).astimezone(UTC)


def the_accounts(world: World) -> list[Told]:
    sold = a_product(charges=[monthly(str(Decimal("31.37")))])
    told, orders = [], []
    times = (time(0, 15), time(23, 45))
    for n, (zone, anchor, month) in enumerate(product(ZONES, ANCHORS, range(1, 13))):
        account = an_account(time_zone=zone, bill_day=anchor)
        start = on_anchor(2023 if n % 2 else 2024, month, anchor)
        began = moment(start, times[n % 2], zone)
        assert clock.day(account, began) == start
        order = an_order(account, placed_at=began)
        a_line(order, sold, quantity=str(BEFORE), delivered_on=clock.day(account, began))
        changes = [day for day in ZONES[zone] if day >= start]
        told.append(Told(account, anchor, start, changes[n % len(changes)] if changes else UNTIL))
        orders.append(order.pk)
    open_promises_of(order_ids=orders, at=world.now)
    start_items_of(order_ids=orders, at=moment(UNTIL, time(12), "UTC"))
    return told


def test_anchors_leap_years_and_dst(world: World) -> None:
    told = the_accounts(world)
    world.settle()
    # Billed before the changes are told, and corrected after.
    world.on(f"{UNTIL}")
    world.bill("2024-06-30")
    items = {item.account_id: item.pk for item in Item.objects.all()}
    for n, each in enumerate(told):
        at = moment(each.change, (time(0, 10), time(23, 50))[n % 2], each.account.time_zone)
        wish = Wish(item_id=items[each.account.pk], act=Act.QUANTITY, quantity=AFTER)
        found = change_services(account_id=each.account.pk, wishes=[wish], at=at, actor_id=None)
        assert found.lines[0].change_on == each.change
    world.settle()
    world.bill(f"{UNTIL - timedelta(days=100)}")
    world.bill(f"{UNTIL}")
    assert world.parked() == []
    billed: dict[int, dict[date, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for line in InvoiceLine.objects.all():
        billed[line.account_id][line.period_start] += line.amount
    for each in told:
        assert dict(billed[each.account.pk]) == owed(each), (each.account.time_zone, each)
