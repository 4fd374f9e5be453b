"""The pages of tax rates: all of them, a new one, the end of one."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from o2b import clock
from o2b.errors import Refused
from o2b.taxes import selectors, services
from o2b.taxes.forms import CloseForm, RateForm
from o2b.taxes.models import TaxRate
from o2b.web.forms import show_refusal
from o2b.web.http import HtmxRequest, door
from o2b.web.tables import Action, Column, ListPage

VIEW, CHANGE = "taxes.view_taxrate", "taxes.change_taxrate"


class RateList(ListPage):
    """Every rate by country and code, the newest first."""

    permission = VIEW
    title = gettext_lazy("Tax rates")
    intro = gettext_lazy(
        "By country of the company that sells. One whose country has no rate bills without tax."
    )
    columns = (
        Column(
            "country", gettext_lazy("Country"), sort=("country", "code", "valid_from"), link=True
        ),
        Column("code", gettext_lazy("Tax code"), value="shown_code", sort="code", kind="code"),
        Column("name", gettext_lazy("Name"), sort="name", may_be_empty=True),
        Column("percent", gettext_lazy("Percent"), sort="percent", kind="number"),
        Column("valid_from", gettext_lazy("From"), sort="valid_from", kind="day"),
        Column(
            "valid_until",
            gettext_lazy("Ends before"),
            sort="valid_until",
            kind="day",
            may_be_empty=True,
        ),
    )
    search = ("country", "code", "name")
    search_hint = gettext_lazy("Country, code or name…")
    default_sort = "country"
    csv_name = "tax-rates"
    actions = (Action(gettext_lazy("New rate"), "taxes:new", permission=CHANGE),)
    empty = gettext_lazy("No tax rate yet: all bills are net. Add the rates of a country.")

    def get_rows(self) -> QuerySet[Any]:
        return selectors.rates_for_list()


@door(CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HtmxRequest) -> HttpResponse:
    """Add a rate, or say beside the field why not."""
    form = RateForm(request.POST or None, initial={"valid_from": clock.today()})
    if request.method == "POST" and form.is_valid():
        try:
            rate = services.set_tax_rate(**form.cleaned_data, today=clock.today())
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, _("%(rate)s is added.") % {"rate": rate})
            return redirect("taxes:list")
    status = 422 if form.errors else 200
    return render(request, "taxes/new.html", {"form": form}, status=status)


@door(VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def close(request: HtmxRequest, pk: int) -> HttpResponse:
    """One rate, and the form that ends it."""
    rate = get_object_or_404(TaxRate, pk=pk)
    may_change = request.user.has_perm(CHANGE) and rate.valid_until is None
    form = CloseForm(request.POST or None, initial={"on": clock.today()}) if may_change else None
    if request.method == "POST" and form is not None and form.is_valid():
        try:
            on = form.cleaned_data["on"]
            closed = services.close_tax_rate(rate_id=pk, on=on, today=clock.today())
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, _("%(rate)s has an end now.") % {"rate": closed})
            return redirect("taxes:list")
    status = 422 if form is not None and form.errors else 200
    return render(request, "taxes/close.html", {"rate": rate, "form": form}, status=status)
