"""The pages of quotes: list, one quote and what may be done with it, the panel of an account."""

from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from o2b import clock
from o2b.asks import ask, held_by
from o2b.customers.selectors import get_account
from o2b.errors import Refused
from o2b.web.http import HtmxRequest, door
from o2b.web.tables import Action, Column, Filter, ListPage
from quotes import links, selectors, services
from quotes.history import entries
from quotes.models import Quote

State = Quote.State

# The customer's page belongs to orders, for accepting is ordering.
OFFER_PAGE = "orders:offer"
# Quotes of changes are drafted where services are known.
CHANGE_QUOTE, CHANGE_EDITOR = "subscriptions:quote-new", "subscriptions:quote-edit"


class QuoteList(ListPage):
    """Every quote, the newest first."""

    permission = "quotes.view_quote"
    title = gettext_lazy("Quotes")
    columns = (
        Column("number", gettext_lazy("Number"), sort="pk", link=True, note="title"),
        Column(
            "customer",
            gettext_lazy("Customer"),
            value="account.customer.name",
            sort="account__customer__name",
            note="account.reference",
        ),
        Column("kind", gettext_lazy("Kind"), value="get_kind_display", sort="kind"),
        Column("state", gettext_lazy("State"), kind="badge", sort="state"),
        Column(
            "monthly",
            gettext_lazy("Monthly"),
            value=lambda quote: quote.monthly_total if quote.sent_at else None,
            kind="money",
            currency="currency",
            sort="monthly_total",
        ),
        Column(
            "one_time",
            gettext_lazy("One-time"),
            value=lambda quote: quote.one_time_total if quote.sent_at else None,
            kind="money",
            currency="currency",
            sort="one_time_total",
        ),
        Column("valid_until", gettext_lazy("Valid until"), kind="day", sort="valid_until"),
        Column("owner", gettext_lazy("Rep"), sort=("owner__last_name", "owner__first_name")),
    )
    search = (
        "pk",
        "title",
        "account__reference",
        "account__name",
        "account__customer__name",
    )
    search_hint = gettext_lazy("Number, customer, account…")
    state_field = "state"
    states = State.choices
    filters = (Filter("kind", gettext_lazy("Kind"), "kind", Quote.Kind.choices),)
    default_sort = "-number"
    csv_name = "quotes"
    actions = (
        Action(gettext_lazy("New quote"), "quotes:new", permission="quotes.edit_quote"),
        Action(
            gettext_lazy("Quote a change"),
            CHANGE_QUOTE,
            permission="quotes.edit_quote",
            primary=False,
        ),
    )
    empty = gettext_lazy("No quotes yet. Begin one for a customer.")

    def get_rows(self) -> QuerySet[Quote]:
        rows = selectors.quotes_for_list()
        return rows.filter(owner=self.request.user.pk) if "mine" in self.request.GET else rows


@door("quotes.view_quote")
@require_GET
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    quote = selectors.get_quote(pk)
    context = {
        "quote": quote,
        "history": entries(selectors.history_of(quote)),
        "may": _may(request.user, quote),
        "offer_url": offer_url(quote) if quote.state == State.SENT else "",
        "successor": Quote.objects.filter(supersedes=quote).first(),
    }
    context |= {
        "edit_url": edit_url(quote),
        "parts": ask("quote_parts", quote.pk) if quote.is_change else [],
    }
    return render(request, "quotes/detail.html", context | _offered(quote))


@door("quotes.send_quote")
@require_POST
def send(request: HtmxRequest, pk: int) -> HttpResponse:
    quote = selectors.get_quote(pk)
    services.send_quote(
        quote_id=pk,
        at=clock.now(quote.account),
        actor_id=request.user.pk,
        already=held_by(quote.account_id),
    )
    messages.success(
        request, _("%(quote)s is sent. Give the customer its link.") % {"quote": quote}
    )
    return redirect(quote)


@door("quotes.edit_quote")
@require_POST
def withdraw(request: HtmxRequest, pk: int) -> HttpResponse:
    quote = selectors.get_quote(pk)
    services.withdraw_quote(quote_id=pk, at=clock.now(quote.account), actor_id=request.user.pk)
    messages.success(request, _("%(quote)s is withdrawn.") % {"quote": quote})
    return redirect(quote)


@door("quotes.edit_quote")
@require_POST
def revise(request: HtmxRequest, pk: int) -> HttpResponse:
    old = selectors.get_quote(pk)
    quote = services.revise_quote(
        quote_id=pk, owner_id=cast(int, request.user.pk), at=clock.now(old.account)
    )
    messages.success(request, _("%(old)s is superseded; this is its next version.") % {"old": old})
    return redirect(edit_url(quote))


@door("quotes.view_quote")
@require_GET
def of_account(request: HtmxRequest, account_id: int) -> HttpResponse:
    """The quotes of one account: a panel for htmx, a page of its own without."""
    account = get_account(account_id)
    template = "quotes/_of_account.html" if request.htmx else "quotes/of_account.html"
    quotes = selectors.quotes_of_account(account_id)[:20]
    return render(request, template, {"account": account, "quotes": quotes})


def offer_url(quote: Quote) -> str:
    """The link that the customer gets; nothing while no page answers it."""
    try:
        return settings.PUBLIC_URL + reverse(OFFER_PAGE, args=[links.sign(quote.pk)])
    except NoReverseMatch:
        return ""


def edit_url(quote: Quote) -> str:
    """Where a draft is edited: what is in service is known a stage above."""
    return reverse(CHANGE_EDITOR if quote.is_change else "quotes:edit", args=[quote.pk])


def _offered(quote: Quote) -> dict[str, Any]:
    """Lines and totals: promised once sent, a preview before; or why there are none."""
    if quote.sent_at:
        return selectors.offer(quote.pk)
    try:
        today, already = clock.today(quote.account), held_by(quote.account_id)
        return selectors.draft_offer(quote, on=today, already=already)
    except Refused as refusal:
        return {"plain_lines": selectors.lines_of(quote), "refusal": refusal}


def _may(user: Any, quote: Quote) -> dict[str, bool]:
    """What this person may do with this quote now."""
    edits, open_ = user.has_perm("quotes.edit_quote"), quote.state == State.SENT
    accepts = user.has_perm("orders.accept_quote") and open_
    ended = quote.state in {State.DECLINED, State.EXPIRED, State.WITHDRAWN}
    return {
        "edit": edits and quote.is_draft,
        "send": user.has_perm("quotes.send_quote") and quote.state in {State.DRAFT, State.APPROVED},
        "withdraw": edits and not ended and quote.state not in {State.ACCEPTED, State.SUPERSEDED},
        "revise": edits and (open_ or ended) and quote.sent_at is not None,
        "accept": accepts and quote.may_be_accepted_on(clock.today(quote.account)),
        "decline": accepts,
    }
