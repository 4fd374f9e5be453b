"""What the page of a run shows beside its totals: progress and its end, variance, looks."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.control import selectors
from billing.control.selectors import Month, Spread
from billing.models import BillRun, ParkedAccount
from billing.runs.selectors import Counts, rules_of
from billing.runs.selectors.looking import looks_of
from billing.runs.services.gating import waits_until
from billing.selectors import Pace
from o2b import clock
from o2b.people.models import User
from o2b.web.show import moment_text, number_text

State = BillRun.State
FINAL = (State.FINALISING, State.FINALISED)
FIRST_ROWS = 12


@dataclass(frozen=True)
class Progress:
    """How far a run is: accounts drafted, or shards made final; and when it will be done."""

    value: int
    max: int
    label: str
    note: str


def progress_of(run: BillRun, counts: Counts, pace: Pace) -> Progress:
    """Before approval accounts are drafted, after it parts become final."""
    if run.state in (State.APPROVED, *FINAL):
        label = _("%(done)s of %(all)s parts are final") % {
            "done": number_text(counts.shards_finalised),
            "all": number_text(counts.shards),
        }
        note = (
            _pace(counts.final_accounts, pace.final_seconds, pace)
            if counts.shards_finalised
            else ""
        )
        left = _left(run, counts.shards_finalised, counts.shards, pace.final_seconds)
        return Progress(counts.shards_finalised, counts.shards or 1, label, note + left)
    label = _("%(done)s of %(all)s accounts") % {
        "done": number_text(counts.done_accounts),
        "all": number_text(counts.planned_accounts),
    }
    note = _pace(counts.done_accounts, pace.draft_seconds, pace) if counts.done_accounts else ""
    if not counts.planned_accounts:
        # A run without accounts is done when its one empty part is.
        return Progress(int(counts.shards_drafted > 0), 1, label, note)
    left = _left(run, counts.done_accounts, counts.planned_accounts, pace.draft_seconds)
    return Progress(counts.done_accounts, counts.planned_accounts, label, note + left)


def _pace(accounts: int, seconds: float, pace: Pace) -> str:
    """'9.8 s · 10,204 accounts/s · 2 workers'."""
    parts = [_("%(n)s s") % {"n": number_text(round(seconds, 1 if seconds >= 1 else 2))}]
    if seconds > 0:
        speed = number_text(round(accounts / seconds))
        parts.append(_("%(n)s accounts/s") % {"n": speed})
    if pace.workers:
        n = pace.workers
        parts.append(ngettext("%(n)s worker", "%(n)s workers", n) % {"n": n})
    return " · ".join(parts)


def _left(run: BillRun, done: int, all_: int, seconds: float) -> str:
    """' · done in about 12 s, at 14:03', as fast as so far; empty where nothing moves."""
    if not run.is_moving or not done or done >= all_ or seconds <= 0:
        return ""
    left = seconds * (all_ - done) / done
    at = moment_text(clock.now() + timedelta(seconds=left)).rpartition(" ")[2]
    told = {"n": number_text(max(round(left), 1)), "at": at}
    return " · " + _("done in about %(n)s s, at %(at)s") % told


@dataclass(frozen=True)
class Band:
    """How many bills changed by so much."""

    title: str
    count: int
    of: int
    tone: str = ""


@dataclass(frozen=True)
class LookedBy:
    """How far an advocate is with the bills to look at."""

    who: str
    bills: int
    looked: int

    @property
    def left(self) -> int:
        return self.bills - self.looked


@dataclass(frozen=True)
class Desk:
    """The review of a drafted run."""

    spread: Spread
    bands: list[Band]
    first_bills: int
    outliers: list[Any]
    outlier_count: int
    against: list[dict[str, str]]
    looks: list[LookedBy]
    looks_left: int
    waits_until: datetime | None
    retrying: int
    months: list[Month]
    thrown_away_at: datetime | None


def desk_of(run: BillRun, counts: Counts) -> Desk | None:
    """None where nothing is left to compare: a cancelled run, or one that takes back."""
    if run.state == State.CANCELLED or run.is_reversal:
        return None
    spread = selectors.spread_of(run_id=run.pk)
    live = run.is_reviewed
    looks = _looks(run) if run.state == State.TO_APPROVE else []
    thrown = None
    if run.is_rehearsal and run.drafted_at:
        thrown = run.drafted_at + timedelta(days=rules_of(run.legal_entity_id).rehearsal_days)
    return Desk(
        spread=spread,
        bands=_bands(spread),
        first_bills=max(counts.to_finalise - spread.billed, 0),
        outliers=list(selectors.outliers(run_id=run.pk)[:FIRST_ROWS]),
        outlier_count=sum(spread.rules.values()),
        against=_against(spread),
        looks=looks,
        looks_left=sum(each.left for each in looks),
        waits_until=waits_until(run) if looks else None,
        retrying=_retrying(run) if live else 0,
        months=selectors.months_of(run_id=run.pk) if run.is_rehearsal and live else [],
        thrown_away_at=thrown,
    )


def _retrying(run: BillRun) -> int:
    return ParkedAccount.objects.filter(run=run, retry_asked_at__isnull=False).count()


def _looks(run: BillRun) -> list[LookedBy]:
    found = looks_of(run_id=run.pk)
    people = User.objects.in_bulk([each.advocate_id for each in found])
    return [LookedBy(str(people[each.advocate_id]), each.bills, each.looked) for each in found]


def _bands(spread: Spread) -> list[Band]:
    titles = (
        _("less than half"),
        _("−50 % to −20 %"),
        _("−20 % to −5 %"),
        _("within ±5 %"),
        _("+5 % to +20 %"),
        _("+20 % to +50 %"),
        _("over +50 %"),
    )
    tones = ("warn", "", "", "good", "", "", "warn")
    return [
        Band(title, n, spread.compared, tone)
        for title, n, tone in zip(titles, spread.bands, tones, strict=True)
    ]


def _against(spread: Spread) -> list[dict[str, str]]:
    """How much more or less than the last bills, for accounts that have one, by currency."""
    found = []
    for currency, (before, now) in sorted(spread.sums.items()):
        if not before:
            continue
        change = ((now - before) * 100 / abs(before)).quantize(Decimal("0.1"))
        shown = number_text(change.normalize())
        found.append({"currency": currency, "text": f"+{shown} %" if change > 0 else f"{shown} %"})
    return found
