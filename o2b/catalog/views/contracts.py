"""One contract and its attached files; the contracts of an account as a panel."""

from urllib.parse import quote

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from o2b import clock
from o2b.catalog import selectors, services
from o2b.catalog.forms import DocumentForm
from o2b.catalog.models import Contract, ContractDocument
from o2b.catalog.views.who import who
from o2b.customers.selectors import get_account
from o2b.web.http import HtmxRequest, door

ATTACH = "catalog.change_contract"


@door("catalog.view_product")
@require_GET
def contract(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, selectors.get_contract(pk), DocumentForm())


@door(ATTACH)
@require_POST
def attach(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep a file with the contract."""
    found = selectors.get_contract(pk)
    form = DocumentForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, found, form, status=422)
    file = form.cleaned_data["file"]
    services.attach_document(
        contract_id=found.pk,
        name=file.name,
        content_type=form.content_type,
        body=file.read(),
        by=who(request),
        at=clock.now(found.account),
    )
    messages.success(request, _("%(file)s is attached.") % {"file": file.name})
    return redirect("catalog:contract", pk=pk)


@door("catalog.view_product")
@require_GET
def document(request: HttpRequest, pk: int, document_id: int) -> HttpResponse:
    """The file as it came, to be saved: a browser must never run what somebody attached."""
    found = ContractDocument.objects.get(pk=document_id, contract=pk)
    response = HttpResponse(bytes(found.body), content_type="application/octet-stream")
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(found.name, safe='')}"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, no-store"
    return response


@door("catalog.view_product")
@require_GET
def of_account(request: HtmxRequest, account_id: int) -> HttpResponse:
    """The contracts and own books of an account: a panel for htmx, a page of its own without."""
    context = {
        "account": get_account(account_id),
        "contracts": selectors.contracts_of_account(account_id)[:20],
        "books": selectors.books_of_account(account_id),
        "may_change": request.user.has_perm("catalog.change_product"),
    }
    template = "catalog/_of_account.html" if request.htmx else "catalog/of_account.html"
    return render(request, template, context)


def _page(
    request: HttpRequest, found: Contract, form: DocumentForm, *, status: int = 200
) -> HttpResponse:
    currency = found.account.currency
    warnings = services.warnings_of_contract(found) if found.state == "draft" else []
    meters = selectors.MeterNames()
    context = {
        "contract": found,
        "currency": currency,
        "rates": [
            (price, selectors.rate_of(price, currency, meters)) for price in found.prices.all()
        ],
        "versions": selectors.versions_of_contract(found),
        "documents": selectors.documents_of(found),
        "form": form,
        "warnings": [services.fault_in_words(fault) for fault in warnings],
        "may_attach": request.user.has_perm(ATTACH),
    }
    return render(request, "catalog/contract.html", context, status=status)
