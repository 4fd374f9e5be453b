"""The pages of customers: accounts, one account with the panels of every stage, its form."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from o2b import asks, clock
from o2b.customers import selectors, services
from o2b.customers.forms import AccountForm, NewAccountForm
from o2b.customers.models import Account
from o2b.errors import Refused
from o2b.web.forms import show_refusal
from o2b.web.http import door
from o2b.web.tables import Action, Column, ListPage


class AccountList(ListPage):
    """Every account, by name."""

    permission = "customers.view_account"
    title = gettext_lazy("Customers")
    columns = (
        Column("name", gettext_lazy("Account"), sort="name", link=True, note="reference"),
        Column("customer", gettext_lazy("Customer"), value="customer.name", sort="customer__name"),
        Column("segment", gettext_lazy("Segment"), value="customer.segment"),
        Column("state", gettext_lazy("State"), kind="badge", sort="state"),
        Column("currency", gettext_lazy("Currency"), sort="currency"),
        Column("bill_day", gettext_lazy("Bill day"), kind="number", sort="bill_day"),
        Column(
            "advocate",
            gettext_lazy("Advocate"),
            sort=("advocate__last_name", "advocate__first_name"),
        ),
    )
    search = ("reference", "name", "customer__name")
    search_hint = gettext_lazy("Number, account, customer…")
    state_field = "state"
    states = Account.State.choices
    default_sort = "name"
    csv_name = "accounts"
    actions = (
        Action(gettext_lazy("New account"), "customers:new", permission="customers.change_account"),
    )
    empty = gettext_lazy("No customers yet.")

    def get_rows(self) -> QuerySet[Account]:
        return selectors.accounts_for_list()


@door("customers.view_account")
@require_GET
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    account = selectors.get_account(pk)
    may_close = account.is_open and request.user.has_perm("customers.change_account")
    context = {
        "account": account,
        "closing": asks.ask("account_closing", account.pk) if may_close else [],
        "panels": asks.ask("account_panels", request.user, account.pk),
        "contacts": account.customer.contacts.all(),
        "siblings": account.customer.accounts.exclude(pk=pk)[:20],
    }
    return render(request, "customers/detail.html", context)


@door("customers.change_account")
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    form = NewAccountForm(request.POST or None, initial=_initial(request))
    if form.is_bound and form.is_valid():
        try:
            account = services.create_account(
                **form.told(), at=clock.now(), actor_id=request.user.pk
            )
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, _("%(account)s is open.") % {"account": account})
            return redirect(account)
    context: dict[str, Any] = {"form": form, "account": None}
    return render(request, "customers/edit.html", context, status=422 if form.errors else 200)


@door("customers.change_account")
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    account = selectors.get_account(pk)
    form = AccountForm(request.POST or None, initial=AccountForm.of(account))
    if form.is_bound and form.is_valid():
        try:
            services.change_account(
                account_id=pk,
                **form.told(),
                at=clock.now(account),
                actor_id=request.user.pk,
            )
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, _("%(account)s is saved.") % {"account": account})
            return redirect(account)
    context = {"form": form, "account": account}
    return render(request, "customers/edit.html", context, status=422 if form.errors else 200)


@door("customers.change_account")
@require_POST
def close(request: HttpRequest, pk: int) -> HttpResponse:
    account = selectors.get_account(pk)
    services.close_account(account_id=pk, at=clock.now(account), actor_id=request.user.pk)
    messages.success(request, _("%(account)s is closed.") % {"account": account})
    return redirect(account)


def _initial(request: HttpRequest) -> dict[str, Any]:
    return {"advocate": request.user.pk, "customer": request.GET.get("customer", "")}
