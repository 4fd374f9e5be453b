"""What people do with prepaid money: ask, approve, set, refill; and the panel of an account."""

from typing import cast

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing.models import TopUp, WalletGrant
from billing.wallets import selectors
from billing.wallets.forms import GrantForm, TopUpForm, WalletForm
from billing.wallets.services import granting
from billing.wallets.services.setting import set_wallet
from billing.wallets.services.topping_up import set_top_up, stop_top_up
from o2b import clock
from o2b.asks import held_by
from o2b.customers.models import Account
from o2b.errors import Refused
from o2b.web.forms import show_refusal
from o2b.web.http import HtmxRequest, door, is_partial

VIEW, GRANT, APPROVE = "billing.view_invoice", "billing.grant_money", "billing.approve_grant"
ROWS = 10


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
                asked_by_id=_user(request),
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
    granting.approve_grant(grant_id=pk, user_id=_user(request), at=clock.now(grant.account))
    messages.success(request, _("%(grant)s is granted.") % {"grant": grant})
    return redirect(grant.account)


@door(APPROVE)
@require_POST
def refuse(request: HtmxRequest, pk: int) -> HttpResponse:
    """The second person says no."""
    grant = _grant(pk)
    granting.refuse_grant(grant_id=pk, user_id=_user(request), at=clock.now(grant.account))
    messages.success(request, _("%(grant)s is refused.") % {"grant": grant})
    return redirect(grant.account)


@door(GRANT)
@require_POST
def withdraw(request: HtmxRequest, pk: int) -> HttpResponse:
    """Who asked takes it back."""
    grant = _grant(pk)
    granting.withdraw_grant(grant_id=pk, user_id=_user(request), at=clock.now(grant.account))
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
            actor_id=_user(request),
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
                    user_id=_user(request),
                    at=clock.now(wallet.account),
                    already=held_by(wallet.account_id),
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
    stop_top_up(wallet_id=pk, at=clock.now(wallet.account), actor_id=_user(request))
    messages.success(request, _("The standing order is stopped."))
    return redirect(wallet)


def _grant(pk: int) -> WalletGrant:
    return get_object_or_404(selectors.grants_for_list(), pk=pk)


def _user(request: HtmxRequest) -> int:
    return cast(int, request.user.pk)  # nobody passes the door without one
