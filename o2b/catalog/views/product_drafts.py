"""The draft of a product version: begun, edited as rows, handed to a colleague."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from o2b import clock
from o2b.catalog import selectors, services
from o2b.catalog.forms import TYPES, VersionEditor
from o2b.catalog.models import Product, ProductVersion
from o2b.catalog.models.products import Lifecycle
from o2b.catalog.views.who import who
from o2b.errors import Refused
from o2b.web.http import HtmxRequest, door, is_partial

CHANGE = "catalog.change_product"


@door(CHANGE)
@require_POST
def draft(request: HtmxRequest, code: str) -> HttpResponse:
    """Begin the next version as a copy of the newest one."""
    services.draft_product_version(code=code, by=who(request), at=clock.now())
    return redirect("catalog:product-edit", code=code)


@door(CHANGE)
@require_http_methods(["GET", "POST"])
def edit(request: HtmxRequest, code: str) -> HttpResponse:
    """Show the draft, add or take a row, or save all of it."""
    version = _draft_of(code)
    if version is None:
        messages.error(request, _("There is no draft: begin a new version first."))
        return redirect("catalog:product", code=code)
    if request.method == "GET":
        return _answer(request, VersionEditor.of(version), version)
    editor = VersionEditor.read(request.POST)
    deed = request.POST.get("do", "")
    if deed != "save":
        editor.rearrange(deed)
        return _answer(request, editor, version)
    try:
        services.edit_product_version(
            version_id=version.pk, by=who(request), at=clock.now(), **editor.told()
        )
    except Refused as refusal:
        editor.blame(refusal)
        return _answer(request, editor, version, status=refusal.status)
    messages.success(request, _("%(version)s is saved.") % {"version": version})
    return redirect(f"{_compare_url(version)}")


def _compare_url(version: ProductVersion) -> str:
    return f"{version.product.get_absolute_url()}compare/?to={version.number}"


def _draft_of(code: str) -> ProductVersion | None:
    product = Product.objects.get(code=code)
    return selectors.versions_of(product).filter(state=Lifecycle.DRAFT).first()


def _answer(
    request: HtmxRequest, editor: VersionEditor, version: ProductVersion, *, status: int = 200
) -> HttpResponse:
    context: dict[str, Any] = {
        "editor": editor,
        "version": version,
        "product": version.product,
        "types": TYPES,
        "products": Product.objects.exclude(pk=version.product_id).order_by("name", "code"),
        "compare_url": _compare_url(version),
    }
    template = (
        "catalog/_product_editor.html" if is_partial(request) else "catalog/product_edit.html"
    )
    return render(request, template, context, status=status)
