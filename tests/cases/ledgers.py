"""Accounts that are billed, pay and are credited for real: runs, payments, change orders, journal.

All cases share one world, which is rolled back; each step is taken for all of them together.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from django.db.models import Q

from billing.invoices.selectors import with_standing
from billing.models import Invoice, Posting
from billing.models.ledger import LedgerAccount
from billing.payments.selectors import account_balance
from billing.payments.services import record_payment, use_credit
from o2b.catalog.models import ProductVersion
from o2b.charging.tax import TaxLine
from o2b.customers.models import Account, LegalEntity
from o2b.money import sum_of
from o2b.periods import Interval, Period, Unit
from subscriptions.models import Act, Item
from tests.billing.worlds import finalised, in_service
from tests.cases.asking import Ledger, Paper, Standing
from tests.cases.consuming import Service
from tests.cases.documents import grant, rate_code, rates_of
from tests.cases.lives import QUANTITY_PLACES, Deed, Life
from tests.cases.market import change
from tests.factories import a_product, an_account, an_entity, monthly

DAY_ONE = date(2026, 1, 1)
MONTH = Interval(Unit.MONTH, 1)


@dataclass(eq=False)
class Kept:
    """The account of a case, a service for each of its lines, and the runs that billed them."""

    asked: Ledger
    account: Account
    services: list[Service] = field(default_factory=list)
    runs: list[int] = field(default_factory=list)
    corrections: list[int] = field(default_factory=list)

    def day_of(self, line: int) -> date:
        """When the service of a line begins, by its place; the oldest bill comes first."""
        first = self.asked.served.start if self.asked.served else DAY_ONE
        return first + timedelta(days=line if self.asked.apart else 0)

    @property
    def last_day(self) -> date:
        return self.day_of(max(len(self.asked.lines) - 1, 0))

    @property
    def days(self) -> set[date]:
        return {self.day_of(n) for n, _ in enumerate(self.asked.lines)}


def kept(asked: Mapping[str, Ledger]) -> dict[str, Standing]:
    """Each account in the end: billed, paid, corrected."""
    an_entity()
    LegalEntity.objects.update(conventions={"defer_revenue": True})
    rates_of(line.percent for each in asked.values() for line in each.lines)
    found = {case: Kept(each, an_account()) for case, each in asked.items()}
    rows = list(found.values())
    _in_service(rows)
    for each in rows:
        _pay(each, each.asked.before)
    _bill(rows)
    for each in rows:
        if each.asked.before:
            use_credit(account_id=each.account.pk, at=_after(each), actor_id=None)
        _pay(each, each.asked.payments)
    _correct(rows)
    return {case: _standing(each) for case, each in found.items()}


def _in_service(rows: Iterable[Kept]) -> None:
    products: dict[tuple[Decimal, Interval], ProductVersion] = {}
    for each in rows:
        interval = _interval(each.asked.served)
        for n, line in enumerate(each.asked.lines):
            key = (line.percent, interval)
            products[key] = products.get(key) or _product(line, interval)
            in_service(
                [products[key]],
                account=each.account,
                quantity=f"{line.amount:f}",
                start_on=each.day_of(n),
            )
        items = Item.objects.filter(account=each.account).order_by("pk")
        each.services = [Service(Life(()), each.account, [], item=item.pk) for item in items]
        for coupon in each.asked.coupons:
            grant(each.account, coupon, [])


def _interval(served: Period | None) -> Interval:
    """A month where the days are one, else the number of days."""
    if served is None or MONTH.advance(served.start, 1) == served.end:
        return MONTH
    return Interval(Unit.DAY, served.days)


def _product(line: TaxLine, interval: Interval) -> ProductVersion:
    price = monthly(
        "1.00",
        alignment="anniversary",
        interval_unit=interval.unit.value,
        interval_count=interval.count,
        tax_code=rate_code(line.percent),
    )
    return a_product(charges=[price], quantity_places=QUANTITY_PLACES)


def _after(each: Kept) -> datetime:
    return datetime.combine(each.last_day + timedelta(days=1), time(9), UTC)


def _pay(each: Kept, payments: Sequence[Decimal]) -> None:
    """Money comes in, one payment after the other; it settles the oldest bills first."""
    for amount in payments:
        record_payment(
            account_id=each.account.pk,
            amount=amount,
            on=each.last_day,
            method="bank",
            reference="",
            at=_after(each),
            actor_id=None,
        )


def _bill(rows: Sequence[Kept]) -> None:
    by_day: dict[date, list[Kept]] = defaultdict(list)
    for each in rows:
        for day in each.days:
            by_day[day].append(each)
    for day, billed in sorted(by_day.items()):
        _run(day, billed, [each.runs for each in billed])


def _run(day: date, billed: Sequence[Kept], told: Sequence[list[int]]) -> None:
    run = finalised(day, account_ids=[each.account.pk for each in billed])
    assert not run.parked_accounts.exists()
    for runs in told:
        runs.append(run.pk)


def _correct(rows: Sequence[Kept]) -> None:
    """One correction of each account after the other, each billed by a run of its own."""
    most = max((len(each.asked.corrections) for each in rows), default=0)
    for n in range(most):
        by_day: dict[date, list[Kept]] = defaultdict(list)
        for each in rows:
            if n < len(each.asked.corrections):
                by_day[each.last_day].append(each)
        for day, billed in sorted(by_day.items()):
            change(
                {service: deeds for each in billed for service, deeds in _deeds(each, n + 1)},
                datetime.combine(day + timedelta(days=2), time(9), UTC),
            )
            _run(day, billed, [each.corrections for each in billed])


def _deeds(each: Kept, count: int) -> Iterable[tuple[Service, list[Deed]]]:
    """What the first corrections make of each service, from its first day on."""
    so_far: dict[int, Decimal] = {}
    for told in each.asked.corrections[:count]:
        so_far |= told
    for number, left in so_far.items():
        day = each.day_of(number - 1)
        deed = Deed(Act.QUANTITY, day, quantity=left) if left else Deed(Act.END, day)
        yield each.services[number - 1], [deed]


def _standing(each: Kept) -> Standing:
    rows = list(
        with_standing(Invoice.objects.filter(account=each.account), on=each.last_day).order_by("pk")
    )
    bills = [row for row in rows if row.run_id in each.runs]
    balance = account_balance(each.account)
    return Standing(
        bills=[_paper(row) for row in bills],
        notes=[_paper(row) for row in rows if row.run_id in each.corrections],
        applied=[row.allocated for row in bills],
        left=[row.open_amount for row in bills],
        unapplied=balance.credit.amount,
        owed=balance.owed.amount,
        revenue=_revenue(each.account),
    )


def _paper(row: Invoice) -> Paper:
    return Paper(row.net, row.tax, row.total)


def _revenue(account: Account) -> list[Decimal]:
    """What the journal says is earned in each month."""
    by_month: dict[tuple[int, int], list[Decimal]] = defaultdict(list)
    revenue = LedgerAccount.REVENUE
    rows = Posting.objects.filter(Q(credit=revenue) | Q(debit=revenue), account_id=account.pk)
    for row in rows.order_by("on", "pk"):
        amount = row.amount if row.credit == revenue else -row.amount
        by_month[row.on.year, row.on.month].append(amount)
    return [sum_of(amounts) for amounts in by_month.values()]
