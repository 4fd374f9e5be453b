"""Alerts in words, for pages, notices and letters, in the language that is active."""

from datetime import timedelta
from decimal import Decimal

from django.utils.translation import gettext as _

from o2b.catalog.selectors.rates import name_of
from o2b.web.show import day_text, money_text, number_text
from subscriptions.models import AlertOf, UsageAlert, UsageAlertDefault, UsageAlertSent


def threshold_text(of: str, threshold: Decimal, *, currency: str = "", unit: str = "") -> str:
    """A threshold with what it is counted in: 80 %, €200.00, 500 min."""
    if of in (AlertOf.AMOUNT, AlertOf.WALLET):
        return money_text(threshold, currency)
    if of == AlertOf.UNITS:
        return f"{number_text(threshold)} {unit}".strip()
    return _("%(n)s %%") % {"n": number_text(threshold)}


def thresholds_text(rule: UsageAlert | UsageAlertDefault, *, currency: str) -> str:
    """All thresholds of a rule."""
    of, unit = AlertOf.ALLOWANCE.value, ""
    if isinstance(rule, UsageAlert):
        of, unit = rule.of, rule.meter.unit if rule.meter else ""
    shown = [threshold_text(of, each, currency=currency, unit=unit) for each in rule.thresholds]
    return " · ".join(shown)


def passed_text(row: UsageAlertSent) -> str:
    """What was passed: 80 % of the allowance."""
    said = threshold_text(row.of, row.threshold, currency=row.currency, unit=row.unit)
    texts = {
        AlertOf.ALLOWANCE: _("%(threshold)s of the allowance is used"),
        AlertOf.FORECAST: _("%(threshold)s of the allowance will be used, by the forecast"),
        AlertOf.AMOUNT: _("%(threshold)s is reached"),
        AlertOf.UNITS: _("%(threshold)s are used"),
        AlertOf.POOL: _("%(threshold)s of the pool is used"),
        AlertOf.WALLET: _("less than %(threshold)s of prepaid credit is left"),
    }
    return texts[AlertOf(row.of)] % {"threshold": said}


def service_text(row: UsageAlertSent) -> str:
    """Whose it is: S-3.7 Minutes; U-3 Minutes of a pool; else only what it is of."""
    if row.of == AlertOf.WALLET:
        return row.charge
    if row.of == AlertOf.POOL:
        return f"{row.charge} {row.meter.name}" if row.meter else row.charge
    name = name_of(row.charge)
    return f"{row.item.number} {name}" if row.item else name


def period_text(row: UsageAlertSent) -> str:
    """1 Feb 2026 – 28 Feb 2026."""
    return f"{day_text(row.period_start)} – {day_text(row.period_end - timedelta(days=1))}"


def figures(row: UsageAlertSent) -> list[str]:
    """What stands behind it, a line each: used, of how much, in which period, the forecast."""
    if row.of == AlertOf.WALLET:
        left = money_text(row.reached, row.currency)
        return [_("Left, with usage that is not billed yet taken off: %(left)s") % {"left": left}]
    used = f"{number_text(row.used)} {row.unit}".strip()
    if row.limit is not None:
        told = {"used": used, "limit": f"{number_text(row.limit)} {row.unit}".strip()}
        lines = [_("Used so far: %(used)s of %(limit)s") % told]
    else:
        lines = [_("Used so far: %(used)s") % {"used": used}]
    lines.append(_("Period: %(period)s") % {"period": period_text(row)})
    if row.forecast is not None:
        text = f"{number_text(row.forecast)} {row.unit}".strip()
        lines.append(_("Forecast to the end: %(forecast)s") % {"forecast": text})
    if row.of != AlertOf.POOL:
        amount = money_text(row.amount, row.currency)
        lines.append(_("Amount so far, net: %(amount)s") % {"amount": amount})
    return lines
