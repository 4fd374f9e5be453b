"""One product: its versions and what differs between them, its prices, how it is delivered."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from o2b import clock
from o2b.catalog import selectors, services
from o2b.catalog.forms import ProductForm, RetireForm
from o2b.catalog.models import Product, ProductVersion
from o2b.catalog.views.who import who
from o2b.errors import Refused
from o2b.web.forms import show_refusal
from o2b.web.http import door

CHANGE, PUBLISH = "catalog.change_product", "catalog.publish"


@door("catalog.view_product")
@require_GET
def product(request: HttpRequest, code: str) -> HttpResponse:
    found = Product.objects.get(code=code)
    plan = selectors.plan_of(found)
    versions = list(selectors.versions_of(found))
    current = next((v for v in versions if v.state == "published"), None)
    draft = next((v for v in versions if v.state == "draft"), None)
    shown = current or (versions[0] if versions else None)
    context = {
        "product": found,
        "versions": versions,
        "pairs": list(zip(versions, [*versions[1:], None], strict=True)),
        "current": current,
        "draft": draft,
        "shown": shown,
        "plan": plan,
        "steps": selectors.steps_of(plan.tasks) if plan else [],
        "shelves": selectors.shelves_of(found),
        "bundles": selectors.bundles_with(found),
        "retire_form": RetireForm(product=found) if current else None,
        "may_change": request.user.has_perm(CHANGE),
    }
    return render(request, "catalog/product.html", context)


@door("catalog.view_product")
@require_GET
def compare(request: HttpRequest, code: str) -> HttpResponse:
    """What differs between two versions: ?from= and ?to= are their numbers."""
    found = Product.objects.get(code=code)
    versions = list(selectors.versions_of(found))
    by_number = {str(version.number): version for version in versions}
    after = by_number.get(request.GET.get("to", ""), versions[0] if versions else None)
    if after is None:
        raise ObjectDoesNotExist(f"{found} has no versions")
    earlier = next((v for v in versions if v.number < after.number), after)
    before = by_number.get(request.GET.get("from", ""), earlier)
    context = {
        "product": found,
        "versions": versions,
        "before": before,
        "after": after,
        "sections": selectors.version_differences(before, after),
        **_publication(request, after),
    }
    return render(request, "catalog/compare.html", context)


def _publication(request: HttpRequest, version: ProductVersion) -> dict[str, Any]:
    """Whether the person who looks may publish it, or must ask a colleague."""
    draft = version.state == "draft"
    mine = version.prepared_by_id is not None and version.prepared_by_id == request.user.pk
    return {
        "is_draft": draft,
        "may_publish": draft and not mine and request.user.has_perm(PUBLISH),
        "must_ask": draft and mine,
    }


@door(CHANGE)
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """A product under a code of its own, with a first draft."""
    form = ProductForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create_product(**form.cleaned_data, by=who(request), at=clock.now())
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, _("%(product)s is there as a draft.") % {"product": made})
            return redirect("catalog:product-edit", code=made.code)
    status = 422 if form.errors else 200
    return render(request, "catalog/product_new.html", {"form": form}, status=status)


@door(CHANGE)
@require_POST
def submit(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """Ask a colleague to look at it and publish it."""
    version = selectors.get_version(code, number)
    services.submit_product_version(version_id=version.pk, by=who(request), at=clock.now())
    messages.success(request, _("It waits for a colleague to publish it."))
    return redirect(f"{version.product.get_absolute_url()}compare/?to={number}")


@door(PUBLISH)
@require_POST
def publish(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """The second person makes the draft sellable."""
    version = selectors.get_version(code, number)
    services.publish_product_version(version_id=version.pk, by=who(request), at=clock.now())
    messages.success(request, _("%(version)s is published.") % {"version": version})
    return redirect("catalog:product", code=code)


@door(CHANGE)
@require_POST
def discard(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """Throw a draft away."""
    version = selectors.get_version(code, number)
    services.discard_draft(version_id=version.pk, by=who(request), at=clock.now())
    messages.success(request, _("The draft is gone."))
    return redirect("catalog:product", code=code)


@door(CHANGE)
@require_POST
def retire(request: HttpRequest, code: str) -> HttpResponse:
    """Sell it no more; what takes its place is named where there is one."""
    found = Product.objects.get(code=code)
    form = RetireForm(request.POST, product=found)
    if not form.is_valid():
        for errors in form.errors.values():
            messages.error(request, str(errors[0]))
        return redirect(found)
    services.retire_product(
        product_id=found.pk,
        successor_id=form.cleaned_data["successor"] and form.cleaned_data["successor"].pk,
        on=clock.today(),
        by=who(request),
    )
    messages.success(request, _("%(product)s is sold no more.") % {"product": found})
    return redirect(found)
