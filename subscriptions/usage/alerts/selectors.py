"""Questions of alerts: what services are watched, which rules count, what was told."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from o2b import clock
from o2b.catalog.models import Meter
from o2b.customers.models import Account
from o2b.periods import Period, add_months
from subscriptions.models import (
    AlertOf,
    Item,
    UsageAlert,
    UsageAlertDefault,
    UsageAlertSent,
    UsageSubject,
)
from subscriptions.pools.selectors import PoolState, pool_states, pools_of_services
from subscriptions.usage.alerts.rules import (
    PoolMonth,
    Rule,
    Watched,
    of_live,
    of_pool,
    rules_for,
)
from subscriptions.usage.selectors import live_usage

# Usage of a day may come for an hour after its end, as a bill run waits for it.
STILL_OPEN = timedelta(hours=1)
A_DAY = timedelta(days=1)
# account, item, charge, kind, first day of the period
Key = tuple[int, int | None, str, str, date]


def items_of(services: Collection[int]) -> list[Item]:
    """Every item of these services (the first items of chains), with its account."""
    rows = Item.objects.select_related("account__test_clock")
    return [*rows.filter(pk__in=services), *rows.filter(root__in=services)]


def watched(items: Iterable[Item], *, machine_now: datetime) -> list[Watched]:
    """The charges of items in the periods that run, each by the clock of its account.

    A period that has ended within the hour is there too, but by a test clock, whose days end when
    it moves. Few queries a day of the calendar, whatever the number of items.
    """
    open_: dict[date, list[Item]] = defaultdict(list)
    closing: dict[date, list[Item]] = defaultdict(list)
    for item in items:
        account = item.account
        today = clock.day(account, account.test_now or machine_now)
        open_[today].append(item)
        before = today if account.test_now else clock.day(account, machine_now - STILL_OPEN)
        if before != today:
            closing[before].append(item)
    found = [each for day, some in open_.items() for each in _watched(some, day)]
    for day, some in closing.items():
        found += [each for each in _watched(some, day) if each.period.end == day + A_DAY]
    return found


def _watched(items: list[Item], day: date) -> list[Watched]:
    seen = (of_live(live) for live in live_usage(items, today=day))
    return [each for each in seen if each is not None]


def watched_pools(services: Collection[int]) -> list[Watched]:
    """The pools that services may draw from, in the month that runs where the pool's account lives.

    A few queries a meter, whatever the number of pools.
    """
    pools = pools_of_services(services)
    seen = (of_pool(_month_of(state)) for state in pool_states(pools)) if pools else ()
    return [each for each in seen if each is not None]


def _month_of(state: PoolState) -> PoolMonth:
    first = state.on.replace(day=1)
    drawn = [each.units for each in state.drawing.draws if each.day >= first]
    beyond = [each.units for each in state.drawing.uncovered if each.day >= first]
    return PoolMonth(
        state.pool,
        state.meter,
        Period(first, add_months(first, 1)),
        sum(drawn, Decimal(0)),
        sum(beyond, Decimal(0)),
        state.drawing.left,
    )


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of some accounts, and the defaults."""

    own: dict[int, list[Rule]]
    by_seller: dict[int | None, Rule]

    def of_account(self, account: Account) -> list[Rule]:
        """Its rules and its default: that of the seller, else of the house; for pools the same."""
        default = self.by_seller.get(account.legal_entity_id) or self.by_seller.get(None)
        defaults = [default, default._replace(of=AlertOf.POOL)] if default else []
        return self.own.get(account.pk, []) + defaults

    def of_watched(self, each: Watched) -> dict[str, Rule]:
        """By kind the one that counts for what is watched."""
        return rules_for(
            self.of_account(each.account),
            service=each.item.root_id_or_own if each.item else None,
            meter=each.meter.pk if each.meter else None,
        )


def rules_of(accounts: Collection[int]) -> Rules:
    """The rules that accounts have; in two queries."""
    own: dict[int, list[Rule]] = defaultdict(list)
    for row in UsageAlert.objects.filter(account__in=accounts).order_by("pk"):
        own[row.account_id].append(
            Rule(row.of, tuple(row.thresholds), row.active, row.service_id, row.meter_id, row.pk)
        )
    defaults = {
        row.legal_entity_id: Rule(AlertOf.ALLOWANCE, tuple(row.thresholds), row.active)
        for row in UsageAlertDefault.objects.all()
    }
    return Rules(own, defaults)


def known_of(seen: Collection[Watched]) -> dict[Key, set[Decimal]]:
    """The thresholds that were passed before, told or noted."""
    if not seen:
        return {}
    rows = UsageAlertSent.objects.filter(
        account__in={each.account.pk for each in seen},
        period_start__gte=min(each.period.start for each in seen),
    ).order_by()
    items = {each.item.pk for each in seen if each.item}
    rows = rows.filter(Q(item__in=items) | Q(item=None))
    found: dict[Key, set[Decimal]] = defaultdict(set)
    said = rows.values_list("account", "item", "charge", "of", "period_start", "threshold")
    for account, item, charge, of, start, threshold in said:
        found[account, item, charge, of, start].add(threshold)
    return found


# pages and REST


def alerts_for_list() -> QuerySet[UsageAlert]:
    """Every rule with what a list shows of it."""
    return UsageAlert.objects.select_related("account__test_clock", "service", "meter")


def alerts_of(account_id: int, *, service: int | None = None) -> QuerySet[UsageAlert]:
    """The rules of an account; of one service its own and those of the account."""
    rows = alerts_for_list().filter(account=account_id).order_by("service", "meter__code", "of")
    return rows.filter(Q(service=None) | Q(service=service)) if service else rows


def default_of(account: Account) -> UsageAlertDefault | None:
    """The default of an account's seller, else that of the house."""
    rows = UsageAlertDefault.objects.filter(
        Q(legal_entity=account.legal_entity_id) | Q(legal_entity=None)
    )
    return rows.order_by("legal_entity").first()  # NULL stands last


def sent_for_list() -> QuerySet[UsageAlertSent]:
    """Everything that was passed, with what a list shows of it."""
    return UsageAlertSent.objects.select_related("account", "item", "meter")


def sent_now(items: Iterable[Item], *, machine_now: datetime) -> QuerySet[UsageAlertSent]:
    """What was told of items in the periods that hold today where they live."""
    asked = Q(pk__in=[])
    by_day: dict[date, list[int]] = defaultdict(list)
    for item in items:
        by_day[clock.day(item.account, item.account.test_now or machine_now)].append(item.pk)
    for day, keys in by_day.items():
        asked |= Q(item__in=keys, period_start__lte=day, period_end__gt=day)
    return sent_for_list().filter(asked, told=True)


def sent_of_account(account: Account, *, today: date) -> QuerySet[UsageAlertSent]:
    """What was told of an account in the periods that run."""
    rows = sent_for_list().filter(account=account.pk, told=True)
    return rows.filter(period_start__lte=today, period_end__gt=today)


def sent_from(rows: QuerySet[Any], on: date) -> QuerySet[Any]:
    """Passed on a day (UTC) or later."""
    return rows.filter(at__gte=_midnight(on))


def sent_until(rows: QuerySet[Any], on: date) -> QuerySet[Any]:
    """Passed on a day (UTC) or earlier."""
    if on == date.max:  # no day follows it
        return rows
    return rows.filter(at__lt=_midnight(on + A_DAY))


def meters_of(account_id: int, *, service: int | None = None) -> QuerySet[Meter]:
    """The meters that an account, or one service of it, is sold by."""
    services = [service] if service else _roots_of(account_id)
    subjects = UsageSubject.objects.filter(service__in=services, account=account_id)
    return Meter.objects.filter(code__in=subjects.values("meter")).order_by("code")


def meters_by_service(account_id: int, services: Collection[int]) -> set[tuple[int, int]]:
    """(service, meter) by which services of an account are sold."""
    rows = UsageSubject.objects.filter(service__in=services, account=account_id).order_by()
    pairs = set(rows.values_list("service", "meter").distinct())
    codes = {code for _service, code in pairs}
    keys = dict(Meter.objects.filter(code__in=codes).values_list("code", "pk"))
    return {(service, keys[code]) for service, code in pairs if code in keys}


def has_alerts(account_id: int) -> bool:
    """Whether an account uses anything by a meter, or has a rule."""
    subjects = UsageSubject.objects.filter(service__in=_roots_of(account_id), account=account_id)
    return subjects.exists() or UsageAlert.objects.filter(account=account_id).exists()


def services_of(account_id: int) -> set[int]:
    """The services that an account has or had, by the first items of their chains."""
    return set(_roots_of(account_id))


def _roots_of(account_id: int) -> QuerySet[Item, int]:
    rows = Item.objects.filter(account=account_id).order_by()
    return rows.annotate(first=Coalesce("root_id", "pk")).values_list("first", flat=True)


def _midnight(on: date) -> datetime:
    return datetime.combine(on, time(), UTC)
