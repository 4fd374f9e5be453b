"""The places of the rail, by URL name: shown when the place exists and the person may go there."""

from dataclasses import dataclass, replace
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from o2b.web.addresses import safe_reverse


@dataclass(frozen=True)
class Place:
    """One entry of the rail; `key` goes there after pressing g."""

    title: str | Promise
    url_name: str
    permission: str = ""
    key: str = ""
    staff: bool = False
    url: str = ""
    current: bool = False

    def open_to(self, user: Any) -> bool:
        if self.staff and not user.is_staff:
            return False
        return not self.permission or user.has_perm(self.permission)


@dataclass(frozen=True)
class Neighbourhood:
    """Places that belong together, and the group of people who work there."""

    title: str | Promise
    group: str
    places: tuple[Place, ...]


PLACES = (
    Neighbourhood("", "", (Place(_("Home"), "people:home", key="h"),)),
    Neighbourhood(
        _("Sales"),
        "sales",
        (
            Place(_("Quotes"), "quotes:list", "quotes.view_quote", "q"),
            Place(_("Customers"), "customers:list", "customers.view_account", "c"),
            Place(_("Complaints"), "orders:complaints", "orders.hear_complaints", "x"),
            Place(_("Questions"), "orders:questions", "orders.hear_complaints", "u"),
        ),
    ),
    Neighbourhood(
        _("Delivery"),
        "order team",
        (
            Place(_("Orders"), "orders:list", "orders.view_order", "o"),
            Place(_("Bulk orders"), "orders:bulk-list", "orders.place_order"),
            Place(_("My queue"), "orders:queue", "orders.work_tasks", "m"),
            Place(_("Board"), "orders:board", "orders.work_tasks", "v"),
            Place(_("Work"), "orders:work", "orders.work_tasks", "t"),
            Place(_("Approvals"), "orders:approvals", "orders.view_order", "y"),
            Place(_("Fallout"), "orders:fallout", "orders.view_order", "f"),
            Place(_("Outside systems"), "orders:systems", "orders.view_order"),
            Place(_("Visits"), "orders:visits", "orders.view_order", "e"),
            Place(_("Purchases"), "orders:purchases", "orders.work_tasks", "n"),
            Place(_("Licence pools"), "orders:licence-pools", "orders.manage_work"),
        ),
    ),
    Neighbourhood(
        _("Service"),
        "",
        (
            Place(_("Subscriptions"), "subscriptions:list", "subscriptions.view_subscription", "s"),
            Place(
                _("Install base"), "subscriptions:install-base", "subscriptions.view_subscription"
            ),
            Place(_("Renewals due"), "subscriptions:renewals", "subscriptions.view_subscription"),
            Place(_("Usage"), "subscriptions:usage", "subscriptions.see_usage"),
            Place(_("Usage files"), "subscriptions:usage-files", "subscriptions.see_usage"),
            Place(_("Pools"), "subscriptions:pools", "subscriptions.see_usage"),
        ),
    ),
    Neighbourhood(
        _("Finance"),
        "finance",
        (
            Place(_("Bill runs"), "billing:run-list", "billing.view_billrun", "b"),
            Place(_("Bills to look at"), "billing:looks", "billing.look_at_bills"),
            Place(_("Invoices"), "billing:invoice-list", "billing.view_invoice", "i"),
            Place(_("Sending"), "billing:sending-list", "billing.view_invoice"),
            Place(_("Payments"), "billing:payment-list", "billing.record_payment", "p"),
            Place(_("Reversals"), "billing:reversal-list", "billing.view_billrun"),
            Place(_("Journal"), "billing:journal", "billing.view_posting"),
            Place(_("Exchange rates"), "billing:rate-list", "billing.view_posting"),
            Place(_("Prepaid credit"), "billing:wallet-list", "billing.view_invoice"),
            Place(_("Payers"), "billing:payers-list", "billing.view_invoice"),
            Place(_("Coupons"), "billing:coupon-list", "billing.view_invoice"),
            Place(_("Promises"), "billing:promise-list", "billing.view_promise", "r"),
            Place(_("Tax rates"), "taxes:list", "taxes.view_taxrate"),
        ),
    ),
    Neighbourhood(
        _("Products"),
        "product",
        (
            Place(_("Catalog"), "catalog:tree", "catalog.view_product", "k"),
            Place(_("Delivery plans"), "catalog:plan-list", "catalog.view_product"),
            Place(_("Price books"), "catalog:book-list", "catalog.view_product", "l"),
            Place(_("Meters"), "catalog:meter-list", "catalog.view_product"),
            Place(_("Rate decks"), "catalog:deck-list", "catalog.view_product"),
            Place(_("Price simulator"), "catalog:simulator", "catalog.view_product", "w"),
        ),
    ),
    Neighbourhood(
        _("Set-up"),
        "administrator",
        (
            Place(_("Test clocks"), "clocks:list", "o2b.view_testclock"),
            Place(_("Admin"), "admin:index", key="a", staff=True),
            Place(_("API docs"), "api-docs", key="d"),
        ),
    ),
)


def places_for(user: Any, path: str) -> list[Neighbourhood]:
    """The rail as this person sees it at this address."""
    here = current_url(path)
    rail = []
    for hood in PLACES:
        places = tuple(
            replace(place, url=url, current=url == here)
            for place in hood.places
            if (url := safe_reverse(place.url_name)) and place.open_to(user)
        )
        if places:
            rail.append(replace(hood, places=places))
    return rail


def current_url(path: str) -> str:
    """Address of the place that a page belongs to: the longest that the path begins with."""
    urls = (safe_reverse(place.url_name) for hood in PLACES for place in hood.places)
    return max((url for url in urls if _holds(url, path)), key=len, default="")


def group_of(path: str) -> Neighbourhood:
    """The neighbourhood that an address belongs to; the first, unnamed one when to none."""
    here = current_url(path)
    for hood in PLACES:
        if any(here and safe_reverse(place.url_name) == here for place in hood.places):
            return hood
    return PLACES[0]


def _holds(url: str, path: str) -> bool:
    # Everything begins with the home page's address.
    return bool(url) and (
        path == url if url == safe_reverse("people:home") else path.startswith(url)
    )
