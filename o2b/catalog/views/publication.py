"""A version of a price book on its way to being sold by: drafted, its impact seen, published."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from o2b import clock
from o2b.catalog import selectors, services
from o2b.catalog.forms import PolicyForm
from o2b.catalog.models import PriceBookVersion
from o2b.catalog.views.impact import impact_of
from o2b.catalog.views.who import who
from o2b.errors import Refused
from o2b.web.forms import show_refusal
from o2b.web.http import door

CHANGE, PUBLISH = "catalog.change_product", "catalog.publish"
MOST_FAULTS = 20


@door(CHANGE)
@require_POST
def draft(request: HttpRequest, code: str) -> HttpResponse:
    """Begin the book's next version with the prices of the newest."""
    version = services.draft_price_book_version(book=code, by=who(request), at=clock.now())
    messages.success(
        request, _("%(version)s is a draft with the prices of before.") % {"version": version}
    )
    return redirect("catalog:book-edit", code=code, number=version.number)


@door(CHANGE)
@require_http_methods(["GET", "POST"])
def publication(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """Whom a draft affects and whom not, what it does to them, and who may publish it."""
    version = selectors.get_book_version(code, number)
    form = PolicyForm(request.POST or None, initial=PolicyForm.of(version))
    if request.method == "POST" and form.is_valid():
        try:
            services.set_policy(
                version_id=version.pk, by=who(request), at=clock.now(), **form.cleaned_data
            )
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, _("Days and policy are saved."))
            return redirect("catalog:book-publication", code=code, number=number)
    return _page(request, version, form)


def _page(request: HttpRequest, version: PriceBookVersion, form: PolicyForm) -> HttpResponse:
    is_draft = version.state == "draft"
    mine = version.prepared_by_id == request.user.pk
    before = selectors.version_before(version)
    faults = services.faults_of_book_version(version) if is_draft else []
    context: dict[str, Any] = {
        "version": version,
        "book": version.book,
        "before": before,
        "form": form,
        "is_draft": is_draft,
        "mine": mine,
        "may_publish": is_draft and not mine and request.user.has_perm(PUBLISH),
        "faults": [services.fault_in_words(fault) for fault in faults[:MOST_FAULTS]],
        "more_faults": max(len(faults) - MOST_FAULTS, 0),
        "warnings": _warnings(version) if is_draft else [],
        "counts": selectors.price_counts(before, version) if before else {},
        "impact": impact_of(request.user, version.pk),
    }
    status = 422 if form.errors else 200
    return render(request, "catalog/publication.html", context, status=status)


def _warnings(version: PriceBookVersion) -> list[str]:
    found = services.warnings_of_book_version(version)
    return [services.fault_in_words(fault) for fault in found[:MOST_FAULTS]]


@door(CHANGE)
@require_POST
def submit(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """Ask a colleague to look at it and publish it."""
    version = selectors.get_book_version(code, number)
    services.submit_price_book_version(version_id=version.pk, by=who(request), at=clock.now())
    messages.success(request, _("It waits for a colleague to publish it."))
    return redirect("catalog:book-publication", code=code, number=number)


@door(PUBLISH)
@require_POST
def publish(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """The second person makes it count."""
    version = selectors.get_book_version(code, number)
    services.publish_price_book_version(version_id=version.pk, by=who(request), at=clock.now())
    messages.success(request, _("%(version)s is published.") % {"version": version})
    return redirect("catalog:book", code=code)


@door(CHANGE)
@require_POST
def discard(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """Throw a draft away."""
    version = selectors.get_book_version(code, number)
    services.discard_price_book_version(version_id=version.pk, by=who(request), at=clock.now())
    messages.success(request, _("The draft is gone."))
    return redirect("catalog:book", code=code)
