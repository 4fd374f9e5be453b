"""The desk: received = rated + pending + dismissed, of a day and of the last two weeks."""

from datetime import date, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from o2b.web.http import HtmxRequest, door, is_partial
from subscriptions.usage import selectors
from subscriptions.usage.rules.judging import LONGEST_TEXT
from subscriptions.usage.views.doorstep import SEES, places

DAYS = 14
UNPRICED_DAYS = 31


@door(SEES)
@require_GET
def desk(request: HtmxRequest) -> HttpResponse:
    """The equation of a source and a day, and the ways to what does not count yet."""
    sources = selectors.known_sources()
    source, on = _source(request), _day(request)
    context = {
        "equation": selectors.equation(on=on, source=source),
        "source": source,
        "on": on,
        "sources": sources if not source or source in sources else [source, *sources],
        "narrowed": request.GET.get("source") or request.GET.get("on"),
        **places("usage"),
    }
    return render(request, "subscriptions/usage/desk.html", context)


@door(SEES)
@require_GET
def days(request: HtmxRequest) -> HttpResponse:
    """The table by day and source of two weeks: apart, for it counts all that came in them."""
    source, on = _source(request), _day(request)
    since = on - timedelta(days=DAYS - 1)
    context: dict[str, Any] = {
        "equations": selectors.equations(since=since, on=on, source=source),
        "since": since,
        "on": on,
    }
    part = "subscriptions/usage/_days.html"
    if is_partial(request):
        return render(request, part, context)
    return render(request, "subscriptions/usage/days.html", context | {"part": part})


@door(SEES)
@require_GET
def unpriced(request: HtmxRequest) -> HttpResponse:
    """What of a month no price is for: apart, for it looks at all totals of these days."""
    on = _day(request)
    since = on - timedelta(days=UNPRICED_DAYS - 1)
    found = selectors.unpriced_of_all(since=since, until=on + timedelta(days=1))
    context: dict[str, Any] = {"rows": found, "since": since, "on": on}
    part = "subscriptions/usage/_unpriced.html"
    if is_partial(request):
        return render(request, part, context)
    return render(request, "subscriptions/usage/unpriced.html", context | {"part": part})


def _source(request: HttpRequest) -> str:
    return request.GET.get("source", "").replace("\0", "")[:LONGEST_TEXT]


def _day(request: HttpRequest) -> date:
    """The day that the address names, else the one that is recorded now."""
    told = request.GET.get("on", "")
    try:
        day = date.fromisoformat(told) if len(told) == 10 else None
    except ValueError:
        day = None
    return day if day and 2000 <= day.year < 2200 else selectors.recorded_today()
