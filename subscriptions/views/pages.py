"""The page of one subscription: a timeline, as of any day and as known on any day."""

from datetime import date

from babel.dates import format_skeleton
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from o2b import clock
from o2b.web.http import HtmxRequest, door
from o2b.web.show import reader_locale
from quotes.inputs import FIRST_YEAR, LAST_YEAR
from subscriptions import selectors
from subscriptions.asof import look_at
from subscriptions.changes.permission import may_change
from subscriptions.rules.lanes import Chart
from subscriptions.shown import figures, is_metered, items_shown, timeline

VIEW = "subscriptions.view_subscription"


@door(VIEW)
@require_GET
def subscription(request: HtmxRequest, pk: int) -> HttpResponse:
    """One subscription: items over time, versions, Terms in words, changes, and its bills."""
    found = selectors.subscription(subscription_id=pk)
    look = look_at(
        found.account,
        on=_day(request, "as_of"),
        known_on=_day(request, "known_on"),
        machine_now=clock.now(),
    )
    items = items_shown(found, look)
    chart = timeline(items, look)
    context = {
        "subscription": found,
        "items": items,
        "look": look,
        "figures": figures(items, found),
        "chart": chart,
        "ticks": _labels(chart) if chart else [],
        "is_metered": look.is_now and is_metered(items),
        "may_change": look.is_now and may_change(request.user),
    }
    return render(request, "subscriptions/subscription.html", context)


def _labels(chart: Chart) -> list[tuple[str, int]]:
    """The lines of the axis with their month in words."""
    locale = reader_locale()
    return [(format_skeleton("yMMM", day, locale=locale), x) for day, x in chart.ticks]


def _day(request: HttpRequest, name: str) -> date | None:
    """A day in the address; what is none is ignored, as everywhere in an address."""
    told = request.GET.get(name, "")
    try:
        day = date.fromisoformat(told) if len(told) == 10 else None
    except ValueError:
        return None
    return day if day and FIRST_YEAR <= day.year <= LAST_YEAR else None
