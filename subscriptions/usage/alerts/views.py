"""The pages of alerts: panels of accounts and services, a rule, and all that was told."""

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from o2b import clock
from o2b.customers.models import Account
from o2b.errors import Refused
from o2b.web.columns import Chip
from o2b.web.filters import Filter
from o2b.web.forms import show_refusal
from o2b.web.http import HtmxRequest, door, is_partial, own_path
from o2b.web.tables import Column, ListPage
from subscriptions.models import AlertOf, Item, Subscription, UsageAlertSent
from subscriptions.usage.alerts import selectors, services, shown, words
from subscriptions.usage.alerts.forms import AlertForm, ThresholdsForm, initial_of, written
from subscriptions.usage.views.doorstep import SEES, back, me, places

SETS = "subscriptions.set_usage_alerts"
PART = "subscriptions/usage/alerts/_panel.html"
FORM = "subscriptions/usage/alerts/edit.html"


class SentList(ListPage):
    """Every threshold that was told; those that were passed beneath one as well, if asked."""

    permission = SEES
    title = gettext_lazy("Usage alerts")
    intro = gettext_lazy(
        "Thresholds that were passed, each once in a period. Figures are of that moment."
    )
    columns = (
        Column("at", gettext_lazy("When"), kind="moment", sort="at"),
        Column(
            "account",
            gettext_lazy("Account"),
            value="account.name",
            sort="account__name",
            link="account.get_absolute_url",
            note="account.reference",
        ),
        Column(
            "service",
            gettext_lazy("Service"),
            value=words.service_text,
            sort=("item__subscription_id", "item_id"),
            link=True,
            note="meter.code",
        ),
        Column("threshold", gettext_lazy("Passed"), value=words.passed_text, sort="threshold"),
        Column("used", gettext_lazy("Used"), kind="number", sort="used", note="unit"),
        Column("amount", gettext_lazy("Amount"), kind="money", currency="currency", sort="amount"),
        Column(
            "period_start", gettext_lazy("Period"), value=words.period_text, sort="period_start"
        ),
        Column(
            "mailed_at",
            gettext_lazy("Customer told"),
            kind="moment",
            sort="mailed_at",
            may_be_empty=True,
        ),
    )
    csv_columns = (
        Column("at", gettext_lazy("When")),
        Column("account", gettext_lazy("Account"), value="account.reference"),
        Column("service", gettext_lazy("Service"), value="item.number"),
        Column("charge", gettext_lazy("Charge")),
        Column("meter", gettext_lazy("Meter"), value="meter.code"),
        Column("of", gettext_lazy("What is watched"), value="of"),
        Column("threshold", gettext_lazy("Threshold"), value=lambda row: row.threshold.normalize()),
        Column("reached", gettext_lazy("Reached"), value=lambda row: row.reached.normalize()),
        Column("limit", gettext_lazy("Of"), value=lambda row: row.limit and row.limit.normalize()),
        Column("used", gettext_lazy("Used"), value=lambda row: row.used.normalize()),
        Column("unit", gettext_lazy("Unit")),
        Column("forecast", gettext_lazy("Forecast")),
        Column("amount", gettext_lazy("Amount")),
        Column("currency", gettext_lazy("Currency")),
        Column("period_start", gettext_lazy("Period from")),
        Column("period_end", gettext_lazy("Period until before")),
        Column("told", gettext_lazy("Told"), value=lambda row: int(row.told)),
        Column("mailed_at", gettext_lazy("Customer told")),
    )
    filters = (
        Filter("of", gettext_lazy("What is watched"), "of", AlertOf.choices),
        Filter("meter", gettext_lazy("Meter"), "meter__code", kind="word"),
        Filter("account", gettext_lazy("Account"), "account__reference__iexact", kind="word"),
        Filter("from", gettext_lazy("Passed from"), selectors.sent_from, kind="day"),
        Filter("until", gettext_lazy("Passed until"), selectors.sent_until, kind="day"),
    )
    search = ("account__name", "account__reference", "charge", "item__serial")
    search_hint = gettext_lazy("Account, charge or serial…")
    states = (("noted", gettext_lazy("Passed beneath a higher one")),)
    default_sort = "-at"
    csv_name = "usage-alerts"
    empty = gettext_lazy("No threshold was passed yet.")
    template_name = "subscriptions/usage/alerts/list.html"

    def get_rows(self) -> QuerySet[UsageAlertSent]:
        rows = selectors.sent_for_list()
        return rows if self.state else rows.filter(told=True)

    def filter_state(self, rows: QuerySet[Any], state: str) -> QuerySet[Any]:
        return rows.filter(told=False)

    def _chips(self) -> Iterator[Chip]:
        yield Chip(_("Told"), self.href(state=None), not self.state)
        for key, label in self.states:
            yield Chip(label, self.href(state=key), key == self.state)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | places("usage-alerts")


@door(SEES)
@require_GET
def of_account(request: HtmxRequest, pk: int) -> HttpResponse:
    """Panel: the rules of an account, and what was told in the periods that run."""
    account = get_object_or_404(Account.objects.select_related("test_clock"), pk=pk)
    found = shown.of_account(account, machine_now=clock.now())
    here = account.get_absolute_url()
    return _panel(request, found, account=account, parent=account, item=None, next=here)


@door(SEES)
@require_GET
def of_subscription(request: HtmxRequest, pk: int) -> HttpResponse:
    """Panel: the rules that count for the items of a subscription, and what was told of them."""
    rows = Subscription.objects.select_related("account__test_clock")
    subscription = get_object_or_404(rows, pk=pk)
    items = list(Item.objects.select_related("account__test_clock").filter(subscription=pk))
    found = shown.of_items(subscription.account, items, machine_now=clock.now())
    item = items[0] if len(items) == 1 else None
    context = {"account": subscription.account, "parent": subscription, "item": item}
    return _panel(request, found, **context, next=subscription.get_absolute_url())


@door(SEES)
@require_GET
def of_service(request: HtmxRequest, pk: int) -> HttpResponse:
    """Panel: the rules that count for a service, and what was told of it."""
    item = _item(pk)
    found = shown.of_items(item.account, [item], machine_now=clock.now())
    context = {"account": item.account, "parent": item.subscription, "item": item}
    here = reverse("subscriptions:usage-service", args=[pk])
    return _panel(request, found, **context, next=here)


@door(SETS)
@require_http_methods(["GET", "POST"])
def new_of_account(request: HtmxRequest, pk: int) -> HttpResponse:
    """Set a rule of an account."""
    account = get_object_or_404(Account.objects.select_related("test_clock"), pk=pk)
    return _new(request, account, None)


@door(SETS)
@require_http_methods(["GET", "POST"])
def new_of_service(request: HtmxRequest, pk: int) -> HttpResponse:
    """Set a rule of one service."""
    item = _item(pk)
    return _new(request, item.account, item)


@door(SETS)
@require_http_methods(["GET", "POST"])
def edit(request: HtmxRequest, pk: int) -> HttpResponse:
    """Other thresholds for a rule, or none."""
    rule = get_object_or_404(selectors.alerts_for_list(), pk=pk)
    form = ThresholdsForm(request.POST or None, initial=initial_of(rule))
    if form.is_bound and form.is_valid():
        try:
            services.change_alert(
                alert_id=pk, **form.told(), at=clock.now(rule.account), actor_id=me(request)
            )
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, _("The alert is saved."))
            return back(request, usual=rule.account.get_absolute_url())
    return _form(request, form, account=rule.account, item=rule.service, rule=rule)


@door(SETS)
@require_POST
def remove(request: HtmxRequest, pk: int) -> HttpResponse:
    """Take a rule away."""
    rule = get_object_or_404(selectors.alerts_for_list(), pk=pk)
    services.remove_alert(alert_id=pk, at=clock.now(rule.account), actor_id=me(request))
    messages.success(request, _("The alert is removed."))
    return redirect(own_path(request.GET.get("next", "")) or rule.account.get_absolute_url())


def _item(pk: int) -> Item:
    rows = Item.objects.select_related("account__test_clock", "subscription")
    return get_object_or_404(rows, pk=pk)


def _panel(request: HtmxRequest, found: shown.Shown, **context: Any) -> HttpResponse:
    context |= {
        "found": found,
        "title": _("Usage alerts"),
        "part": PART,
        "sets": request.user.has_perm(SETS),
    }
    return render(request, PART if is_partial(request) else "subscriptions/panel.html", context)


def _new(request: HtmxRequest, account: Account, item: Item | None) -> HttpResponse:
    service = item.root_id_or_own if item else None
    meters = [meter.code for meter in selectors.meters_of(account.pk, service=service)]
    form = AlertForm(request.POST or None, meters=meters, initial=_initial(account, meters, item))
    if form.is_bound and form.is_valid():
        try:
            services.set_alert(
                account_id=account.pk,
                item_id=item.pk if item else None,
                **form.told(),
                at=clock.now(account),
                actor_id=me(request),
            )
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, _("The alert is set."))
            return back(request, usual=account.get_absolute_url())
    return _form(request, form, account=account, item=item, rule=None)


def _initial(account: Account, meters: list[str], item: Item | None) -> dict[str, Any]:
    default = selectors.default_of(account)
    return {
        "meter": meters[0] if item and len(meters) == 1 else "",
        "thresholds": written(default.thresholds) if default else "",
    }


def _form(request: HtmxRequest, form: Any, **context: Any) -> HttpResponse:
    said = request.POST.get("next", "") or request.GET.get("next", "")
    context |= {"form": form, "next": own_path(said) or context["account"].get_absolute_url()}
    return render(request, FORM, context, status=422 if form.errors else 200)
