"""Questions of entitlement: may this product be used now, and what may be used at all?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from json import loads
from typing import Any, NamedTuple

from o2b import clock
from o2b.catalog.models import Product
from o2b.customers.models import Account
from subscriptions.entitlements.rules import (
    Holding,
    Reason,
    Verdict,
    days_of,
    end_of,
    run_around,
    together,
    verdict,
)
from subscriptions.entitlements.statements import CHECKS, LISTS, MAY_ASK
from subscriptions.models import Standing

MOST = 1000


class Whose(NamedTuple):
    """Of whom is asked: `account`, `account_id`, `customer`, `serial` or `key`, and its value."""

    by: str
    value: str | int


@dataclass(frozen=True, slots=True)
class Checked:
    """The answer to one question, on the account's own day."""

    on: date
    account: str | None
    product: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Entitlement:
    """One item as it is on a day; `until` is the first day on which it may not be used."""

    account: str
    on: date
    item: str
    product: str
    name: str
    version: int
    quantity: Decimal
    characteristics: Mapping[str, Any]
    serials: Sequence[str]
    until: date | None = None
    reason: Reason | None = None
    since: date | None = None


@dataclass(frozen=True, slots=True)
class Entitlements:
    """What may be used, what is had and may not, and behind which item there is more."""

    usable: list[Entitlement]
    suspended: list[Entitlement]
    after: int | None


@dataclass(slots=True)
class Place:
    """When it is, where the account lives."""

    time_zone: str
    test_now: datetime | None

    def day(self, on: date | None, machine_now: datetime) -> date:
        return on or clock.day(self, self.test_now or machine_now)


def may_ask(user: Any) -> bool:
    """Whether a user may ask for entitlements: as `has_perm` has it, in one statement."""
    if not user.is_active:
        return False
    return bool(user.is_superuser or MAY_ASK.rows(user.pk)[0][0])


def check(*, whose: Whose, product: str, machine_now: datetime, on: date | None = None) -> Checked:
    """Whether a product may be used, and how many; one statement, and another if it may not be.

    Nobody of that name, and no product of that code, are 404s.
    """
    rows = CHECKS[whose.by].rows(whose.value, product)
    if not rows:
        raise Account.DoesNotExist("nobody is called so")
    days: dict[str, date] = {}
    verdicts = []
    for (reference, *where), own in groupby(rows, key=lambda row: row[:3]):
        days[reference] = day = Place(*where).day(on, machine_now)
        verdicts.append(verdict(_holdings(own), day))
    answer = together(verdicts)
    if answer.reason is Reason.NEVER:
        _must_exist(product)
    only = next(iter(days)) if len(days) == 1 else None
    return Checked(max(days.values()), only, product, answer)


def _holdings(rows: Any) -> list[Holding]:
    return [
        Holding(days_of(start, end), standing == Standing.IN_USE, quantity)
        for *_, start, end, standing, quantity in rows
        if standing is not None
    ]


def _must_exist(product: str) -> None:
    if not Product.objects.filter(code=product).exists():
        raise Product.DoesNotExist(f"there is no product {product}")


class Row(NamedTuple):
    """One version of one item of an account, as the statement tells it."""

    account: str
    time_zone: str
    test_now: datetime | None
    item_id: int | None
    subscription_id: int
    product: str
    name: str
    version: int
    start: date | None
    end: date | None
    standing: str | None
    quantity: Decimal
    characteristics: str | None
    serial: str
    serials: list[str]

    @property
    def in_use(self) -> bool:
        return self.standing == Standing.IN_USE


def entitlements(
    *,
    whose: Whose,
    machine_now: datetime,
    on: date | None = None,
    product: str = "",
    after: int = 0,
    most: int = MOST,
) -> Entitlements:
    """What may be used on the account's own day, and what is suspended; `most` items at once.

    One statement, however much there is. Nobody of that name is a 404.
    """
    rows = [Row(*row) for row in LISTS[whose.by].rows(whose.value, after, most + 1)]
    if not rows:
        raise Account.DoesNotExist("nobody is called so")
    items = [list(own) for pk, own in groupby(rows, key=lambda row: row.item_id) if pk is not None]
    page = items[:most]
    found = [
        each
        for own in page
        if (each := _entitlement(own, on, machine_now)) is not None
        and product in ("", each.product)
    ]
    if product and not found:
        _must_exist(product)
    return Entitlements(
        [each for each in found if each.reason is None],
        [each for each in found if each.reason is not None],
        page[-1][0].item_id if len(items) > most else None,
    )


def _entitlement(
    versions: Sequence[Row], on: date | None, machine_now: datetime
) -> Entitlement | None:
    """One item on its day, from all its versions that are believed; None if it is not had."""
    first = versions[0]
    day = Place(first.time_zone, first.test_now).day(on, machine_now)
    spans = [(row, days_of(row.start, row.end)) for row in versions if row.standing is not None]
    row = next((row for row, days in spans if days.contains(day)), None)
    if row is None:
        return None
    same = [days for r, days in spans if (r.in_use, r.product) == (row.in_use, row.product)]
    run = run_around(same if row.in_use else [d for r, d in spans if not r.in_use], day)
    return Entitlement(
        account=row.account,
        on=day,
        item=f"S-{row.subscription_id}.{row.item_id}",
        product=row.product,
        name=row.name,
        version=row.version,
        quantity=row.quantity,
        characteristics=loads(row.characteristics or "{}"),
        serials=row.serials or [row.serial] * bool(row.serial),
        until=end_of(run) if run and row.in_use else None,
        reason=None if row.in_use else Reason.SUSPENDED,
        since=run.start if run and not row.in_use else None,
    )
