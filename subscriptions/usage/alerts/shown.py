"""What panels show of alerts: the rules that stand, which of them count, what was told."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from o2b import clock
from o2b.customers.models import Account
from subscriptions.models import AlertOf, Item, UsageAlert, UsageAlertDefault, UsageAlertSent
from subscriptions.pools.selectors import has_pools
from subscriptions.usage.alerts import selectors, words
from subscriptions.usage.alerts.rules import rules_for


@dataclass(frozen=True, slots=True)
class Standing:
    """A rule, or the default (`rule` is None then), and whether it is what counts here."""

    of: str
    whose: str
    meter: str
    thresholds: str
    active: bool
    counts: bool
    rule: UsageAlert | None


@dataclass(frozen=True, slots=True)
class Told:
    """One threshold that was told."""

    row: UsageAlertSent
    service: str
    what: str
    figures: str


@dataclass(frozen=True, slots=True)
class Shown:
    """The panel of an account or of some items of it."""

    standing: list[Standing]
    told: list[Told]
    more: int


MOST_TOLD = 20


def of_account(account: Account, *, machine_now: datetime) -> Shown:
    """All rules of an account, and what was told in the periods that run."""
    rules = list(selectors.alerts_of(account.pk))
    today = clock.day(account, account.test_now or machine_now)
    # Of an account its default counts where no rule of the account is of every meter.
    general = any(
        r.of == AlertOf.ALLOWANCE and r.service_id is None and r.meter_id is None for r in rules
    )
    counting = {rule.pk for rule in rules} | ({None} if not general else set())
    return Shown(
        _standing(account, rules, counting),
        *_told(selectors.sent_of_account(account, today=today)),
    )


def of_items(account: Account, items: Collection[Item], *, machine_now: datetime) -> Shown:
    """The rules that can count for items of an account, and what was told of these."""
    services = {item.root_id_or_own for item in items}
    rules = [
        rule
        for rule in selectors.alerts_of(account.pk)
        if rule.service_id is None or rule.service_id in services
    ]
    known = selectors.rules_of([account.pk]).of_account(account)
    meters = selectors.meters_by_service(account.pk, services)
    counting = {
        rule.key
        for service, meter in meters
        for rule in rules_for(known, service=service, meter=meter).values()
        if rule.key is not None or rule.of == AlertOf.ALLOWANCE
    }
    return Shown(
        _standing(account, rules, counting),
        *_told(selectors.sent_now(items, machine_now=machine_now)),
    )


def _standing(
    account: Account, rules: Iterable[UsageAlert], counting: Collection[int | None]
) -> list[Standing]:
    own = list(rules)
    found = [
        Standing(
            of=str(rule.get_of_display()),
            whose=rule.service.number if rule.service else _("every service"),
            meter=rule.meter.code if rule.meter else _("every meter"),
            thresholds=words.thresholds_text(rule, currency=account.currency),
            active=rule.active,
            counts=rule.pk in counting,
            rule=rule,
        )
        for rule in own
    ]
    if default := selectors.default_of(account):
        allowance, pool = AlertOf.ALLOWANCE, AlertOf.POOL
        found.append(_of_default(account, default, allowance, counts=None in counting))
        if has_pools(account.pk):
            general = any(rule.of == pool and rule.meter_id is None for rule in own)
            found.append(_of_default(account, default, pool, counts=not general))
    return found


def _of_default(
    account: Account, default: UsageAlertDefault, of: AlertOf, *, counts: bool
) -> Standing:
    seller = default.legal_entity_id is not None
    return Standing(
        of=str(of.label),
        whose=_("default of the seller") if seller else _("default of the house"),
        meter=_("every meter"),
        thresholds=words.thresholds_text(default, currency=account.currency),
        active=default.active,
        counts=counts,
        rule=None,
    )


def _told(rows: Any) -> tuple[list[Told], int]:
    """The newest, and how many more there are."""
    n = rows.count()
    shown = [
        Told(row, words.service_text(row), words.passed_text(row), " · ".join(words.figures(row)))
        for row in rows.order_by("-pk")[:MOST_TOLD]
    ]
    return shown, n - len(shown)
