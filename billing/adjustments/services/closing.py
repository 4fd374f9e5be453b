"""An account is closed: its minimums end with its service."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from billing.adjustments.selectors.closing import closing_of, ends_of, running_minimums
from billing.adjustments.services.minimums import end_minimum
from billing.models import MinimumSpend
from o2b import clock
from o2b.customers.models import Account


@transaction.atomic
def end_minimums_of_closed(*, account_id: int, at: datetime) -> list[MinimumSpend]:
    """End what runs on of a closed account once it has no service and awaits none; else nothing.

    In the name of who closed it.
    """
    rows = Account.objects.select_related("test_clock")
    account = rows.select_for_update(of=("self",), no_key=True).get(pk=account_id)
    running = [] if account.is_open else running_minimums(account_id)
    if not running:
        return []
    closing = closing_of(account)
    closed_on = clock.day(account, closing.at if closing else at)
    return [
        end_minimum(
            minimum_id=pk,
            on=on,
            reason=_("The account is closed."),
            by=closing.actor_id if closing else None,
            at=at,
        )
        for pk, on in ends_of(account, running, closed_on=closed_on).items()
        if on is not None
    ]
