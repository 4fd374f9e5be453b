"""The list of subscriptions: search, filters, export."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from o2b import clock
from o2b.money import Money, zero
from o2b.web.columns import Column
from o2b.web.filters import Filter
from o2b.web.tables import Action, ListPage
from subscriptions import selectors
from subscriptions.explained import monthly_price
from subscriptions.models import ServiceState, Subscription

VIEW = "subscriptions.view_subscription"


def worth_of(subscription: Any) -> Money:
    """What a month of all its items costs today; of a row of `with_worth`."""
    today = clock.today(subscription.account)
    prices = (
        monthly_price(version.terms, quantity=version.quantity, on=today, started_on=item.anchor_on)
        for item in subscription.worth
        for version in item.served
    )
    return sum(prices, start=zero(subscription.account.currency))


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
        Column("monthly", _("A month"), value=worth_of, kind="money"),
        Column("state", _("State"), sort="state", kind="badge"),
        Column("started_on", _("Since"), sort="started_on", kind="day", may_be_empty=True),
        Column("ended_on", _("Until"), sort="ended_on", kind="day", may_be_empty=True),
        Column("order", _("Order"), value="order.number", link="order.get_absolute_url"),
    )
    csv_columns = (
        Column("number", _("Number")),
        Column("account", _("Account"), value="account.name", note="account.reference"),
        Column("items_active", _("Items in use")),
        Column("customer", _("Customer"), value="account.customer.name"),
        Column("monthly", _("A month"), value=worth_of, kind="money", currency="account.currency"),
        Column("state", _("State")),
        Column("started_on", _("Since")),
        Column("ended_on", _("Until")),
        Column("order", _("Order"), value="order.number"),
        Column("kind", _("Begun by"), value="order.get_kind_display"),
    )
    filters = (
        Filter("product", _("Product"), selectors.with_product, kind="word"),
        Filter("customer", _("Customer"), "account__customer__name__icontains", kind="word"),
        Filter("from", _("Started from"), "started_on__gte", kind="day"),
        Filter("until", _("Started until"), "started_on__lte", kind="day"),
        Filter("ends", _("Ending until"), selectors.ending_until, kind="day"),
        Filter(
            "suspended",
            _("Suspended items"),
            selectors.suspended,
            [("yes", _("some")), ("no", _("none"))],
        ),
        Filter("changed", _("Changed since"), selectors.changed_since, kind="day"),
    )
    search = ("pk", "account__name", "account__reference", "account__customer__name")
    search_hint = _("Number, account or serial…")
    state_field = "state"
    states: ClassVar[Any] = ServiceState.choices
    default_sort = "-number"
    csv_name = "subscriptions"
    actions: ClassVar[Any] = (
        Action(_("Planned changes"), "subscriptions:planned", VIEW, primary=False),
        Action(_("Services that end"), "subscriptions:ending", VIEW, primary=False),
    )
    empty = _("Nothing is in service yet. Subscriptions begin when an order's lines complete.")

    def get_rows(self) -> QuerySet[Subscription]:
        rows = selectors.subscriptions_for_list()
        return selectors.with_worth(rows, machine_now=clock.now())

    def search_rows(self, rows: QuerySet[Subscription], words: str) -> QuerySet[Subscription]:
        """All words in the usual fields, or the whole as a serial."""
        found = super().search_rows(rows, words)
        return found | selectors.with_serial(rows, text=words)
