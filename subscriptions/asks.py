"""What subscriptions answers when a door of the ground asks."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from o2b import clock
from o2b.asks import Card, Found, Holding, Impact, Panel, Part, Trace
from o2b.catalog.publications import reach_of
from o2b.periods import add_months
from o2b.web.show import number_text
from subscriptions import selectors
from subscriptions.models import Item
from subscriptions.pools.selectors import find_pools, has_pools
from subscriptions.quoting import selectors as quoting
from subscriptions.reached import reached_items
from subscriptions.usage.alerts.selectors import has_alerts

VIEW = "subscriptions.view_subscription"
SEE_USAGE = "subscriptions.see_usage"


def home_cards(user: Any) -> list[Card]:
    """How many are in use, and how many of them are new this month."""
    if not user.has_perm(VIEW):
        return []
    first = clock.today().replace(day=1)
    started = selectors.started_between(start=first, end=add_months(first, 1)).count()
    return [
        Card(
            title=_("Active subscriptions"),
            value=number_text(selectors.active().count()),
            url=f"{reverse('subscriptions:list')}?state=active",
        ),
        Card(
            title=_("Started this month"),
            value=number_text(started),
            url=f"{reverse('subscriptions:list')}?sort=-started_on",
        ),
    ]


def search(user: Any, text: str) -> list[Found]:
    """Subscriptions by number or serial, pools by number or name."""
    found: list[Found] = []
    if user.has_perm(VIEW):
        found += [
            Found(_("Subscription"), each.number, each.get_absolute_url(), each.account.name)
            for each in selectors.find_subscriptions(text=text)
        ]
    if user.has_perm(SEE_USAGE):
        found += [
            Found(_("Pool"), each.number, each.get_absolute_url(), str(each))
            for each in find_pools(text=text)
        ]
    return found


def holdings(account_id: int) -> list[Holding]:
    """What the account has in service, or will have; what is suspended it has still."""
    return [Holding(*row) for row in selectors.held_by(account_id)]


def affected_by_publication(user: Any, version_id: int) -> list[Impact]:
    """What is in service and was sold by the book, and what the version's policy does to it."""
    return reached_items(reach_of(version_id), shown=user.has_perm(VIEW))


def account_panels(user: Any, account_id: int) -> list[Panel]:
    """What the account has in service, which pools it draws from, at which usage it is told."""
    panels = []
    if user.has_perm(VIEW):
        here = reverse("subscriptions:of-account", args=[account_id])
        panels.append(Panel(_("Subscriptions"), here))
    if user.has_perm(SEE_USAGE) and has_pools(account_id):
        pools = reverse("subscriptions:pools-of-account", args=[account_id])
        panels.append(Panel(_("Pools"), pools))
    if user.has_perms([VIEW, SEE_USAGE]) and has_alerts(account_id):
        url = reverse("subscriptions:usage-alerts-of-account", args=[account_id])
        panels.append(Panel(_("Usage alerts"), url))
    return panels


def order_panels(user: Any, order_id: int) -> list[Panel]:
    """The subscription that came from the order."""
    if not user.has_perm(VIEW):
        return []
    return [Panel(_("In service"), reverse("subscriptions:of-order", args=[order_id]))]


def traces(account_id: int) -> list[Trace]:
    """Whatever is or was in service."""
    n = Item.objects.filter(account=account_id).count()
    words = ngettext("%(n)s item is or was in service", "%(n)s items are or were in service", n)
    return [Trace(words % {"n": n})] if n else []


def quote_parts(quote_id: int) -> list[Part]:
    """What the changes of a quote bring to what is in service."""
    return quoting.quote_parts(quote_id)
