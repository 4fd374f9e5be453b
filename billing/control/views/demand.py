"""A bill on demand: one click opens a run of one account, today."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from billing.runs import services
from o2b import clock
from o2b.customers.models import Account
from o2b.web.http import HtmxRequest, door

RUN = "billing.run_bills"


@door(RUN)
@require_POST
def bill_account(request: HtmxRequest, pk: int) -> HttpResponse:
    """All that is due to the account's today; of a closed one, whose services ended, the last."""
    account = get_object_or_404(Account.objects.select_related("test_clock"), pk=pk)
    run = services.open_run(
        legal_entity_id=account.legal_entity_id,
        on=clock.today(account),
        account_ids=[account.pk],
        opened_by_id=int(request.user.pk or 0),
        at=clock.now(),
    )
    messages.success(request, _("%(run)s drafts what is due of this account.") % {"run": run})
    return redirect(run)
