"""Pages of prepaid money: wallets, one with its statement, grants and the second person's say."""

from typing import Any, ClassVar

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing.models import TopUp, WalletGrant, WalletMovement
from billing.wallets import selectors
from billing.wallets.forms import GrantForm, TopUpForm, WalletForm
from billing.wallets.selectors.topups import refills_of
from billing.wallets.services import granting
from billing.wallets.services.setting import set_wallet
from billing.wallets.services.topping_up import set_top_up, stop_top_up
from o2b import clock
from o2b.customers.models import Account
from o2b.errors import Refused
from o2b.web.filters import Filter
from o2b.web.forms import show_refusal
from o2b.web.http import HtmxRequest, door, is_partial
from o2b.web.tables import Action, Column, ListPage

VIEW, GRANT, APPROVE = "billing.view_invoice", "billing.grant_money", "billing.approve_grant"
ROWS = 10
TONES = {
    "granted": "good",
    "drawn": "",
    "returned": "good",
    "taken": "warn",
    "lapsed": "bad",
}


class WalletList(ListPage):
    """Every wallet with what it holds."""

    permission = VIEW
    title = gettext_lazy("Prepaid credit")
    columns = (
        Column("number", gettext_lazy("Wallet"), value=str, sort="pk", link=True, kind="code"),
        Column(
            "account",
            gettext_lazy("Account"),
            value="account.name",
            sort="account__name",
            note="account.reference",
            link="account.get_absolute_url",
        ),
        Column("covers", gettext_lazy("Pays"), value="get_covers_display"),
        Column("held", gettext_lazy("Holds"), sort="held", kind="money", currency="currency"),
    )
    search = ("pk", "account__name", "account__reference")
    search_hint = gettext_lazy("Number or account…")
    default_sort = "-number"
    csv_name = "wallets"
    actions = (
        Action(gettext_lazy("Grants"), "billing:wallet-grants", permission=VIEW, primary=False),
    )
    empty = gettext_lazy("No prepaid credit yet. It comes with an order, or as a grant.")

    def get_rows(self) -> QuerySet[Any]:
        return selectors.wallets_for_list()


class WalletPage(ListPage):
    """One wallet: what it holds, its lots, and its statement, the newest movement first."""

    permission = VIEW
    template_name = "billing/wallets/wallet.html"
    columns = (
        Column("on", gettext_lazy("Date"), sort="pk", kind="day"),
        Column(
            "kind",
            gettext_lazy("Movement"),
            kind="badge",
            label="get_kind_display",
            tone=lambda row: TONES[row.kind],
        ),
        Column("lot", gettext_lazy("Lot"), kind="code", note="lot.text"),
        Column(
            "invoice",
            gettext_lazy("Document"),
            value="invoice.number",
            link=lambda row: row.invoice.get_absolute_url() if row.invoice else None,
        ),
        Column("ends_on", gettext_lazy("Good until"), value="lot.ends_on", kind="day"),
        Column("amount", gettext_lazy("Amount"), kind="money", currency="wallet.currency"),
        Column("balance", gettext_lazy("Balance"), kind="money", currency="wallet.currency"),
    )
    search = ("lot__id", "lot__text", "invoice__number")
    search_hint = gettext_lazy("Lot, reason or invoice…")
    state_field = "kind"
    states: ClassVar[Any] = WalletMovement.Kind.choices
    filters = (
        Filter("since", gettext_lazy("From"), "on__gte", kind="day"),
        Filter("until", gettext_lazy("Until"), "on__lte", kind="day"),
    )
    default_sort = "-on"
    csv_name = "wallet-statement"
    empty = gettext_lazy("No movement like this.")

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated and request.user.has_perm(self.permission):
            self.wallet = get_object_or_404(selectors.wallets_for_list(), pk=kwargs["pk"])
        return super().dispatch(request, *args, **kwargs)

    def get_rows(self) -> QuerySet[Any]:
        return selectors.movements_of(self.wallet)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        today = clock.today(self.wallet.account)
        return super().get_context_data(
            title=_("Wallet %(number)s") % {"number": self.wallet},
            wallet=self.wallet,
            account=self.wallet.account,
            today=today,
            standing=selectors.standing_of(self.wallet, today=today),
            lots=selectors.lots_of(self.wallet),
            grants=selectors.grants_to_approve(self.wallet.account),
            form=WalletForm.of(self.wallet),
            rule=TopUp.objects.select_related("product").filter(wallet=self.wallet).first(),
            refills=refills_of(self.wallet),
            **kwargs,
        )


class GrantList(ListPage):
    """Grants by hand: those that wait for a second person, and what became of the others."""

    permission = VIEW
    title = gettext_lazy("Grants of prepaid credit")
    columns = (
        Column("number", gettext_lazy("Grant"), value=str, sort="pk", kind="code"),
        Column(
            "account",
            gettext_lazy("Account"),
            value="account.name",
            sort="account__name",
            note="account.reference",
            link=lambda row: reverse("billing:of-account-wallet", args=[row.account_id]),
        ),
        Column("state", gettext_lazy("State"), kind="badge", label="get_state_display"),
        Column("reason", gettext_lazy("Reason"), note="get_source_display"),
        Column("asked_by", gettext_lazy("Asked by")),
        Column("ends_on", gettext_lazy("Gone on"), kind="day", sort="ends_on", may_be_empty=True),
        Column("amount", gettext_lazy("Amount"), sort="amount", kind="money", currency="currency"),
    )
    search = ("pk", "reason", "account__name", "account__reference")
    state_field = "state"
    states: ClassVar[Any] = WalletGrant.State.choices
    default_sort = "-number"
    csv_name = "wallet-grants"
    empty = gettext_lazy("No grants yet. Ask for one on the page of an account.")

    def get_rows(self) -> QuerySet[Any]:
        return selectors.grants_for_list()


@door(VIEW)
@require_GET
def of_account(request: HtmxRequest, pk: int) -> HttpResponse:
    """Panel: what prepaid money an account has, and what waits for a second person."""
    rows = Account.objects.select_related("test_clock", "legal_entity")
    account = get_object_or_404(rows, pk=pk)
    today = clock.today(account)
    found = selectors.wallets_of_account(account)
    context = {
        "parent": account,
        "account": account,
        "title": _("Prepaid credit"),
        "part": "billing/wallets/_of_account.html",
        "wallets": [
            (
                each,
                selectors.standing_of(each, today=today),
                selectors.movements_of(each).order_by("-pk")[:ROWS],
            )
            for each in found
        ],
        "grants": selectors.grants_to_approve(account),
    }
    part = "billing/wallets/_of_account.html"
    return render(request, part if is_partial(request) else "billing/panel.html", context)


@door(GRANT)
@require_http_methods(["GET", "HEAD", "POST"])
def new_grant(request: HtmxRequest, pk: int) -> HttpResponse:
    """Ask for money for an account."""
    account = get_object_or_404(Account.objects.select_related("test_clock"), pk=pk)
    form = GrantForm(request.POST or None)
    if request.method != "POST":
        return _grant_page(request, account, form)
    if form.is_valid():
        try:
            grant = granting.ask_grant(
                account_id=account.pk,
                asked_by_id=request.user.pk,
                at=clock.now(account),
                **form.cleaned_data,
            )
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            text = _("%(grant)s waits for a second person.")
            messages.success(request, text % {"grant": grant})
            return redirect(account)
    return _grant_page(request, account, form, status=422)


def _grant_page(
    request: HtmxRequest, account: Account, form: GrantForm, *, status: int = 200
) -> HttpResponse:
    context = {"account": account, "form": form, "back": account.get_absolute_url()}
    return render(request, "billing/wallets/grant_new.html", context, status=status)


@door(APPROVE)
@require_POST
def approve(request: HtmxRequest, pk: int) -> HttpResponse:
    """The second person lets the money come in."""
    grant = _grant(pk)
    granting.approve_grant(grant_id=pk, user_id=request.user.pk, at=clock.now(grant.account))
    messages.success(request, _("%(grant)s is granted.") % {"grant": grant})
    return redirect(grant.account)


@door(APPROVE)
@require_POST
def refuse(request: HtmxRequest, pk: int) -> HttpResponse:
    """The second person says no."""
    grant = _grant(pk)
    granting.refuse_grant(grant_id=pk, user_id=request.user.pk, at=clock.now(grant.account))
    messages.success(request, _("%(grant)s is refused.") % {"grant": grant})
    return redirect(grant.account)


@door(GRANT)
@require_POST
def withdraw(request: HtmxRequest, pk: int) -> HttpResponse:
    """Who asked takes it back."""
    grant = _grant(pk)
    granting.withdraw_grant(grant_id=pk, user_id=request.user.pk, at=clock.now(grant.account))
    messages.success(request, _("%(grant)s is withdrawn.") % {"grant": grant})
    return redirect(grant.account)


@door(GRANT)
@require_POST
def change(request: HtmxRequest, pk: int) -> HttpResponse:
    """How the wallet pays from the next invoice on."""
    wallet = get_object_or_404(selectors.wallets_for_list(), pk=pk)
    form = WalletForm.of(wallet, request.POST)
    if form.is_valid():
        set_wallet(
            wallet_id=pk,
            at=clock.now(wallet.account),
            actor_id=request.user.pk,
            **form.cleaned_data,
        )
        messages.success(request, _("The wallet is set."))
    else:
        for errors in form.errors.values():
            messages.error(request, str(errors[0]))
    return redirect(wallet)


@door(GRANT)
@require_http_methods(["GET", "HEAD", "POST"])
def refill(request: HtmxRequest, pk: int) -> HttpResponse:
    """The standing order that refills a wallet."""
    wallet = get_object_or_404(selectors.wallets_for_list(), pk=pk)
    rule = TopUp.objects.select_related("product").filter(wallet=wallet).first()
    form = TopUpForm.of(rule, request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                set_top_up(
                    wallet_id=pk,
                    user_id=request.user.pk,
                    at=clock.now(wallet.account),
                    **form.cleaned_data,
                )
            except Refused as refusal:
                show_refusal(form, refusal)
            else:
                messages.success(request, _("The standing order is set."))
                return redirect(wallet)
    context = {"wallet": wallet, "rule": rule, "form": form, "back": wallet.get_absolute_url()}
    return render(request, "billing/wallets/refill.html", context, status=status)


@door(GRANT)
@require_POST
def stop_refill(request: HtmxRequest, pk: int) -> HttpResponse:
    """No more orders."""
    wallet = get_object_or_404(selectors.wallets_for_list(), pk=pk)
    stop_top_up(wallet_id=pk, at=clock.now(wallet.account), actor_id=request.user.pk)
    messages.success(request, _("The standing order is stopped."))
    return redirect(wallet)


def _grant(pk: int) -> WalletGrant:
    return get_object_or_404(selectors.grants_for_list(), pk=pk)
