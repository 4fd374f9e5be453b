"""Pages of coupons, and the panel of an account: what it has, what it must spend at least."""

from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing.adjustments.forms import (
    CouponForm,
    EndForm,
    GrantCouponForm,
    MinimumForm,
    RetireForm,
)
from billing.adjustments.selectors import listing
from billing.adjustments.services import coupons, granting, minimums
from billing.models import Coupon, CouponGrant, MinimumSpend
from o2b import clock
from o2b.catalog.models.products import Lifecycle
from o2b.catalog.views.who import who
from o2b.customers.models import Account
from o2b.errors import Refused
from o2b.web.forms import show_refusal
from o2b.web.http import HtmxRequest, door, is_partial
from o2b.web.tables import Action, Column, ListPage

VIEW, MAKE, PUBLISH = "billing.view_invoice", "billing.make_coupon", "billing.publish_coupon"
GRANT, COMMIT = "billing.grant_coupon", "billing.set_minimum"
PANEL = "billing/adjustments/_of_account.html"


class CouponList(ListPage):
    """Every coupon, and how many accounts have it."""

    permission = VIEW
    title = gettext_lazy("Coupons")
    columns = (
        Column("name", gettext_lazy("Coupon"), sort="name", link=True, note="code"),
        Column("state", gettext_lazy("State"), kind="badge", label="get_state_display"),
        Column("kind", gettext_lazy("Kind"), value="get_kind_display", sort="kind"),
        Column("value", gettext_lazy("Value"), kind="number", sort="value", note="currency"),
        Column("months", gettext_lazy("Period"), value="get_months_display"),
        Column("periods", gettext_lazy("Periods"), kind="number", sort="periods"),
        Column(
            "ends_on", gettext_lazy("Until before"), kind="day", sort="ends_on", may_be_empty=True
        ),
        Column("running", gettext_lazy("Accounts"), kind="number", sort="running"),
    )
    search = ("code", "name")
    search_hint = gettext_lazy("Code or name…")
    state_field = "state"
    states: ClassVar[Any] = Lifecycle.choices
    default_sort = "name"
    csv_name = "coupons"
    actions = (Action(gettext_lazy("New coupon"), "billing:coupon-new", permission=MAKE),)
    empty = gettext_lazy("No coupons yet. One takes a percentage or an amount off whole accounts.")

    def get_rows(self) -> QuerySet[Any]:
        return listing.coupons_for_list()


@door(VIEW)
@require_GET
def coupon(request: HttpRequest, code: str) -> HttpResponse:
    """What it gives, who has it, and for a draft the way to publish it."""
    found = listing.coupons_with_products().get(code=code)
    is_draft = found.state == Lifecycle.DRAFT
    mine = found.prepared_by_id == request.user.pk
    context = {
        "coupon": found,
        "grants": listing.grants_for_list().filter(coupon=found)[:50],
        "is_draft": is_draft,
        "may_change": request.user.has_perm(MAKE),
        "may_publish": is_draft and not mine and request.user.has_perm(PUBLISH),
        "must_ask": is_draft and mine,
        "retire_form": RetireForm(initial={"on": clock.today()}),
    }
    return render(request, "billing/adjustments/coupon.html", context)


@door(MAKE)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """A coupon as a draft."""
    form = CouponForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = coupons.write_coupon(by=who(request), at=clock.now(), **form.cleaned_data)
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, _("%(coupon)s is there as a draft.") % {"coupon": made})
            return redirect(made)
    return _form_page(request, form, title=_("New coupon"))


@door(MAKE)
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, code: str) -> HttpResponse:
    """Write a draft anew."""
    draft = listing.coupons_with_products().get(code=code)
    if draft.state != Lifecycle.DRAFT:
        messages.error(request, _("Only a draft can be edited."))
        return redirect(draft)
    form = CouponForm.of(draft, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            coupons.edit_coupon(
                coupon_id=draft.pk, by=who(request), at=clock.now(), **form.cleaned_data
            )
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, _("%(coupon)s is saved.") % {"coupon": draft})
            return redirect(draft)
    return _form_page(request, form, title=_("Edit %(coupon)s") % {"coupon": draft})


def _form_page(request: HttpRequest, form: forms.Form, *, title: str) -> HttpResponse:
    status = 422 if form.errors else 200
    context = {"form": form, "title": title}
    return render(request, "billing/adjustments/coupon_form.html", context, status=status)


@door(MAKE)
@require_POST
def submit(request: HttpRequest, code: str) -> HttpResponse:
    """Ask a colleague to look at it and publish it."""
    found = Coupon.objects.get(code=code)
    coupons.submit_coupon(coupon_id=found.pk, by=who(request), at=clock.now())
    messages.success(request, _("It waits for a colleague to publish it."))
    return redirect(found)


@door(PUBLISH)
@require_POST
def publish(request: HttpRequest, code: str) -> HttpResponse:
    """The second person lets it be granted."""
    found = Coupon.objects.get(code=code)
    coupons.publish_coupon(coupon_id=found.pk, by=who(request), at=clock.now())
    messages.success(request, _("%(coupon)s is published.") % {"coupon": found})
    return redirect(found)


@door(MAKE)
@require_POST
def discard(request: HttpRequest, code: str) -> HttpResponse:
    """Throw a draft away."""
    found = Coupon.objects.get(code=code)
    coupons.discard_coupon(coupon_id=found.pk, by=who(request), at=clock.now())
    messages.success(request, _("The draft is gone."))
    return redirect("billing:coupon-list")


@door(MAKE)
@require_POST
def retire(request: HttpRequest, code: str) -> HttpResponse:
    """Grant it to nobody any more."""
    found = Coupon.objects.get(code=code)
    form = RetireForm(request.POST)
    if not form.is_valid():
        return _with_errors(request, form, found)
    coupons.retire_coupon(
        coupon_id=found.pk, on=form.cleaned_data["on"], by=who(request), at=clock.now()
    )
    messages.success(request, _("%(coupon)s is retired.") % {"coupon": found})
    return redirect(found)


@door(VIEW)
@require_GET
def of_account(request: HtmxRequest, pk: int) -> HttpResponse:
    """Panel: the account's coupons and minimums, and what they gave."""
    account = get_object_or_404(Account.objects.select_related("test_clock"), pk=pk)
    today = clock.today(account)
    found = listing.of_account(account, today=today)
    for row in (*found["grants"], *found["minimums"]):
        row.end_form = EndForm(initial={"on": today}, auto_id=f"{row}-%s")
    context = {
        "parent": account,
        "account": account,
        "title": _("Discounts and minimums"),
        "part": PANEL,
        **found,
    }
    template = PANEL if is_partial(request) else "billing/panel.html"
    return render(request, template, context)


@door(GRANT)
@require_http_methods(["GET", "HEAD", "POST"])
def grant(request: HttpRequest, pk: int) -> HttpResponse:
    """Grant a coupon to an account."""
    account = get_object_or_404(Account.objects.select_related("test_clock"), pk=pk)
    form = GrantCouponForm.of(account, request.POST or None, starts_on=clock.today(account))
    if request.method == "POST" and form.is_valid():
        said = dict(form.cleaned_data)
        try:
            made = granting.grant_coupon(
                account_id=pk,
                coupon_id=said.pop("coupon").pk,
                by=who(request),
                at=clock.now(account),
                **said,
            )
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, _("%(coupon)s is granted.") % {"coupon": made.coupon})
            return redirect(account)
    return _account_page(request, account, form, _("Grant a coupon"), _("Grant it"))


@door(COMMIT)
@require_http_methods(["GET", "HEAD", "POST"])
def commit(request: HttpRequest, pk: int) -> HttpResponse:
    """Set what an account is billed at least."""
    account = get_object_or_404(Account.objects.select_related("test_clock"), pk=pk)
    first = clock.today(account).replace(day=1)
    form = MinimumForm(request.POST or None, initial={"starts_on": first})
    if request.method == "POST" and form.is_valid():
        try:
            minimums.set_minimum(
                account_id=pk, by=who(request), at=clock.now(account), **form.cleaned_data
            )
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, _("The minimum is set."))
            return redirect(account)
    return _account_page(request, account, form, _("Set a minimum"), _("Set it"))


def _account_page(
    request: HttpRequest, account: Account, form: forms.Form, title: str, label: str
) -> HttpResponse:
    context = {
        "account": account,
        "form": form,
        "title": title,
        "label": label,
        "back": account.get_absolute_url(),
    }
    status = 422 if form.errors else 200
    return render(request, "billing/adjustments/account_form.html", context, status=status)


@door(GRANT)
@require_POST
def end_grant(request: HttpRequest, pk: int) -> HttpResponse:
    """A coupon gives nothing more to an account from a day on."""
    found = get_object_or_404(listing.grants_for_list(), pk=pk)
    return _end(request, found, granting.end_grant, grant_id=pk)


@door(COMMIT)
@require_POST
def end_minimum(request: HttpRequest, pk: int) -> HttpResponse:
    """A minimum holds no more from a day on."""
    found = get_object_or_404(listing.minimums_for_list(), pk=pk)
    return _end(request, found, minimums.end_minimum, minimum_id=pk)


def _end(
    request: HttpRequest, found: CouponGrant | MinimumSpend, service: Any, **which: int
) -> HttpResponse:
    form = EndForm(request.POST)
    if not form.is_valid():
        return _with_errors(request, form, found.account)
    try:
        service(by=who(request), at=clock.now(found.account), **which, **form.cleaned_data)
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("%(what)s is ended.") % {"what": found})
    return redirect(found.account)


def _with_errors(request: HttpRequest, form: forms.Form, back: Any) -> HttpResponse:
    for errors in form.errors.values():
        messages.error(request, str(errors[0]))
    return redirect(back)
