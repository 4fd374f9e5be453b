"""What one does with pools: open, share, give, end, rename, harden, top up."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from o2b import clock
from o2b.api.fields import plain
from o2b.asks import held_by
from o2b.errors import Refused
from o2b.web.forms import show_refusal
from o2b.web.http import HtmxRequest, door
from subscriptions.models import Pool, PoolGrant, PoolMember
from subscriptions.pools import services
from subscriptions.pools.forms import (
    EndForm,
    GiveForm,
    NameForm,
    OpenForm,
    RefillForm,
    ShareForm,
    TakeBackForm,
)
from subscriptions.pools.shown import member_title, products_bringing
from subscriptions.pools.views.doorstep import GRANTS, MANAGES, ORDERS, me

METHODS = ["GET", "HEAD", "POST"]
Effect = Callable[[dict[str, Any]], Any]


def _asked(
    request: HtmxRequest,
    form: forms.Form,
    effect: Effect,
    *,
    said: str,
    title: str,
    label: str,
    pool: Pool | None = None,
    **context: Any,
) -> HttpResponse:
    """The form; once it is filled in well and not refused, the effect, and on to the pool."""
    if form.is_bound and form.is_valid():
        try:
            done = effect(form.cleaned_data)
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, said)
            return redirect(pool or done)
    context |= {"form": form, "title": title, "label": label, "pool": pool}
    status = 422 if form.is_bound else 200
    return render(request, "subscriptions/pools/form.html", context, status=status)


def _sent(request: HtmxRequest) -> Any:
    """What a form sent, be it nothing; None where it is only looked at."""
    return request.POST if request.method == "POST" else None


def _pool(pk: int) -> Pool:
    return Pool.objects.select_related("account__test_clock").get(pk=pk)


def _at(pool: Pool) -> datetime:
    return clock.now(pool.account)


@door(MANAGES)
@require_http_methods(METHODS)
def new(request: HtmxRequest) -> HttpResponse:
    """Open a pool that no order has opened."""
    given = {"account": request.GET.get("account", "")[:200]}
    form = OpenForm(request.POST) if request.method == "POST" else OpenForm(initial=given)

    def effect(told: dict[str, Any]) -> Pool:
        account = told["account"]
        return services.open_pool(
            account_id=account.pk,
            meter=told["meter"],
            name=told["name"],
            at=clock.now(account),
            by=me(request),
        )

    return _asked(
        request,
        form,
        effect,
        said=_("The pool is open. Give it units, or let an order bring them."),
        title=_("Open a pool"),
        label=_("Open the pool"),
        intro=_("Orders that bring units open it by themselves; by hand only without one."),
    )


@door(MANAGES)
@require_http_methods(METHODS)
def share(request: HtmxRequest, pk: int) -> HttpResponse:
    """Let another account, or one service, draw too."""
    pool = _pool(pk)

    def effect(told: dict[str, Any]) -> PoolMember:
        return services.share_pool(pool_id=pk, **told, at=_at(pool), by=me(request))

    return _asked(
        request,
        ShareForm(_sent(request)),
        effect,
        said=_("It draws from the pool now."),
        title=_("Share the pool"),
        label=_("Share it"),
        pool=pool,
        intro=_("The pool’s own account draws anyway. Who shares it draws from no other pool."),
    )


@door(MANAGES)
@require_http_methods(METHODS)
def end_member(request: HtmxRequest, pk: int) -> HttpResponse:
    """Let it draw no more."""
    related = (
        *("pool__account__test_clock", "account"),
        "service__product_version__product",
    )
    member = PoolMember.objects.select_related(*related).get(pk=pk)

    def effect(told: dict[str, Any]) -> PoolMember:
        return services.end_sharing(member_id=pk, **told, at=_at(member.pool), by=me(request))

    return _asked(
        request,
        EndForm(_sent(request)),
        effect,
        said=_("Sharing has its end."),
        title=_("End sharing with %(who)s") % {"who": member_title(member)},
        label=_("End it"),
        pool=member.pool,
        intro=_("What it has drawn before stays drawn. The first day of sharing undoes it all."),
    )


@door(GRANTS)
@require_http_methods(METHODS)
def give(request: HtmxRequest, pk: int) -> HttpResponse:
    """Units by hand."""
    pool = _pool(pk)
    form = GiveForm(_sent(request))

    def effect(told: dict[str, Any]) -> PoolGrant:
        return services.grant_units(
            pool_id=pk,
            units=told["units"],
            reason=told["reason"],
            priority=told["priority"],
            begins_on=told["begins_on"],
            ends_on=form.ends_on(clock.today(pool.account)),
            at=_at(pool),
            by=me(request),
        )

    return _asked(
        request,
        form,
        effect,
        said=_("The units are in the pool."),
        title=_("Give units"),
        label=_("Give them"),
        pool=pool,
        intro=_("For goodwill, a promotion, a correction. They cost nothing."),
    )


@door(GRANTS)
@require_http_methods(METHODS)
def take_back(request: HtmxRequest, pk: int) -> HttpResponse:
    """What is left of units given by hand leaves the pool."""
    grant = PoolGrant.objects.select_related("pool__account__test_clock").get(pk=pk)

    def effect(told: dict[str, Any]) -> PoolGrant:
        return services.end_grant(grant_id=pk, **told, at=_at(grant.pool), by=me(request))

    return _asked(
        request,
        TakeBackForm(_sent(request)),
        effect,
        said=_("What was left of them is taken back."),
        title=_("Take units back"),
        label=_("Take them back"),
        pool=grant.pool,
        intro=_("Given for: %(reason)s. What was drawn of them before today stays covered.")
        % {"reason": grant.reason},
    )


@door(MANAGES)
@require_http_methods(METHODS)
def rename(request: HtmxRequest, pk: int) -> HttpResponse:
    """Another name."""
    pool = _pool(pk)

    def effect(told: dict[str, Any]) -> Pool:
        return services.rename_pool(pool_id=pk, **told, at=_at(pool), by=me(request))

    return _asked(
        request,
        NameForm(_sent(request), initial={"name": pool.name}),
        effect,
        said=_("It is renamed."),
        title=_("Rename the pool"),
        label=_("Rename it"),
        pool=pool,
    )


@door(MANAGES)
@require_POST
def harden(request: HtmxRequest, pk: int) -> HttpResponse:
    """Usage beyond what the pool holds is refused, or it is not any more."""
    pool, hard = _pool(pk), request.POST.get("hard") == "1"
    services.set_hard(pool_id=pk, hard=hard, at=_at(pool), by=me(request))
    if hard:
        messages.success(request, _("Usage beyond what the pool holds is refused from now on."))
    else:
        messages.success(request, _("Usage beyond what the pool holds is counted and charged."))
    return redirect(pool)


@door(MANAGES)
@require_http_methods(METHODS)
def refill(request: HtmxRequest, pk: int) -> HttpResponse:
    """The standing order that tops the pool up."""
    _require_orders(request)
    pool = _pool(pk)
    stands = getattr(pool, "refill", None)
    initial = {}
    if stands is not None:
        initial = {
            "below": plain(stands.below),
            "product": stands.product.code,
            "quantity": plain(stands.quantity),
            "most_a_month": stands.most_a_month,
        }

    def effect(told: dict[str, Any]) -> Any:
        return services.set_refill(
            pool_id=pk, **told, at=_at(pool), by=me(request), already=held_by(pool.account_id)
        )

    return _asked(
        request,
        RefillForm(_sent(request), initial=initial),
        effect,
        said=_("The pool is topped up by itself from now on."),
        title=_("Automatic top-up"),
        label=_("Switch it on"),
        pool=pool,
        intro=_(
            "A standing order in your name: each time less is left than you say, it places a real "
            "order, at the price of that day. One order at a time."
        ),
        products=products_bringing(pool.meter),
    )


@door(MANAGES)
@require_POST
def stop_refill(request: HtmxRequest, pk: int) -> HttpResponse:
    """No more orders by itself."""
    _require_orders(request)
    pool = _pool(pk)
    services.stop_refill(pool_id=pk, at=_at(pool), by=me(request))
    messages.success(request, _("The pool is topped up by itself no more."))
    return redirect(pool)


def _require_orders(request: HtmxRequest) -> None:
    if not request.user.has_perm(ORDERS):
        raise PermissionDenied(ORDERS)
