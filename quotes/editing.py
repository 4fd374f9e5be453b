"""The pages of the quote editor: a draft's fields, its lines and its live totals."""

from datetime import timedelta
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from o2b import clock
from o2b.asks import held_by
from o2b.customers.models import Account
from o2b.customers.selectors import accounts_like
from o2b.errors import Refused
from o2b.web.http import HtmxRequest, door, is_partial
from quotes import selectors, services
from quotes.forms import Editor
from quotes.models import Quote
from quotes.views import edit_url

VALID_DAYS = timedelta(days=30)


@door("quotes.edit_quote")
@require_http_methods(["GET", "POST"])
def edit(request: HtmxRequest, pk: int | None = None) -> HttpResponse:
    """Show the editor, rearrange its lines, show what it comes to, or save the draft."""
    quote = None if pk is None else selectors.get_quote(pk)
    if quote and not quote.is_draft:
        messages.error(request, _("Only a draft can be edited."))
        return redirect(quote)
    if quote and quote.is_change:
        return redirect(edit_url(quote))
    products = selectors.products_on_sale()
    if request.method == "GET":
        editor = Editor.of(quote, products, _initial(request))
        if quote:
            _assess(editor, quote.account, quote.start_on)
        return _answer(request, editor, quote)
    editor = Editor.read(request.POST, products)
    deed = request.POST.get("do", "")
    if deed == "save":
        return _save(request, editor, quote)
    editor.rearrange(deed)
    if account := editor.account:
        _assess(editor, account, editor.start_on)
    return _answer(request, editor, quote)


@door("quotes.edit_quote")
@require_GET
def accounts(request: HttpRequest) -> HttpResponse:
    """The accounts that begin to match, as options of the account field."""
    found = accounts_like(request.GET.get("account", "")[:200])[:20]
    return render(request, "quotes/_accounts.html", {"accounts": found})


def _initial(request: HttpRequest) -> dict[str, Any]:
    """A new quote is open for 30 days, and for the account whose page it was begun on."""
    asked = request.GET.get("account", "")
    digits = asked.isascii() and asked.isdigit() and len(asked) < 18
    account = Account.objects.filter(pk=int(asked)).first() if digits else None
    return {
        "account": account.reference if account else "",
        "valid_until": clock.today(account) + VALID_DAYS,
    }


def _assess(editor: Editor, account: Account, start_on: Any) -> None:
    """Show every fault, or what the lines come to."""
    priced, faults = selectors.try_preview(
        account, editor.wishes, clock.today(account), start_on, held_by(account.pk)
    )
    if priced:
        editor.show(priced.totals)
    for fault in faults:
        editor.blame(fault, gently=True)


def _save(request: HtmxRequest, editor: Editor, quote: Quote | None) -> HttpResponse:
    account = editor.account
    if not editor.header.is_valid() or account is None:
        if account:
            _assess(editor, account, editor.start_on)
        return _answer(request, editor, quote, status=422)
    said = editor.header.cleaned_data
    wish: dict[str, Any] = {
        "account_id": account.pk,
        "lines": editor.wishes,
        "at": clock.now(account),
        "already": held_by(account.pk),
        **{name: said[name] for name in ("title", "valid_until", "start_on")},
    }
    try:
        if quote:
            saved = services.edit_quote(quote_id=quote.pk, **wish)
        else:
            saved = services.draft_quote(owner_id=cast(int, request.user.pk), **wish)
    except Refused as refusal:
        _assess(editor, account, editor.start_on)
        editor.blame(refusal)
        return _answer(request, editor, quote, status=refusal.status)
    messages.success(request, _("%(quote)s is saved.") % {"quote": saved})
    return redirect(saved)


def _answer(
    request: HtmxRequest, editor: Editor, quote: Quote | None, *, status: int = 200
) -> HttpResponse:
    editor.offer_options()
    template = "quotes/edit.html"
    if is_partial(request):
        live = request.htmx.target == "totals"
        template = "quotes/_live.html" if live else "quotes/_editor.html"
    context = {"editor": editor, "quote": quote, "tried": request.method == "POST"}
    return render(request, template, context, status=status)
