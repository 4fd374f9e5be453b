"""When the minimums of an account that is closed end: with its service."""

from collections.abc import Iterable
from datetime import date

from django.db.models import Exists, F, Max, OuterRef, QuerySet, Sum

from billing.models import InvoiceAdjustment, MinimumSpend
from billing.models.adjustments import AdjustmentKind
from o2b.customers.models import Account
from o2b.models import Event
from orders.models import LineAction, OrderLine
from subscriptions.models import Item, ServiceState

CLOSED = "account.closed"


def closed_with_minimums(account_ids: Iterable[int]) -> dict[int, Account]:
    """Those of them that are closed and have a minimum that nobody has ended."""
    running = MinimumSpend.objects.filter(account_id__in=list(account_ids), ended_at=None)
    accounts = Account.objects.filter(pk__in=running.values("account"), state=Account.State.CLOSED)
    return {each.pk: each for each in accounts.select_related("test_clock").order_by("pk")}


def running_minimums(account_id: int) -> list[MinimumSpend]:
    """Those that nobody has ended, with their account."""
    rows = MinimumSpend.objects.filter(account=account_id, ended_at=None)
    return list(rows.select_related("account__test_clock").order_by("pk"))


def closing_of(account: Account) -> Event | None:
    """Its last closing: who closed it, and when."""
    closings = Event.objects.filter(account_id=account.pk, name=CLOSED, subject_id=account.pk)
    return closings.order_by("-pk").first()


def ends_of(
    account: Account, minimums: Iterable[MinimumSpend], *, closed_on: date
) -> dict[int, date | None]:
    """Minimum → its first day outside if the account is closed; None: a service goes on or comes.

    That is when the last service ended, or `closed_on` where there never was any; but not before
    what is billed of it already, for that stays.
    """
    own = list(minimums)
    if not own:
        return {}
    items = Item.objects.filter(account=account).order_by()
    if items.exclude(state=ServiceState.ENDED).exists() or _ordered(account).exists():
        return {each.pk: None for each in own}
    served = items.filter(ended_on__gt=F("started_on")).aggregate(last=Max("ended_on"))
    billed = _billed_to([each.pk for each in own])
    ends = served["last"] or closed_on
    return {each.pk: max(ends, each.starts_on, billed.get(each.pk, ends)) for each in own}


def _ordered(account: Account) -> QuerySet[OrderLine]:
    """What was ordered and is no service yet, nor given up; closing an account leaves it alone."""
    lines = OrderLine.objects.filter(account=account, action=LineAction.START)
    begun = Item.objects.filter(order_line=OuterRef("pk"))
    return lines.exclude(state=OrderLine.State.CANCELLED).filter(~Exists(begun))


def _billed_to(minimum_ids: list[int]) -> dict[int, date]:
    """Minimum → the end of the last period that it asks something for; reversed ones do not."""
    rows = InvoiceAdjustment.objects.filter(
        kind=AdjustmentKind.MINIMUM, source_id__in=minimum_ids
    ).order_by("period_start")
    sums = rows.values("source_id", "period_start").annotate(net=Sum("amount"))
    return dict(sums.filter(net__gt=0).values_list("source_id", Max("period_end")))
