"""How a test clock is shown: how far its step is, and what happened to its accounts, in words."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from o2b import asks
from o2b.asks import Trace
from o2b.clocks.models import ClockStep
from o2b.customers.models import Account
from o2b.models import Event
from o2b.web.show import moment_text, number_text

S = ClockStep.State


def traces_of(account_id: int) -> list[Trace]:
    """Why an account is no blank page, as every stage tells."""
    return asks.ask("traces", account_id)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a step is: days of days."""

    value: int
    max: int
    label: str
    note: str


def progress(step: ClockStep) -> Progress:
    """In days, and what that took."""
    done, days = step.days_done, step.days
    label = ngettext("%(done)s of %(days)s day lived", "%(done)s of %(days)s days lived", days)
    did = ngettext("%(n)s reaction", "%(n)s reactions", step.reactions)
    way = {"begun": moment_text(step.begun_at), "until": moment_text(step.until)}
    note = _("%(begun)s to %(until)s") % way
    return Progress(
        done,
        days,
        label % {"done": number_text(done), "days": number_text(days)},
        f"{note} · {did % {'n': number_text(step.reactions)}}",
    )


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened, as a timeline shows it."""

    text: str
    at: datetime
    who: str
    url: str
    tone: str = ""


def entries(events: Collection[Event]) -> list[Entry]:
    """Events in the order given, each with whose it is; one query for all accounts."""
    accounts = Account.objects.in_bulk(_ids(events))
    return [_entry(event, accounts) for event in events]


def _ids(events: Iterable[Event]) -> set[int]:
    return {event.account_id for event in events if event.account_id}


def _entry(event: Event, accounts: dict[int, Account]) -> Entry:
    # The name of an event is how we speak of it: "order_line.completed".
    what = event.name.replace("_", " ").replace(".", " ")
    account = accounts.get(event.account_id or 0)
    who = str(event.actor or "")
    if account is None:
        return Entry(what, event.at, who, "")
    return Entry(f"{account.reference}: {what}", event.at, who, account.get_absolute_url())
