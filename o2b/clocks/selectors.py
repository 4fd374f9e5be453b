"""Questions about test clocks: all of them, one with its accounts, its last step, what happened."""

from typing import Any

from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from o2b.clocks.models import ClockStep
from o2b.customers.models import Account
from o2b.models import Event, TestClock


def clocks_for_list() -> QuerySet[Any]:
    """Every clock with how many accounts live by it and where its last step stands."""
    accounts = (
        Account.objects.filter(test_clock=OuterRef("pk"))
        .order_by()
        .values("test_clock")
        .annotate(n=Count("pk"))
        .values("n")
    )
    last = ClockStep.objects.filter(clock=OuterRef("pk")).order_by("-pk")
    return TestClock.objects.select_related("created_by").annotate(
        account_count=Coalesce(Subquery(accounts), 0),
        step_state=Subquery(last.values("state")[:1]),
        is_moving=Exists(last.filter(state=ClockStep.State.RUNNING)),
    )


def get_clock(clock_id: int) -> Any:
    """One clock as a list has it; a missing one is a 404."""
    return clocks_for_list().get(pk=clock_id)


def last_step(clock_id: int) -> ClockStep | None:
    """The step that moves the clock, or else the one that moved it last."""
    steps = ClockStep.objects.filter(clock=clock_id).select_related("asked_by", "clock")
    return steps.order_by("-pk").first()


def accounts_of(clock_id: int) -> QuerySet[Account]:
    """Who lives by the clock."""
    accounts = Account.objects.filter(test_clock=clock_id)
    return accounts.select_related("customer").order_by("reference")


def happened(clock_id: int, step: ClockStep | None) -> QuerySet[Event]:
    """What happened to its accounts since its last step began, newest first; else all of it."""
    theirs = Account.objects.filter(test_clock=clock_id).values("pk")
    events = Event.objects.filter(account_id__in=theirs)
    if step:
        events = events.filter(recorded_at__gte=step.asked_at)
    return events.select_related("actor").order_by("-id")
