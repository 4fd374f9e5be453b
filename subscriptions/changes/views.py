"""The wizard of changes: choose what and from when, look at what it costs, order it."""

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from o2b import clock
from o2b.asks import ask
from o2b.errors import Refused
from o2b.web.http import HtmxRequest, door, is_partial
from quotes.selectors import products_on_sale
from subscriptions.changes.acts import BY_SLUG, deeds_for
from subscriptions.changes.desk import item_to_change, lay_out
from subscriptions.changes.forms import FORMS, ChangeForm
from subscriptions.changes.permission import require_change
from subscriptions.changes.preview import preview_changes
from subscriptions.changes.services import WAIVE, change_services
from subscriptions.changes.shown import PreviewShown, show_preview
from subscriptions.models import Act, Item

VIEW = "subscriptions.view_subscription"
SELLS = {"product", "price", "suspend"}  # whose forms name products that are on sale


@door(VIEW)
@require_GET
def choose(request: HtmxRequest, pk: int) -> HttpResponse:
    """What can be done to a service."""
    require_change(request.user)
    item = item_to_change(pk)
    desk = lay_out(item, None, at=clock.now(item.account))
    deeds = deeds_for(item.state, is_open=item.account.is_open)
    context = {"desk": desk, "item": item, "deeds": deeds}
    return render(request, "subscriptions/change_choose.html", context)


@door(VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HtmxRequest, pk: int, slug: str) -> HttpResponse:
    """One change: its fields, then what it brings; nothing is written before it is ordered."""
    require_change(request.user)
    deed = BY_SLUG.get(slug)
    if deed is None:
        raise Http404
    item = item_to_change(pk)
    desk = lay_out(item, deed, at=clock.now(item.account))
    here = desk.chain.changed_by(item, desk.today)
    # What is taken back may have been on days that are over.
    if here.pk != item.pk and deed.act != Act.WITHDRAW:
        return redirect("subscriptions:change", here.pk, slug)
    on_sale = products_on_sale() if slug in SELLS else []
    given = request.POST if request.method == "POST" else _given(request, slug)
    form = FORMS.get(slug, ChangeForm)(
        given,
        desk=desk,
        on_sale=on_sale,
        asked_by=request.user.pk,
        may_waive=request.user.has_perm(WAIVE),
    )
    if request.method != "POST" and slug != "take-back":
        return _show(request, form)
    match request.POST.get("do"):
        case "look":
            form.forgive()
            return _show(request, form)
        case "order":
            return _order(request, form)
    return _preview(request, form)


def _given(request: HtmxRequest, slug: str) -> Any:
    """The change that is to be taken back stands in the address, so its page is its preview."""
    return request.GET if slug == "take-back" else None


def _preview(request: HtmxRequest, form: ChangeForm) -> HttpResponse:
    preview = _looked_at(form)
    return _show(request, form, preview, status=200 if preview else 422)


def _order(request: HtmxRequest, form: ChangeForm) -> HttpResponse:
    """Order what was looked at, or show what it is by now."""
    preview = _looked_at(form)
    if preview is None:
        return _show(request, form, status=422)
    if request.POST.get("seen") != preview.seen:
        form.add_error(None, _("It is not what you looked at any more; look at the amounts again."))
        return _show(request, form, preview, status=409)
    desk = form.desk
    try:
        changed = change_services(
            account_id=desk.item.account_id,
            wishes=[replace(form.wish, revision=preview.revision)],
            at=clock.now(desk.account),
            actor_id=request.user.pk,
        )
    except Refused as refusal:
        form.blame(refusal)
        return _show(request, form, status=refusal.status)
    what = {"what": desk.deed.title if desk.deed else ""}
    said = _("Ordered: %(what)s.") % what
    if preview.deliver:
        said = _("Ordered: %(what)s. It holds once it is delivered.") % what
    link = changed.order.get_absolute_url()
    words = _("Order %(order)s") % {"order": changed.order}
    messages.success(request, format_html('{} <a href="{}">{}</a>', said, link, words))
    return HttpResponseRedirect(_page_of(desk.item))


def _looked_at(form: ChangeForm) -> PreviewShown | None:
    """What the wish would bring; None, and the form says why, where it cannot be."""
    if not form.is_valid():
        return None
    desk = form.desk
    try:
        preview = preview_changes(
            account_id=desk.item.account_id,
            wishes=[form.wish],
            at=clock.now(desk.account),
            billed=lambda items: ask("billed_so_far", items),
            actor_id=form.asked_by,
        )
    except Refused as refusal:
        form.blame(refusal)
        return None
    return show_preview(preview, today=desk.today)


def _show(
    request: HtmxRequest,
    form: ChangeForm,
    preview: PreviewShown | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    desk = form.desk
    context = {
        "form": form,
        "desk": desk,
        "item": desk.item,
        "deed": desk.deed,
        "preview": preview,
        "carried": list(form.carried()) if preview else [],
        "currency": desk.account.currency,
        "taken_back": _taken_back(form),
    }
    part = "subscriptions/_change.html" if is_partial(request) else "subscriptions/change.html"
    return render(request, part, context, status=status)


def _taken_back(form: ChangeForm) -> Any:
    """The change that is to be taken back, in the reader's words."""
    if form.desk.deed is None or form.desk.deed.act != Act.WITHDRAW:
        return None
    told = form.data.get("withdraws", "")
    return next((c for c in form.desk.chain.changes if str(c.revision) == told), None)


@door(VIEW)
@require_GET
def of_item(request: HtmxRequest, pk: int) -> HttpResponse:
    """To the subscription of an item, where it stands on its page."""
    item = Item.objects.select_related("subscription").get(pk=pk)
    return HttpResponseRedirect(_page_of(item))


def _page_of(item: Item) -> str:
    return f"{item.subscription.get_absolute_url()}#item-{item.pk}"
