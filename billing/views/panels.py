"""Parts of other stages' pages that billing renders: an account's money, a subscription's bills."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from billing.documents.selectors.carried import carried_for
from billing.invoices import selectors as invoices
from billing.payments import selectors as payments
from o2b import clock
from o2b.web.http import HtmxRequest, door, is_partial
from subscriptions.models import Subscription

VIEW = "billing.view_invoice"
ROWS = 20


@door(VIEW)
@require_GET
def of_account(request: HtmxRequest, pk: int) -> HttpResponse:
    """Balance, invoices and ledger of an account."""
    account = invoices.account_of(account_id=pk)
    today = clock.today(account)
    context = {
        "account": account,
        "balance": payments.account_balance(account),
        "overdue": payments.overdue_amount(account, on=today),
        "invoices": invoices.of_account(account_id=pk, on=today)[:ROWS],
        "carried": carried_for(account_id=pk),
        "ledger": payments.ledger(account, limit=ROWS),
    }
    return _panel(request, "of_account", parent=account, title=_("Invoices"), context=context)


@door(VIEW)
@require_GET
def of_subscription(request: HtmxRequest, pk: int) -> HttpResponse:
    """The invoices that bill a subscription."""
    subscription = get_object_or_404(Subscription, pk=pk)
    rows = invoices.of_subscription(subscription_id=pk, on=clock.today())[:ROWS]
    context = {"subscription": subscription, "invoices": rows}
    return _panel(
        request, "of_subscription", parent=subscription, title=_("Bills"), context=context
    )


def _panel(
    request: HtmxRequest, name: str, *, parent: Any, title: str, context: dict[str, Any]
) -> HttpResponse:
    """The part alone for htmx; a page of its own otherwise."""
    context |= {"parent": parent, "title": title, "part": f"billing/_{name}.html"}
    template = context["part"] if is_partial(request) else "billing/panel.html"
    return render(request, template, context)
