"""Open a test clock, put accounts under it, and take them off again while they are blank pages."""

from collections.abc import Callable, Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from o2b import events
from o2b.asks import Trace
from o2b.clocks import rules
from o2b.clocks.services.stepping import refuse_moving
from o2b.customers.models import Account
from o2b.customers.services import AccountClosed
from o2b.errors import Invalid, Refused
from o2b.models import TestClock

LONGEST_NAME = 80
TracesOf = Callable[[int], Sequence[Trace]]


class ClockInvalid(Invalid):
    code = "clock_invalid"


class ClockNameTaken(Refused):
    code = "clock_name_taken"


class ConfirmationWrong(Invalid):
    """The reference that was typed is not the account's."""

    code = "confirmation_wrong"


class AccountIsReal(Refused):
    """Something happened with the account already, so two times would be mixed in it."""

    code = "account_is_real"


class UnderAnotherClock(Refused):
    code = "under_another_clock"


class NotUnderClock(Refused):
    code = "not_under_this_clock"


@transaction.atomic
def open_clock(*, name: str, now: datetime, actor_id: int | None = None) -> TestClock:
    """A new clock that shows a moment, with nobody under it."""
    clean = " ".join(name.split())
    if not clean or len(clean) > LONGEST_NAME or "\0" in clean:
        message = _("A clock has a name of 1 to %(most)s characters.")
        raise ClockInvalid(message % {"most": LONGEST_NAME}, field="name")
    if not rules.FIRST <= now < rules.LAST:
        message = _("A clock shows a moment of the years %(first)s to %(last)s.")
        years = {"first": rules.FIRST.year, "last": rules.LAST.year - 1}
        raise ClockInvalid(message % years, field="now")
    clock, is_new = TestClock.objects.get_or_create(
        name=clean, defaults={"now": now, "created_by_id": actor_id}
    )
    if not is_new:
        raise ClockNameTaken(_("There is a clock of this name already."), field="name")
    events.record("test_clock.opened", clock, at=now, actor_id=actor_id)
    return clock


@transaction.atomic
def put_under(
    *,
    clock_id: int,
    account_id: int,
    confirm: str,
    traces_of: TracesOf,
    at: datetime,
    actor_id: int | None = None,
) -> Account:
    """Let a blank account live by the clock from now on; `confirm` is its reference, typed.

    `traces_of` tells why it is no blank page. It is asked with the account locked, so that nothing
    can happen with the account in between.
    """
    account = _locked(clock_id, account_id)
    if account.test_clock_id is not None:
        message = _("%(account)s lives by a test clock already.")
        raise UnderAnotherClock(message % {"account": account}, field="account")
    if not account.is_open:
        raise AccountClosed(_("%(account)s is closed.") % {"account": account}, field="account")
    _refuse_real(account, traces_of, _("%(account)s is a real account: %(why)s."))
    if confirm.strip() != account.reference:
        message = _("Type %(reference)s to confirm.")
        raise ConfirmationWrong(message % {"reference": account.reference}, field="confirm")
    account.test_clock_id = clock_id
    account.save(update_fields=["test_clock"])
    events.record("account.put_under_clock", account, at=at, actor_id=actor_id, clock=clock_id)
    return account


@transaction.atomic
def take_off(
    *,
    clock_id: int,
    account_id: int,
    traces_of: TracesOf,
    at: datetime,
    actor_id: int | None = None,
) -> Account:
    """Give an account back to the real clock, if nothing happened to it under this one."""
    account = _locked(clock_id, account_id)
    if account.test_clock_id != clock_id:
        message = _("%(account)s does not live by this clock.")
        raise NotUnderClock(message % {"account": account}, field="account")
    refused = _("%(account)s stays under its clock, for its days would be mixed: %(why)s.")
    _refuse_real(account, traces_of, refused)
    account.test_clock_id = None
    account.save(update_fields=["test_clock"])
    events.record("account.taken_off_clock", account, at=at, actor_id=actor_id, clock=clock_id)
    return account


def _refuse_real(account: Account, traces_of: TracesOf, message: str) -> None:
    traces = [trace.text for trace in traces_of(account.pk)]
    if traces:
        said = message % {"account": account, "why": ", ".join(traces)}
        raise AccountIsReal(said, field="account", reasons=traces)


def _locked(clock_id: int, account_id: int) -> Account:
    """The account, from which nothing can be made meanwhile; the clock stands still."""
    clock = TestClock.objects.select_for_update(no_key=True).get(pk=clock_id)
    refuse_moving(clock.pk)
    return Account.objects.select_for_update(of=("self",)).get(pk=account_id)
