"""Set, change and take away a rule; what it is about is looked at soon after."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from o2b import events
from o2b.catalog.models import Meter
from o2b.customers.models import Account
from o2b.web.show import number_text
from subscriptions.models import AlertOf, Item, UsageAlert, UsageAlertDue
from subscriptions.models.usage_alerts import (
    DECIMALS,
    LARGEST,
    LARGEST_PERCENT,
    MOST_THRESHOLDS,
)
from subscriptions.usage.alerts.refusals import AlertExists, AlertInvalid
from subscriptions.usage.alerts.selectors import services_of

# Kinds whose thresholds say nothing about another meter.
OF_ONE_METER = {AlertOf.AMOUNT, AlertOf.UNITS}
OF_ACCOUNT = {AlertOf.POOL, AlertOf.WALLET}
PERCENTS = {AlertOf.ALLOWANCE, AlertOf.FORECAST, AlertOf.POOL}


@transaction.atomic
def set_alert(
    *,
    account_id: int,
    of: str,
    thresholds: Sequence[Decimal],
    at: datetime,
    item_id: int | None = None,
    meter_code: str = "",
    active: bool = True,
    actor_id: int | None = None,
) -> UsageAlert:
    """Set a rule of an account, or of the service that an item of it belongs to.

    Without a meter it is of every meter; then thresholds are percents.
    """
    account = Account.objects.select_for_update(no_key=True).get(pk=account_id)
    if of not in AlertOf.values:
        raise AlertInvalid(_("Nothing of this kind is watched."), field="of")
    if of in OF_ACCOUNT and item_id is not None:
        raise AlertInvalid(_("This is of the account as a whole: set it there."), field="of")
    if of == AlertOf.WALLET and meter_code:
        raise AlertInvalid(_("Prepaid credit is measured by no meter."), field="meter")
    service = _service(account, item_id)
    meter = _meter(of, meter_code)
    rule = UsageAlert(
        account=account,
        service_id=service,
        meter=meter,
        of=of,
        thresholds=_checked(of, thresholds, active),
        active=active,
        at=at,
    )
    if UsageAlert.objects.filter(account=account, service=service, meter=meter, of=of).exists():
        raise AlertExists(_("There is a rule of this kind already; change that one."), field="of")
    rule.save()
    events.record("usage_alert.set", rule, at=at, actor_id=actor_id, **_facts(rule))
    _look_at(rule)
    return rule


@transaction.atomic
def change_alert(
    *,
    alert_id: int,
    thresholds: Sequence[Decimal],
    active: bool,
    at: datetime,
    actor_id: int | None = None,
) -> UsageAlert:
    """Replace the thresholds of a rule, and switch it on or off."""
    rule = UsageAlert.objects.select_for_update().get(pk=alert_id)
    rule.thresholds, rule.active, rule.at = _checked(rule.of, thresholds, active), active, at
    rule.save()
    events.record("usage_alert.changed", rule, at=at, actor_id=actor_id, **_facts(rule))
    _look_at(rule)
    return rule


@transaction.atomic
def remove_alert(*, alert_id: int, at: datetime, actor_id: int | None = None) -> None:
    """Take a rule away; what counted before it, or the default, counts again."""
    rule = UsageAlert.objects.select_for_update().get(pk=alert_id)
    events.record("usage_alert.removed", rule, at=at, actor_id=actor_id, **_facts(rule))
    _look_at(rule)
    rule.delete()


def _service(account: Account, item_id: int | None) -> int | None:
    if item_id is None:
        return None
    item = Item.objects.filter(pk=item_id, account=account).first()
    if item is None:
        message = _("%(account)s has no such service.") % {"account": account.name}
        raise AlertInvalid(message, field="service")
    return item.root_id_or_own


def _meter(of: str, code: str) -> Meter | None:
    if not code:
        if of in OF_ONE_METER:
            message = _("Name a meter: amounts and units of different meters do not compare.")
            raise AlertInvalid(message, field="meter")
        return None
    meter = Meter.objects.filter(code=code.replace("\0", "")).first()
    if meter is None:
        raise AlertInvalid(_("There is no meter of this code."), field="meter")
    return meter


def _checked(of: str, thresholds: Sequence[Decimal], active: bool) -> list[Decimal]:
    """Each once, the lowest first."""
    most = LARGEST_PERCENT if of in PERCENTS else LARGEST
    if not thresholds and active:
        raise _wrong(_("Say at least one threshold, or switch the rule off."))
    if len(thresholds) > MOST_THRESHOLDS:
        raise _wrong(_("At most %(n)s thresholds.") % {"n": MOST_THRESHOLDS})
    for each in thresholds:
        if not each.is_finite() or not 0 < each <= most:
            message = _("A threshold is above 0 and at most %(most)s.")
            raise _wrong(message % {"most": number_text(most)})
        if each != each.quantize(Decimal(1).scaleb(-DECIMALS)):
            raise _wrong(_("At most %(n)s decimals.") % {"n": DECIMALS})
    return sorted(set(thresholds))


def _wrong(message: str) -> AlertInvalid:
    return AlertInvalid(message, field="thresholds")


def _facts(rule: UsageAlert) -> dict[str, Any]:
    return {
        "service": rule.service_id,
        "meter": rule.meter.code if rule.meter else None,
        "of": rule.of,
        "thresholds": [f"{each.normalize():f}" for each in rule.thresholds],
        "active": rule.active,
    }


def _look_at(rule: UsageAlert) -> None:
    """Whatever it is about may stand above a threshold already."""
    services = {rule.service_id} if rule.service_id else services_of(rule.account_id)
    UsageAlertDue.objects.bulk_create(
        (UsageAlertDue(service_id=key) for key in sorted(services)),
        ignore_conflicts=True,
        batch_size=5000,
    )
