"""Tags and filters of every template: money, days, moments, states."""

from datetime import date, datetime
from typing import Any

from django import template
from django.utils.safestring import SafeString

from o2b.web import show
from o2b.web.words import unit_words

register = template.Library()


@register.simple_tag(name="money")
def money_tag(amount: Any, currency: str = "") -> str:
    """{% money line.net run.currency %} or {% money total %} for a Money."""
    return show.money_text(amount, currency)


@register.filter(name="money")
def money_filter(amount: Any, currency: str = "") -> str:
    """{{ line.net|money:run.currency }}."""
    return show.money_text(amount, currency)


@register.filter
def number(value: Any) -> str:
    """{{ run.invoices|number }}: '29,202'."""
    return show.number_text(value)


@register.filter
def units(unit: str, quantity: Any) -> str:
    """{{ product.unit|units:line.quantity }}: '7 pieces'; other units are as their product says."""
    return unit_words(unit, quantity)


@register.filter
def day(value: date | None) -> str:
    """{{ order.placed_on|day }}: '4 Nov 2026'."""
    return show.day_text(value)


@register.filter
def moment(value: datetime | None) -> str:
    """{{ event.at|moment }}: '4 Nov 2026, 16:20'."""
    return show.moment_text(value)


@register.simple_tag
def badge(state: Any, label: Any = None, tone: str = "") -> SafeString:
    """{% badge line.state %}; words and colour can be told: {% badge "open" _("late") "bad" %}."""
    return show.badge_html(state, label, tone)
