"""The family of an account, as a panel of its page: whose bills it is on, and who is on its own."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from billing.families import selectors
from o2b.customers.families import payer_of
from o2b.customers.models import Account
from o2b.web.http import HtmxRequest, door, is_partial

VIEW = "billing.view_invoice"
ROWS = 20


@door(VIEW)
@require_GET
def of_account(request: HtmxRequest, pk: int) -> HttpResponse:
    """Panel: its payer, its members, and what it came to on the bills of others."""
    account = get_object_or_404(Account.objects.select_related("test_clock"), pk=pk)
    part = "billing/families/_of_account.html"
    members = selectors.members_below(pk)
    context = {
        "parent": account,
        "account": account,
        "title": _("Family"),
        "part": part,
        "payer": payer_of(account) if account.billed_to_parent else None,
        "members": members[:ROWS],
        "more": max(members.count() - ROWS, 0),
        "parts": selectors.parts_of_member(pk)[:ROWS],
    }
    return render(request, part if is_partial(request) else "billing/panel.html", context)
