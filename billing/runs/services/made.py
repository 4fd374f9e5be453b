"""What drafting made of some accounts, and how a shard counts it."""

from dataclasses import dataclass, field
from datetime import date

from billing.families.selectors import drafts_less_documents
from billing.models import Shard
from billing.rules.drafting import AccountDraft
from billing.rules.metering import UsageOf
from billing.runs.selectors import due, expected
from billing.runs.selectors.scope import Scope
from billing.runs.services.checking import Checked
from billing.runs.services.comparing import Controlled
from o2b.charging.succeeding import History
from o2b.sql import ask

TOTALS = """
SELECT currency, sum(net)::text, sum(tax)::text, sum(total)::text, count(*), sum(line_count),
       count(DISTINCT account_id)
    FROM billing_draftinvoice WHERE shard_id = %s GROUP BY currency ORDER BY currency
"""


@dataclass(slots=True)
class Parked:
    """Why an account is left out."""

    code: str
    reason: str


@dataclass(slots=True)
class Drafted:
    """What became of the accounts of a scope."""

    drafts: dict[int, AccountDraft]
    accounts: dict[int, due.AccountFacts]
    usage: dict[int, UsageOf]
    history: History
    marks: dict[int, int] = field(default_factory=dict)
    parked: dict[int, Parked] = field(default_factory=dict)
    changed: set[int] = field(default_factory=set)  # accounts

    @property
    def shared(self) -> bool:
        """Whether somebody of the scope pays for others, or has others who do."""
        return next((each.near_payers for each in self.accounts.values()), False)


@dataclass(slots=True)
class Made:
    """Accounts drafted, checked and controlled: who stays, who is parked, who is held out."""

    drafted: Drafted
    checked: Checked
    controlled: Controlled
    carried: set[int] = field(default_factory=set)  # accounts whose bill is below their minimum

    @property
    def parked(self) -> set[int]:
        fused = {each.account_id for each in self.controlled.fused}
        return self.drafted.parked.keys() | self.checked.broken.keys() | fused

    @property
    def nothing_due(self) -> int:
        """Counted apart from all else: who was seen and got no line."""
        seen = self.checked.accounts | self.drafted.drafts.keys()
        billed = {pk for pk, draft in self.drafted.drafts.items() if draft.bills}
        return len(seen - self.parked - billed)

    @property
    def promises_broken(self) -> int:
        """A promise of which several pay a part may break for each of them: it counts once."""
        found = self.checked.broken.values()
        return len({each.promise_id for broken in found for each in broken} - {0})


def count_shard(shard: Shard, scope: Scope, made: Made) -> None:
    """Each side of the equation is counted on its own."""
    shard.looked_at = expected.looked_at(scope, shared=made.drafted.shared)
    shard.parked, shard.nothing_due = len(made.parked), made.nothing_due
    shard.carried = len(made.carried)
    shard.promises = made.checked.promises
    shard.promises_kept = made.checked.promises - made.promises_broken
    count_drafts(shard)
    shard.set_aside = len(made.controlled.held)
    shard.drafted = shard.to_finalise + shard.set_aside
    shard.first_month, shard.last_month = months_of(made)


def count_drafts(shard: Shard) -> None:
    """What lies in the shard now: accounts, documents, lines and totals."""
    rows = ask(TOTALS, [shard.pk])
    shard.totals = {
        row[0]: dict(zip(("net", "tax", "total"), row[1:4], strict=True)) for row in rows
    }
    shard.invoices = sum(row[4] for row in rows)
    shard.lines = sum(row[5] for row in rows)
    if shard.families:
        shard.invoices -= drafts_less_documents(run_id=shard.run_id, shard_id=shard.pk)
    shard.to_finalise = sum(row[6] for row in rows)


def months_of(made: Made) -> tuple[date | None, date | None]:
    """The first and the last month that a line begins in."""
    parked = made.parked
    rows = {  # equal charges share one
        id(rendered): rendered
        for account_id, draft in made.drafted.drafts.items()
        if draft.lines and account_id not in parked
        for _, _, rendered in draft.charges
    }.values()
    months = {each.first_month for each in rows} | {each.last_month for each in rows}
    known = [month for month in months if month]
    return (min(known), max(known)) if known else (None, None)
