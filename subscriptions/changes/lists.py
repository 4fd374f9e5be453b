"""What is still to change, and what is still to end: two lists over all customers."""

from datetime import date, timedelta
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from o2b import clock
from o2b.web.filters import Filter
from o2b.web.tables import Action, Column, ListPage
from subscriptions import selectors
from subscriptions.changes.selectors import planned
from subscriptions.changes.words import fact_words, tone_of
from subscriptions.models import Act

VIEW = "subscriptions.view_subscription"
WITHIN = (7, 30, 60, 90, 365)
ACTS = [choice for choice in Act.choices if choice[0] != Act.WITHDRAW]


def _days_left(item: Any) -> str:
    days = (item.ended_on - item.day).days
    return ngettext("in %(n)s day", "in %(n)s days", days) % {"n": days}


def _service_url(fact: Any) -> str:
    return reverse("subscriptions:of-item", args=[fact.leg])


def _number(fact: Any) -> str:
    return f"S-{fact.leg_subscription}.{fact.leg}"


def _spans(request: HttpRequest) -> list[tuple[int, str]]:
    return [(n, ngettext("%(n)s day", "%(n)s days", n) % {"n": n}) for n in WITHIN]


def _within(field: str) -> Any:
    """Rows whose day comes within so many days of the day where they live."""

    def narrowed(rows: QuerySet[Any], days: str) -> QuerySet[Any]:
        # The accounts' days differ by one at most, the machine's stands between.
        until = clock.today() + timedelta(days=int(days))
        return rows.filter(**{f"{field}__lte": until})

    return narrowed


def _until(field: str) -> Any:
    def narrowed(rows: QuerySet[Any], day: date) -> QuerySet[Any]:
        return rows.filter(**{f"{field}__lte": day})

    return narrowed


class ServicesEnding(ListPage):
    """Every service whose end is known and still to come."""

    permission = VIEW
    title = _("Services that end")
    intro = _("Their last day is known. The next one first.")
    columns = (
        Column(
            "product",
            _("Service"),
            value="product_version.product.name",
            sort=("product_version__product__name", "pk"),
            link=lambda item: reverse("subscriptions:of-item", args=[item.pk]),
            note="number",
        ),
        Column(
            "account",
            _("Account"),
            value="account.name",
            sort="account__name",
            link="account.get_absolute_url",
            note="account.reference",
        ),
        Column("state", _("State"), sort="state", kind="badge"),
        Column("started_on", _("Since"), sort="started_on", kind="day"),
        Column("ended_on", _("Out of service from"), sort="ended_on", kind="day", note=_days_left),
    )
    csv_columns = (
        Column("number", _("Item")),
        Column("product", _("Service"), value="product_version.product.name"),
        Column("customer", _("Customer"), value="account.customer.name"),
        Column("account", _("Account"), value="account.name", note="account.reference"),
        Column("state", _("State")),
        Column("started_on", _("Since")),
        Column("ended_on", _("Out of service from")),
    )
    filters = (
        Filter("within", _("Within"), _within("ended_on"), _spans),
        Filter("until", _("Until"), _until("ended_on"), kind="day"),
    )
    search = ("account__name", "account__reference", "product_version__product__name")
    search_hint = _("Account or product…")
    default_sort = "ended_on"
    csv_name = "services-that-end"
    actions: ClassVar[Any] = (
        Action(_("Planned changes"), "subscriptions:planned", VIEW, primary=False),
    )
    empty = _("Nothing ends. Ends are ordered on the page of a subscription.")

    def get_rows(self) -> QuerySet[Any]:
        return selectors.ending(machine_now=clock.now())


class PlannedChanges(ListPage):
    """Every change that is ordered and whose day is still to come."""

    permission = VIEW
    title = _("Planned changes")
    intro = _("They are ordered, and hold from a day that is still to come.")
    columns = (
        Column("on", _("From"), sort="on", kind="day"),
        Column("what", _("What"), value=fact_words, note="reason"),
        Column(
            "act",
            _("Kind"),
            sort="act",
            kind="badge",
            label="get_act_display",
            tone=lambda fact: tone_of(fact.act),
        ),
        Column(
            "service",
            _("Service"),
            value="leg_product",
            link=_service_url,
            note=_number,
        ),
        Column(
            "account",
            _("Account"),
            value="leg_account",
            sort="leg_account",
            note="leg_reference",
        ),
        Column(
            "order",
            _("Order"),
            value="order_line.order.number",
            link="order_line.order.get_absolute_url",
            note="order_line.order.placed_by",
        ),
    )
    csv_columns = (
        Column("on", _("From")),
        Column("what", _("What"), value=fact_words),
        Column("act", _("Kind"), value="get_act_display"),
        Column("item", _("Item"), value=_number),
        Column("service", _("Service"), value="leg_product"),
        Column("customer", _("Customer"), value="leg_customer"),
        Column("account", _("Account"), value="leg_account", note="leg_reference"),
        Column("order", _("Order"), value="order_line.order.number"),
        Column("by", _("By"), value="order_line.order.placed_by"),
        Column("reason", _("Reason")),
        Column("recorded_at", _("Recorded")),
    )
    filters = (
        Filter("act", _("Kind"), "act", ACTS),
        Filter("within", _("Within"), _within("on"), _spans),
        Filter("until", _("Until"), _until("on"), kind="day"),
    )
    search = ("leg_account", "leg_reference", "leg_product")
    search_hint = _("Account or product…")
    default_sort = "on"
    csv_name = "planned-changes"
    actions: ClassVar[Any] = (
        Action(_("Services that end"), "subscriptions:ending", VIEW, primary=False),
    )
    empty = _("Nothing is planned. Changes are ordered on the page of a subscription.")

    def get_rows(self) -> QuerySet[Any]:
        return planned(machine_now=clock.now())
