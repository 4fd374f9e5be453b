"""The price simulator: a question in the address, and its answer; nothing is written."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from o2b import clock
from o2b.catalog.forms import Question
from o2b.catalog.forms.simulator import products_on_sale
from o2b.catalog.resolution import DiscountUnderFloor
from o2b.catalog.simulation import Wish, simulate
from o2b.customers.selectors import accounts_like
from o2b.web.forms import show_refusal
from o2b.web.http import door, is_partial

ASKED = {"account", "product"}


@door("catalog.view_product")
@require_GET
def simulator(request: HttpRequest) -> HttpResponse:
    """Show the question; with an account and a product in it, the answer too."""
    today = clock.today()
    asked = request.GET.copy()
    began = set(asked) >= ASKED and all(str(asked[name]).strip() for name in ASKED)
    for name, usual in (("start", today.isoformat()), ("quantity", "1"), ("months", "6")):
        if not asked.get(name):
            asked[name] = usual
    form = Question(asked, today=today)
    if not began:
        # Somebody came by a link that names a product or an account: no reproaches yet.
        form.errors.clear()
        return _answer(request, form)
    if not form.is_valid():
        return _answer(request, form, status=422 if is_partial(request) else 200)
    said = form.cleaned_data
    assert form.account_found
    assert form.version
    found = simulate(
        Wish(
            account=form.account_found,
            version=form.version,
            quantity=said["quantity"],
            start=said["start"],
            months=said["months"],
            characteristics=form.characteristics,
            discount=said["discount"],
            usage=said["usage"],
        )
    )
    if isinstance(found.refusal, DiscountUnderFloor):
        found.refusal.field = "discount"
        show_refusal(form, found.refusal)
    return _answer(request, form, simulation=found)


@door("catalog.view_product")
@require_GET
def accounts(request: HttpRequest) -> HttpResponse:
    """The accounts that begin to match, as options of the account field."""
    found = accounts_like(request.GET.get("account", "")[:200])[:20]
    return render(request, "catalog/_accounts.html", {"accounts": found})


def _answer(
    request: HttpRequest, form: Question, *, status: int = 200, **context: Any
) -> HttpResponse:
    template = "catalog/_simulator.html" if is_partial(request) else "catalog/simulator.html"
    context |= {"form": form, "products": products_on_sale()}
    return render(request, template, context, status=status)
