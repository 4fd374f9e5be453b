"""The editor of a quote of changes: services, what is done to each, and what it all brings."""

from typing import cast

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from o2b import clock
from o2b.asks import held_by
from o2b.customers.models import Account
from o2b.errors import Refused
from o2b.web.http import HtmxRequest, door, is_partial
from quotes.models import Quote
from quotes.selectors import get_quote, products_on_sale
from subscriptions.models import Item
from subscriptions.quoting.drafting import ChangeDraft, draft_changes, edit_changes
from subscriptions.quoting.forms import (
    AccountNamed,
    ChangeEditor,
    known_services,
    services_to_quote,
)
from subscriptions.quoting.selectors import delta_of_draft

LONGEST_KEY = 18


@door("quotes.edit_quote")
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HtmxRequest) -> HttpResponse:
    """A quote of changes for an account; without one, whose it is to be."""
    account = _account(request)
    if account is None:
        return _choose(request)
    if request.method == "POST":
        return _posted(request, account, None)
    today = clock.today(account)
    items = _items(request)
    if len(known_services(account, items, today=today)) < len(items):
        raise Http404
    if not services_to_quote(account).exists():
        return render(request, "subscriptions/quote_nothing.html", {"account": account})
    editor = ChangeEditor.fresh(account, items, products_on_sale(), today)
    _assess(editor, None)
    return _show(request, editor, None)


@door("quotes.edit_quote")
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HtmxRequest, pk: int) -> HttpResponse:
    """A draft of changes, written anew."""
    quote = get_quote(pk)
    if not quote.is_draft:
        messages.error(request, _("Only a draft can be edited."))
        return redirect(quote)
    if not quote.is_change:
        return redirect("quotes:edit", pk)
    if request.method == "POST":
        return _posted(request, quote.account, quote)
    editor = ChangeEditor.of(quote, products_on_sale(), clock.today(quote.account))
    _assess(editor, quote)
    return _show(request, editor, quote)


def _posted(request: HtmxRequest, account: Account, quote: Quote | None) -> HttpResponse:
    """Rearrange the lines and show what they bring, or save the draft."""
    editor = ChangeEditor.read(request.POST, account, products_on_sale(), clock.today(account))
    if request.POST.get("do") == "save":
        return _save(request, editor, quote)
    _assess(editor, quote)
    return _show(request, editor, quote)


def _save(request: HtmxRequest, editor: ChangeEditor, quote: Quote | None) -> HttpResponse:
    draft = editor.draft
    if draft is None:
        return _show(request, editor, quote, status=422)
    try:
        saved = _written(request, draft, editor.account, quote)
    except Refused as refusal:
        editor.why_not = refusal.message
        editor.blame(refusal)
        return _show(request, editor, quote, status=refusal.status)
    messages.success(request, _("%(quote)s is saved.") % {"quote": saved})
    return redirect(saved)


def _written(
    request: HtmxRequest, draft: ChangeDraft, account: Account, quote: Quote | None
) -> Quote:
    """Write it down, if it could be sent as it is: with the delta its prices are judged."""
    at, already = clock.now(account), held_by(account.pk)
    delta_of_draft(draft, at=at, already=already, besides=quote.pk if quote else None)
    if quote:
        return edit_changes(draft, quote_id=quote.pk, at=at, already=already)
    owner = cast(int, request.user.pk)
    return draft_changes(draft, owner_id=owner, at=at, already=already)


def _assess(editor: ChangeEditor, quote: Quote | None) -> None:
    """Find what the draft brings, or say why that cannot be known."""
    draft = None if editor.is_empty else editor.shown_draft
    if draft is None:
        return
    account = editor.account
    try:
        editor.delta = delta_of_draft(
            draft,
            at=clock.now(account),
            already=held_by(account.pk),
            besides=quote.pk if quote else None,
        )
    except Refused as refusal:
        editor.why_not = refusal.message
        if editor.header.is_bound:
            editor.blame(refusal, gently=True)


def _show(
    request: HtmxRequest, editor: ChangeEditor, quote: Quote | None, *, status: int = 200
) -> HttpResponse:
    editor.offer_options()
    template = "subscriptions/quote_edit.html"
    if is_partial(request):
        live = request.htmx.target == "brings"
        template = f"subscriptions/_quote_{'live' if live else 'editor'}.html"
    context = {"editor": editor, "quote": quote, "account": editor.account}
    return render(request, template, context, status=status)


def _choose(request: HtmxRequest) -> HttpResponse:
    """Ask for the account; one that was named leads to its page."""
    named = request.GET.get("account", "")
    form = AccountNamed({"account": named} if "by" in request.GET else None)
    if form.is_bound and form.is_valid():
        account = form.cleaned_data["account"]
        return HttpResponseRedirect(f"{reverse('subscriptions:quote-new')}?account={account.pk}")
    status = 422 if form.is_bound else 200
    context = {"form": form, "named": named}
    return render(request, "subscriptions/quote_choose.html", context, status=status)


def _account(request: HtmxRequest) -> Account | None:
    """The account that the address or the form names, by key or number; else the first item's.

    What somebody typed (`by`) is a number or a name, never a key.
    """
    if "by" in request.GET:
        return None
    said = request.POST.get("account", request.GET.get("account", ""))
    accounts = Account.objects.select_related("customer", "test_clock")
    if said:
        found = accounts.filter(pk=int(said)).first() if _is_key(said) else None
        found = found or accounts.filter(reference__iexact=said.replace("\0", "")).first()
        if found is None:
            raise Http404
        return found
    if items := _items(request):
        return accounts.get(pk=Item.objects.get(pk=items[0]).account_id)
    return None


def _items(request: HtmxRequest) -> list[int]:
    """The items in the address, each once."""
    said = request.GET.getlist("item")
    if not all(map(_is_key, said)):
        raise Http404
    return [*dict.fromkeys(map(int, said))]


def _is_key(said: str) -> bool:
    return said.isascii() and said.isdigit() and len(said) < LONGEST_KEY
