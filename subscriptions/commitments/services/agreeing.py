"""Agree how long services run: commit them, co-term them, say what comes when a term ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from o2b.periods import FOREVER, add_months
from o2b.web.show import day_text
from orders.models import Order
from subscriptions.changes.leaving import check_leaving_notice
from subscriptions.changes.refusals import NothingChanges, SuspendedThen
from subscriptions.changes.services import check_waiver
from subscriptions.commitments import refusals as no
from subscriptions.commitments.checks import (
    Number,
    check_agreed,
    check_day,
    check_months,
    check_renewal,
    check_uplift,
)
from subscriptions.commitments.services.writing import New, Served, open_services, write_new
from subscriptions.models import Commitment, LeavingFee, Renewal
from subscriptions.rules.checks import AfterEnd, BeforeStart
from subscriptions.rules.timeline import span_on

WORDS = (
    *("starts_on", "ends_on", "months", "anchor_day", "renewal", "uplift_percent"),
    *("notice_days", "leaving_fee", "leaving_value"),
)


@dataclass(frozen=True, slots=True)
class Commit:
    """One service to be committed; it begins today unless another day is named."""

    item_id: int
    months: int
    renewal: str = Renewal.SAME
    uplift_percent: Number = 0
    notice_days: int = 0
    leaving_fee: str = LeavingFee.NONE
    leaving_value: Number = 0
    starts_on: date | None = None


@transaction.atomic
def commit(
    *,
    account_id: int,
    wishes: Sequence[Commit],
    at: datetime,
    actor_id: int | None,
    channel: str = Order.Channel.SCREEN,
    note: str = "",
    quote_id: int | None = None,
) -> list[Commitment]:
    """Commit services of an account, by one change order; refuses all if one cannot be.

    A term that runs can be made longer, not shorter.
    """
    services = open_services(account_id, [wish.item_id for wish in wishes], at=at)
    new = [committed(services[wish.item_id], wish) for wish in wishes]
    return write_new(new, at=at, actor_id=actor_id, channel=channel, note=note, quote_id=quote_id)


def committed(service: Served, wish: Commit) -> New:
    """The commitment that is wished, refused where the service cannot have it."""
    agreed = check_agreed(
        months=wish.months,
        renewal=wish.renewal,
        uplift_percent=wish.uplift_percent,
        notice_days=wish.notice_days,
        leaving_fee=wish.leaving_fee,
        leaving_value=wish.leaving_value,
    )
    assert agreed.months is not None
    starts_on = service.today
    if wish.starts_on is not None:
        starts_on = check_day(wish.starts_on, field="starts_on")
    ends_on = add_months(starts_on, agreed.months)
    _check_in_use(service, starts_on)
    _check_end(service, ends_on, field="months")
    _check_follows(service, starts_on, ends_on)
    return service.new(
        on=starts_on,
        starts_on=starts_on,
        ends_on=ends_on,
        months=agreed.months,
        anchor_day=starts_on.day,
        renewal=agreed.renewal,
        uplift_percent=agreed.uplift_percent,
        notice_days=agreed.notice_days,
        leaving_fee=agreed.leaving_fee,
        leaving_value=agreed.leaving_value,
    )


def _check_in_use(service: Served, on: date) -> None:
    spans = service.spans
    span = span_on(spans, on)
    if span is None and spans and on < spans[0].period.start:
        told = {"on": day_text(on), "start": day_text(spans[0].period.start)}
        message = _("On %(on)s it is not in service yet; it starts on %(start)s.")
        raise BeforeStart(message % told, field="starts_on")
    if span is None:
        message = _("On %(on)s it is out of service.")
        raise AfterEnd(message % {"on": day_text(on)}, field="starts_on")
    if not span.in_use:
        message = _("On %(on)s it is suspended; commit it from the day of its return.")
        raise SuspendedThen(message % {"on": day_text(on)}, field="starts_on")


def _check_end(service: Served, ends_on: date, *, field: str) -> None:
    end = service.spans[-1].period.end if service.spans else ends_on
    if end != FOREVER and end < ends_on:
        message = _("It ends on %(end)s, before the term would; take that back first.")
        raise AfterEnd(message % {"end": day_text(end)}, field=field)


def _check_follows(service: Served, starts_on: date, ends_on: date) -> None:
    running = service.running
    if running is None or running.ends_on is None or running.ends_on <= service.today:
        return
    told = {"end": day_text(running.ends_on)}
    if ends_on < running.ends_on:
        message = _("It is committed to %(end)s; a term can be made longer, not shorter.")
        raise no.EndsEarlier(message % told, field="months")
    if starts_on > running.ends_on:
        message = _("Its term ends on %(end)s; the next one begins then, or earlier.")
        raise no.Gap(message % told, field="starts_on")


@transaction.atomic
def change_renewal(
    *,
    account_id: int,
    item_ids: Sequence[int],
    renewal: str,
    at: datetime,
    actor_id: int | None,
    uplift_percent: Number = 0,
    months: int | None = None,
    waive_notice: bool = False,
    channel: str = Order.Channel.SCREEN,
    note: str = "",
) -> list[Commitment]:
    """Say what comes when the terms that run end; that it ends then wants its notice."""
    told: dict[str, Any] = {
        "renewal": check_renewal(renewal),
        "uplift_percent": check_uplift(renewal, uplift_percent),
    }
    if months is not None:
        told["months"] = check_months(months)
    check_waiver(waive_notice, actor_id)
    # That it ends, or binds no longer, can be said of a closed account too.
    frees = renewal in (Renewal.END, Renewal.MONTHLY)
    services = open_services(account_id, item_ids, at=at, closed_too=frees)
    new = []
    for item_id in item_ids:
        service = services[item_id]
        running = _running(service)
        if renewal == Renewal.END and not waive_notice:
            assert running.ends_on is not None
            check_leaving_notice(running, today=service.today, on=running.ends_on, field="renewal")
        if all(getattr(running, name) == value for name, value in told.items()):
            raise NothingChanges(_("That is what comes already."), field="renewal")
        new.append(service.new(on=service.today, **_words_of(running) | told))
    return write_new(new, at=at, actor_id=actor_id, channel=channel, note=note)


@transaction.atomic
def co_term(
    *,
    account_id: int,
    item_ids: Sequence[int],
    to: date | None,
    at: datetime,
    actor_id: int | None,
    channel: str = Order.Channel.SCREEN,
    note: str = "",
) -> list[Commitment]:
    """Let the terms of several services end on one day; none of them can end earlier by it."""
    day = check_day(to, field="to")
    services = open_services(account_id, item_ids, at=at)
    new = []
    for item_id in item_ids:
        if (longer := co_termed(services[item_id], day)) is not None:
            new.append(longer)
    if not new:
        raise NothingChanges(_("They all end on that day already."), field="to")
    return write_new(new, at=at, actor_id=actor_id, channel=channel, note=note)


def co_termed(service: Served, day: date) -> New | None:
    """The running term made longer to a day; None where it ends on that day already."""
    running = _running(service)
    assert running.ends_on is not None
    if day < running.ends_on:
        message = _("%(item)s is committed to %(end)s; a term cannot be made shorter.")
        told = {"item": service.chain.last, "end": day_text(running.ends_on)}
        raise no.EndsEarlier(message % told, field="to")
    _check_end(service, day, field="to")
    if day == running.ends_on:
        return None
    words = _words_of(running) | {"ends_on": day, "anchor_day": day.day}
    return service.new(on=service.today, **words)


def _running(service: Served) -> Commitment:
    """The term that runs and ends; refuses where there is none."""
    running = service.running
    if running is None or running.ends_on is None or running.ends_on <= service.today:
        message = _("%(item)s has no term that comes to an end.")
        raise no.NoCommitment(message % {"item": service.chain.last}, field="item")
    return running


def _words_of(running: Commitment) -> dict[str, Any]:
    return {name: getattr(running, name) for name in WORDS}
