"""Pages of payers: the list, one agreement, the form that asks for one; the panel of an account."""

from typing import Any, ClassVar, cast

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing.models import PayerAgreement
from billing.payers import selectors, services
from billing.payers.forms import EndForm, PayersForm
from o2b import clock
from o2b.customers.models import Account
from o2b.errors import Refused
from o2b.web.forms import show_refusal
from o2b.web.http import HtmxRequest, door, is_partial
from o2b.web.show import number_text
from o2b.web.tables import Column, ListPage

VIEW, SHARE, APPROVE = "billing.view_invoice", "billing.share_charges", "billing.approve_payers"
ROWS = 20
TONES = {"asked": "warn", "agreed": "good"}


def payers_text(agreement: PayerAgreement) -> str:
    """60 % Programme, 20 % Town."""
    return ", ".join(
        f"{number_text(each.percent.normalize())} % {each.payer.name}"
        for each in agreement.shares.all()
    )


class PayersList(ListPage):
    """Every agreement of payers, the newest first."""

    permission = VIEW
    title = gettext_lazy("Payers")
    columns = (
        Column("number", gettext_lazy("Agreement"), value=str, sort="pk", link=True, kind="code"),
        Column(
            "account",
            gettext_lazy("Account"),
            value="account.name",
            sort="account__name",
            note="account.reference",
            link="account.get_absolute_url",
        ),
        Column("payers", gettext_lazy("Others pay"), value=payers_text),
        Column("starts_on", gettext_lazy("From"), sort="starts_on", kind="day"),
        Column(
            "ends_on",
            gettext_lazy("Until before"),
            sort="ends_on",
            kind="day",
            may_be_empty=True,
        ),
        Column(
            "state",
            gettext_lazy("State"),
            kind="badge",
            label="get_state_display",
            tone=lambda row: TONES.get(row.state, ""),
        ),
    )
    search = (
        "pk",
        "account__name",
        "account__reference",
        "shares__payer__name",
        "shares__payer__reference",
        "reason",
    )
    search_hint = gettext_lazy("Number, account or payer…")
    state_field = "state"
    states: ClassVar[Any] = PayerAgreement.State.choices
    default_sort = "-number"
    csv_name = "payers"
    empty = gettext_lazy("Nobody pays for others yet. Ask for it on the page of an account.")

    def get_rows(self) -> QuerySet[Any]:
        return selectors.agreements().distinct()


@door(VIEW)
@require_GET
def of_account(request: HtmxRequest, pk: int) -> HttpResponse:
    """Panel: who pays a part of an account, and for whom it pays."""
    account = get_object_or_404(Account.objects.select_related("test_clock"), pk=pk)
    part = "billing/payers/_of_account.html"
    context = {
        "parent": account,
        "account": account,
        "title": _("Payers"),
        "part": part,
        "agreements": selectors.agreements_of(pk)[:ROWS],
        "paying": selectors.paying_for(pk)[:ROWS],
        "today": clock.today(account),
    }
    return render(request, part if is_partial(request) else "billing/panel.html", context)


@door(VIEW)
@require_GET
def detail(request: HtmxRequest, pk: int) -> HttpResponse:
    """One agreement: who pays what, and who decided it."""
    agreement = _agreement(pk)
    return _detail(request, agreement, EndForm())


@door(SHARE)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HtmxRequest, pk: int) -> HttpResponse:
    """Ask that others pay a part of an account."""
    account = get_object_or_404(Account.objects.select_related("test_clock"), pk=pk)
    asked = request.POST if request.method == "POST" else None
    form = PayersForm(account, asked, initial={"starts_on": clock.today(account)})
    if asked is not None and form.is_valid():
        told = form.cleaned_data
        try:
            agreement = services.ask_payers(
                account_id=pk,
                service_id=told["service"].pk if told["service"] else None,
                shares=told["shares"],
                starts_on=told["starts_on"],
                ends_on=told["ends_on"],
                reason=told["reason"],
                asked_by_id=_user(request),
                at=clock.now(account),
            )
        except Refused as refusal:
            form.add_error(form.field_of(refusal.field), refusal.message)
        else:
            text = _("%(agreement)s waits for a second person.")
            messages.success(request, text % {"agreement": agreement})
            return redirect(agreement)
    context = {"account": account, "form": form, "back": account.get_absolute_url()}
    return render(request, "billing/payers/new.html", context, status=422 if form.errors else 200)


@door(APPROVE)
@require_POST
def approve(request: HtmxRequest, pk: int) -> HttpResponse:
    """The second person lets the parts hold."""
    return _decided(request, pk, services.approve_payers, _("%(agreement)s is agreed."))


@door(APPROVE)
@require_POST
def refuse(request: HtmxRequest, pk: int) -> HttpResponse:
    """The second person says no."""
    return _decided(request, pk, services.refuse_payers, _("%(agreement)s is refused."))


@door(SHARE)
@require_POST
def withdraw(request: HtmxRequest, pk: int) -> HttpResponse:
    """Who asked takes it back."""
    return _decided(request, pk, services.withdraw_payers, _("%(agreement)s is withdrawn."))


@door(SHARE)
@require_POST
def end(request: HtmxRequest, pk: int) -> HttpResponse:
    """The customer pays all from a day on."""
    agreement = _agreement(pk)
    form = EndForm(request.POST)
    if form.is_valid():
        try:
            services.end_payers(
                agreement_id=pk,
                user_id=_user(request),
                at=clock.now(agreement.account),
                **form.cleaned_data,
            )
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, _("%(agreement)s is ended.") % {"agreement": agreement})
            return redirect(agreement)
    return _detail(request, agreement, form, status=422)


def _decided(request: HtmxRequest, pk: int, service: Any, words: str) -> HttpResponse:
    agreement = _agreement(pk)
    service(agreement_id=pk, user_id=_user(request), at=clock.now(agreement.account))
    messages.success(request, words % {"agreement": agreement})
    return redirect(agreement)


def _detail(
    request: HtmxRequest, agreement: PayerAgreement, form: EndForm, *, status: int = 200
) -> HttpResponse:
    told = sum(each.percent for each in agreement.shares.all())
    context = {"agreement": agreement, "form": form, "rest": 100 - told}
    return render(request, "billing/payers/agreement.html", context, status=status)


def _agreement(pk: int) -> PayerAgreement:
    return get_object_or_404(selectors.agreements(), pk=pk)


def _user(request: HtmxRequest) -> int:
    return cast(int, request.user.pk)  # nobody passes the door without one
