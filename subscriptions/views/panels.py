"""Parts of other stages' pages: what an account has in service, and what came of an order."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from o2b import clock
from o2b.customers.models import Account
from o2b.money import Money
from o2b.web.http import HtmxRequest, door, is_partial
from orders.models import Order
from subscriptions import selectors
from subscriptions.asof import Look, look_at
from subscriptions.changes.selectors import ahead_of
from subscriptions.changes.words import fact_words
from subscriptions.explained import monthly_price
from subscriptions.models import Act, Item, ItemVersion

VIEW = "subscriptions.view_subscription"
PANEL_ROWS = 20


@dataclass(frozen=True, slots=True)
class ServiceShown:
    """One service of an account today, and what is ordered to change of it."""

    item: Item
    version: ItemVersion | None
    monthly: Money | None
    ahead: list[str]


@door(VIEW)
@require_GET
def of_account(request: HtmxRequest, pk: int) -> HttpResponse:
    """Panel: what an account has in service, and what changes on which day."""
    account = get_object_or_404(Account.objects.select_related("test_clock"), pk=pk)
    look = look_at(account, on=None, known_on=None, machine_now=clock.now())
    ahead = ahead_of(pk, today=look.today)
    items: Any = selectors.services_of(account_id=pk, look=look, first=ahead.keys())
    total = items.count()
    context = {
        "services": [_service(item, look, ahead) for item in items[:PANEL_ROWS]],
        "more": max(total - PANEL_ROWS, 0),
        "account": account,
    }
    return _panel(request, "of_account", parent=account, title=_("Subscriptions"), context=context)


@door(VIEW)
@require_GET
def of_order(request: HtmxRequest, pk: int) -> HttpResponse:
    """Panel: what came of an order."""
    order = get_object_or_404(Order, pk=pk)
    rows = selectors.subscriptions_of(order_id=pk)
    context = {"subscriptions": rows}
    return _panel(request, "of_order", parent=order, title=_("In service"), context=context)


def _service(item: Any, look: Look, ahead: dict[int, list[Any]]) -> ServiceShown:
    version = next(iter(item.served), None)
    monthly = None
    if version is not None and version.billed:
        monthly = monthly_price(
            version.terms, quantity=version.quantity, on=look.on, started_on=item.anchor_on
        )
    told = [fact for fact in ahead.get(item.root_id_or_own, []) if _is_its_own(fact, item)]
    return ServiceShown(item, version, monthly, [fact_words(fact) for fact in told])


def _is_its_own(fact: Any, item: Item) -> bool:
    """Whether a fact changes the service while the account of this item has it."""
    begins, ends = item.started_on or fact.on, item.ended_on or fact.on
    comes = fact.act == Act.TRANSFER and fact.account_id == item.account_id
    return begins <= fact.on <= ends and not comes


def _panel(
    request: HtmxRequest, name: str, *, parent: Account | Order, title: Any, context: dict[str, Any]
) -> HttpResponse:
    """The part alone for htmx; a page of its own otherwise."""
    part = f"subscriptions/_{name}.html"
    context |= {"parent": parent, "title": title, "part": part}
    template = part if is_partial(request) else "subscriptions/panel.html"
    return render(request, template, context)
