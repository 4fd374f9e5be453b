"""Pages of subscriptions: the list, one subscription, and panels on other stages' pages."""

from dataclasses import dataclass
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from o2b import clock
from o2b.customers.models import Account
from o2b.money import Money, zero
from o2b.web.columns import Column
from o2b.web.http import HtmxRequest, door, is_partial
from o2b.web.show import day_text, money_text, number_text
from o2b.web.tables import ListPage
from orders.models import Order
from subscriptions import selectors
from subscriptions.explained import TermsExplained, explain_terms
from subscriptions.models import Item, ItemVersion, ServiceState, Subscription

VIEW = "subscriptions.view_subscription"
PANEL_ROWS = 20


class SubscriptionList(ListPage):
    """Everything in service."""

    permission = VIEW
    title = _("Subscriptions")
    columns = (
        Column("number", _("Number"), sort="pk", link=True, kind="code"),
        Column(
            "account",
            _("Account"),
            value="account.name",
            sort="account__name",
            note="account.reference",
        ),
        Column("items_active", _("Items in use"), sort="items_active", kind="number"),
        Column("state", _("State"), sort="state", kind="badge"),
        Column("started_on", _("Since"), sort="started_on", kind="day"),
        Column("order", _("Order"), value="order.number", link="order.get_absolute_url"),
    )
    search = ("pk", "account__name", "account__reference", "account__customer__name")
    search_hint = _("Number, account or serial…")
    state_field = "state"
    states: ClassVar[Any] = ServiceState.choices
    default_sort = "-number"
    csv_name = "subscriptions"
    empty = _("Nothing is in service yet. Subscriptions begin when an order's lines complete.")

    def get_rows(self) -> QuerySet[Subscription]:
        return selectors.subscriptions_for_list()

    def search_rows(self, rows: QuerySet[Subscription], words: str) -> QuerySet[Subscription]:
        """All words in the usual fields, or the whole as a serial."""
        found = super().search_rows(rows, words)
        return found | selectors.with_serial(rows, text=words)


@dataclass(frozen=True)
class VersionShown:
    """One dated version with its Terms in words."""

    version: ItemVersion
    terms: TermsExplained


@dataclass(frozen=True)
class ItemShown:
    """One item with its versions; the first is the newest that is still believed."""

    item: Item
    versions: list[VersionShown]

    @property
    def current(self) -> VersionShown | None:
        believed = (v for v in self.versions if v.version.recorded.upper is None)
        return next(believed, None)


@door(VIEW)
@require_GET
def subscription(request: HtmxRequest, pk: int) -> HttpResponse:
    """One subscription: items, versions, Terms in words, and its bills."""
    found = selectors.subscription(subscription_id=pk)
    items = [_shown(item) for item in selectors.items_of(subscription_id=pk)]
    context = {
        "subscription": found,
        "items": items,
        "figures": _figures(found, items),
    }
    return render(request, "subscriptions/subscription.html", context)


@door(VIEW)
@require_GET
def of_account(request: HtmxRequest, pk: int) -> HttpResponse:
    """Panel: what an account has in service."""
    account = get_object_or_404(Account, pk=pk)
    rows = selectors.subscriptions_of(account_id=pk)[:PANEL_ROWS]
    return _panel(request, rows, parent=account, title=_("Subscriptions"))


@door(VIEW)
@require_GET
def of_order(request: HtmxRequest, pk: int) -> HttpResponse:
    """Panel: what came of an order."""
    order = get_object_or_404(Order, pk=pk)
    rows = selectors.subscriptions_of(order_id=pk)
    return _panel(request, rows, parent=order, title=_("In service"))


def _panel(
    request: HtmxRequest, rows: QuerySet[Subscription], *, parent: Account | Order, title: Any
) -> HttpResponse:
    """The part alone for htmx; a page of its own otherwise."""
    template = "_panel.html" if is_partial(request) else "panel.html"
    context = {"subscriptions": rows, "parent": parent, "title": title}
    return render(request, f"subscriptions/{template}", context)


def _shown(item: Item) -> ItemShown:
    today = clock.today()
    return ItemShown(
        item,
        [
            VersionShown(
                version,
                explain_terms(
                    version.terms,
                    quantity=version.quantity,
                    on=today,
                    started_on=item.started_on,
                ),
            )
            for version in item.versions.all()
        ],
    )


def _figures(found: Subscription, items: list[ItemShown]) -> list[dict[str, Any]]:
    running = [each.current.terms for each in items if each.current and _is_on(each.item)]
    currency = found.account.currency
    monthly = _total(currency, [terms.monthly for terms in running])
    once = _total(currency, [terms.once for terms in running])
    return [
        {"title": _("A month"), "value": money_text(monthly)},
        {"title": _("Once, at the start"), "value": money_text(once)},
        {"title": _("Items in use"), "value": number_text(len(running))},
        {"title": _("In service since"), "value": day_text(found.started_on)},
    ]


def _is_on(item: Item) -> bool:
    return item.state == ServiceState.ACTIVE


def _total(currency: str, amounts: list[Money]) -> Money:
    return sum(amounts, start=zero(currency))
