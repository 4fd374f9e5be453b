"""Pages of the install base: every item as it is on a day, and one item with all it is."""

from datetime import date
from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from o2b import clock
from o2b.web.filters import Filter
from o2b.web.http import HtmxRequest, door
from o2b.web.tables import Column, ListPage
from orders.licences.rules import masked
from subscriptions.explained import explain_terms
from subscriptions.installbase import selectors, shown
from subscriptions.installbase.rules import beside_place
from subscriptions.models import ServiceState

VIEW = "subscriptions.view_subscription"
LONGEST_KEY = 18  # digits that always fit into a bigint


def item_url(item: Any) -> str:
    return reverse("subscriptions:item", args=[item.pk])


def _country_choices(request: HttpRequest) -> list[tuple[str, str]]:
    return [(code, code) for code in selectors.countries()]


def _by_number(words: str) -> Q | None:
    """The item S-3.7 or all of the subscription S-3; None where the words are no such number."""
    if not words.upper().startswith("S-"):
        return None
    subscription, dot, item = words[2:].partition(".")
    number = item if dot else subscription
    if not (number.isascii() and number.isdigit() and len(number) <= LONGEST_KEY):
        return None
    return Q(pk=int(number)) if dot else Q(subscription=int(number))


def _narrowed_already(items: QuerySet[Any], told: Any) -> QuerySet[Any]:
    """What depends on the day is seen to where the rows come from."""
    return items


KINDS = [
    (selectors.EQUIPMENT, _("equipment")),
    (selectors.LICENCE, _("licence")),
    (selectors.NEITHER, _("neither")),
]


class InstallBase(ListPage):
    """What every customer has, where, since when, under which promise."""

    permission = VIEW
    title = _("Install base")
    intro = _("What each customer has, where, since when and under which promise.")
    columns = (
        Column(
            "product",
            _("Product"),
            value=shown.product_of,
            sort=("product_version__product__name", "pk"),
            link=item_url,
            note=shown.number_of,
        ),
        Column("quantity", _("Quantity"), value=shown.quantity_of, kind="number"),
        Column(
            "account",
            _("Account"),
            value="account.name",
            sort="account__name",
            link="account.get_absolute_url",
            note="account.reference",
        ),
        Column("place", _("Where"), value=shown.place_shown),
        Column(
            "serials",
            _("Serial or licence"),
            value=shown.serials_shown,
            kind="code",
            note=shown.what_serials_are,
        ),
        Column("state", _("State"), value=shown.state_of, sort="state", kind="badge"),
        Column("since", _("Since"), value=shown.since_of, sort="started_on", kind="day"),
        Column(
            "until",
            _("Until"),
            value=shown.until_of,
            sort="ended_on",
            kind="day",
            may_be_empty=True,
        ),
        Column(
            "promise",
            _("Promise"),
            value=shown.terms_of,
            link=lambda item: f"{item_url(item)}#promise",
            note="order_line",
        ),
    )
    csv_columns = (
        Column("item", _("Item"), value="number"),
        Column("code", _("Product"), value=shown.code_of),
        Column("product", _("Name"), value=shown.product_of),
        Column("version", _("Version"), value=shown.version_number_of),
        Column("quantity", _("Quantity"), value=shown.quantity_of),
        Column("customer", _("Customer"), value="account.customer.name"),
        Column("country", _("Country"), value="account.customer.country"),
        Column("account", _("Account"), value="account.name", note="account.reference"),
        Column("place", _("Where"), value=shown.place_shown),
        Column("serials", _("Serial or licence"), value=shown.all_serials),
        Column("state", _("State"), value=shown.state_of),
        Column("since", _("Since"), value=shown.since_of),
        Column("until", _("Until"), value=shown.until_of),
        Column("terms", _("Terms"), value=shown.terms_of),
        Column("order_line", _("Order line")),
        Column("day", _("As of")),
    )
    filters = (
        Filter("on", _("As of"), _narrowed_already, kind="day"),
        Filter("product", _("Product"), _narrowed_already, kind="word"),
        Filter("version", _("Version"), _narrowed_already, kind="word"),
        Filter("account", _("Account"), selectors.by_account, kind="word"),
        Filter("customer", _("Customer"), "account__customer__name__icontains", kind="word"),
        Filter("serial", _("Serial or licence key"), selectors.by_serial, kind="word"),
        Filter("kind", _("Kind of piece"), selectors.by_kind, KINDS),
        Filter("country", _("Country"), selectors.by_country, _country_choices),
    )
    search = (
        "product_version__product__name",
        "product_version__product__code",
        "account__name",
        "account__reference",
        "account__customer__name",
    )
    search_hint = _("Product, account, number or serial…")
    states: ClassVar[Any] = ServiceState.choices
    default_sort = "-since"
    csv_name = "install-base"
    empty = _("Nothing is in service yet. Items begin when the lines of an order complete.")
    template_name = "subscriptions/installbase.html"

    @cached_property
    def on(self) -> date | None:
        """The day that the address asks for; without one it is today, where each account lives."""
        told = self._told("on")
        return date.fromisoformat(told) if told else None

    def _told(self, name: str) -> str:
        return next(each.value for each in self.asked if each.filter.name == name)

    def get_rows(self) -> QuerySet[Any]:
        rows = selectors.items_for_list(on=self.on, machine_now=clock.now())
        if product := self._told("product"):
            rows = selectors.by_product(rows, product, on=self.on)
        if version := self._told("version"):
            rows = selectors.by_version(rows, version, on=self.on)
        return rows

    def search_rows(self, rows: QuerySet[Any], words: str) -> QuerySet[Any]:
        """All words in the usual fields, or the whole as a serial or a number: S-3 or S-3.7."""
        if (named := _by_number(words)) is not None:
            return rows.filter(named | selectors.with_serial(words))
        found = super().search_rows(rows, words)
        return found | rows.filter(selectors.with_serial(words))

    def filter_state(self, rows: QuerySet[Any], state: str) -> QuerySet[Any]:
        return selectors.by_state(rows, state, on=self.on)


def _day(request: HttpRequest) -> date | None:
    told = request.GET.get("on", "")
    try:
        return date.fromisoformat(told) if len(told) == 10 else None
    except ValueError:
        return None


@door(VIEW)
@require_GET
def item(request: HtmxRequest, pk: int) -> HttpResponse:
    """One item: what it is on a day, its pieces and parts, its promise and its history."""
    whole = selectors.item(item_id=pk, on=_day(request), machine_now=clock.now())
    found = whole.item
    version = shown.version_of(found)
    terms = version and explain_terms(
        next(each.terms for each in whole.versions if each.pk == version.pk),
        quantity=version.quantity,
        on=found.day,
        started_on=found.anchor_on,
    )
    pieces = shown.others_of(shown.pieces_of(found), found)
    context = {
        "item": found,
        "whole": whole,
        "on": _day(request),
        "version": version,
        "product_version": version.product_version if version else found.product_version,
        "terms": terms,
        "state": shown.state_of(found),
        "quantity": shown.quantity_of(found),
        "since": shown.since_of(found),
        "until": shown.until_of(found),
        "place": shown.place_shown(found),
        "characteristics": beside_place(shown.characteristics_of(found)),
        "equipment": [each for each in pieces if not shown.is_licence(each[0].serial)],
        "licences": [(key, masked(key.key)) for key in whole.licences],
        "entries": shown.history_of(whole),
    }
    return render(request, "subscriptions/installbase_item.html", context)
