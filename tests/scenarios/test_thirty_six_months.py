"""36 months of one customer under the test clock, against a closed form made of days alone.

The form below knows prices, quantities and days of the story and nothing of the product: each day
costs price × quantity ÷ days of its month, exactly; what one account owes under one promise in one
month is rounded once, half up.
"""

from collections import defaultdict
from datetime import date, timedelta
from fractions import Fraction

import pytest

from billing.models import InvoiceLine
from subscriptions.changes.services import change_services
from subscriptions.changes.wishes import Wish
from subscriptions.commitments.services import Commit, commit, renew_due
from subscriptions.models import Act, Item, Renewal
from subscriptions.timelines.turning import turn_due
from tests.factories import a_product, monthly, setup_fee
from tests.scenarios.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("re_executed")]

START, FREE_UNTIL, RAMP = date(2026, 1, 10), date(2026, 1, 24), date(2027, 1, 10)
MORE, PAUSE, BACK = date(2026, 3, 17), date(2026, 9, 5), date(2026, 10, 20)
MOVED, UPGRADE, RENEWED = date(2027, 2, 15), date(2027, 6, 12), date(2028, 1, 10)
END, LAST = date(2028, 11, 20), date(2029, 1, 1)

# The closed form: standard library only.

Owed = dict[tuple[str, date], Fraction]


def price_on(day: date) -> tuple[str, Fraction]:
    """The promise in force on a day and its price of a month."""
    if day >= RENEWED:
        return "renewed", Fraction(70) * Fraction(105, 100)
    if day >= UPGRADE:
        return "max", Fraction(70)
    return "pro", Fraction(44) if day >= RAMP else Fraction(40)


def days_of_month(day: date) -> int:
    first = day.replace(day=1)
    return ((first + timedelta(days=32)).replace(day=1) - first).days


def closed_form() -> Owed:
    """(account, month) → net, each promise's share of it rounded once."""
    exact: dict[tuple[str, date, str], Fraction] = defaultdict(Fraction)
    day = START
    while day < END:
        if day >= FREE_UNTIL and not PAUSE <= day < BACK:
            promise, price = price_on(day)
            quantity = 5 if day >= MORE else 3
            account = "second" if day >= MOVED else "first"
            exact[account, day.replace(day=1), promise] += price * quantity / days_of_month(day)
        day += timedelta(days=1)
    owed: Owed = defaultdict(Fraction)
    owed["first", START.replace(day=1)] += 3 * Fraction(60)
    for (account, month, _promise), amount in exact.items():
        owed[account, month] += half_up(amount)
    return dict(owed)


def half_up(amount: Fraction) -> Fraction:
    """To the cent; no amount here is below zero."""
    return Fraction((amount * 100 + Fraction(1, 2)).__floor__(), 100)


# The product.


def billed(first: int) -> Owed:
    """The same of all final lines; each falls into the month in which its period begins."""
    found: Owed = defaultdict(Fraction)
    for line in InvoiceLine.objects.all():
        account = "first" if line.account_id == first else "second"
        found[account, line.period_start.replace(day=1)] += Fraction(line.amount)
    return {key: amount for key, amount in found.items() if amount}


def change(world: World, act: Act, **given: object) -> None:
    """One change of the service, told by the account that has it today."""
    item = Item.objects.order_by("pk").last()
    assert item is not None
    change_services(
        account_id=item.account_id,
        wishes=[Wish(item_id=item.pk, act=act, **given)],  # type: ignore[arg-type]
        at=world.now,
        actor_id=None,
    )
    world.settle()


def commit_to(world: World) -> None:
    """A year from the day of the ramp, renewed with an uplift of 5 % for another."""
    item = Item.objects.order_by("pk").last()
    assert item is not None
    wish = Commit(item.pk, months=12, renewal=Renewal.UPLIFT, uplift_percent="5", starts_on=RAMP)
    commit(account_id=item.account_id, wishes=[wish], at=world.now, actor_id=None)
    world.settle()


def months(world: World, until: date) -> None:
    """Bill each first of a month up to a day, and stand on that day; beat turns what is due."""
    day = world.today
    while day < until:
        following = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        if following > until:
            break
        day = following
        live(world, day)
        world.bill()
        assert world.parked() == []
    live(world, until)


def live(world: World, day: date) -> None:
    """Stand on a day, with what beat does on it."""
    world.on(f"{day}")
    turn_due(machine_now=world.now)
    renew_due(machine_now=world.now)
    world.settle()


def test_thirty_six_months(world: World) -> None:
    pro = a_product(
        code="pro",
        charges=[
            monthly("40.00", details={"trial": ["day", 14, False], "ramp": [[12, "44.00"]]}),
            setup_fee("60.00"),
        ],
    )
    a_product(code="max", charges=[monthly("70.00")])
    second = world.an_account()
    world.on(f"{START}")
    world.sell(products=[pro], quantity="3")

    months(world, MORE)
    change(world, Act.QUANTITY, quantity="5")
    months(world, PAUSE)
    change(world, Act.SUSPEND, billing="none")
    months(world, BACK)
    change(world, Act.RESUME)
    months(world, MOVED)
    change(world, Act.TRANSFER, to_account_id=second.pk)
    months(world, UPGRADE)
    change(world, Act.TERMS, product="max")
    commit_to(world)
    months(world, END)
    change(world, Act.END)
    months(world, LAST)

    assert billed(world.account.pk) == closed_form()
    states = list(Item.objects.order_by("pk").values_list("state", "ended_on"))
    assert states == [("ended", MOVED), ("ended", END)]
