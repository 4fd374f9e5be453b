"""Live usage: a panel of a subscription's page, and a page of one service."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from o2b import clock
from o2b.web.http import HtmxRequest, door, is_partial
from subscriptions.models import Item, Subscription
from subscriptions.selectors import legs_of
from subscriptions.usage import selectors
from subscriptions.usage.rules.bars import draw
from subscriptions.usage.views.doorstep import SEES

RELATED = ("account__test_clock", "product_version__product", "subscription")


@door(SEES)
@require_GET
def service(request: HtmxRequest, pk: int) -> HttpResponse:
    """Every metered charge of a service: the running period, its days, the periods before."""
    item = get_object_or_404(Item.objects.select_related(*RELATED), pk=pk)
    today = clock.today(item.account)
    found = selectors.live_usage([item], today=today)
    legs = [leg for leg in legs_of([item])[item.root_id_or_own] if leg.pk != item.pk]
    context = {
        "item": item,
        "today": today,
        "charges": [
            (each, each.running and draw(each.running.by_day, days=each.running.days))
            for each in found
        ],
        "legs": legs,
        "unpriced": selectors.unpriced_usage(item, today=today),
    }
    return render(request, "subscriptions/usage/service.html", context)


@door(SEES)
@require_GET
def of_subscription(request: HtmxRequest, pk: int) -> HttpResponse:
    """Panel: what the items of a subscription have used in their running periods."""
    related = Subscription.objects.select_related("account__test_clock")
    subscription = get_object_or_404(related, pk=pk)
    items = list(Item.objects.filter(subscription=pk).select_related(*RELATED))
    today = clock.today(subscription.account)
    found = selectors.live_usage(items, today=today)
    part = "subscriptions/usage/_of_subscription.html"
    context: dict[str, Any] = {
        "parent": subscription,
        "charges": [each for each in found if each.running or each.missing],
        "title": _("Usage"),
        "part": part,
    }
    return render(request, part if is_partial(request) else "subscriptions/panel.html", context)
