"""Look again at what changed services were billed: what differs by now, the next run bills."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from billing.models import Charge, ChargeState
from billing.rules.drafting import draft_accounts
from billing.runs.selectors import due
from billing.runs.selectors.begun import telling_begun
from billing.runs.selectors.history import billed_history
from billing.runs.selectors.progress import overlapping_runs
from billing.runs.selectors.scope import Scope
from billing.runs.services.drafting import pricing
from billing.runs.services.numbering import lock_numbers
from billing.runs.services.opening import RunOverlaps
from o2b import events
from o2b.customers.models import Account, LegalEntity

AT_ONCE = 1000
# Nothing is due by this day: only what was billed is compared.
NOTHING_NEW = date.min


@dataclass(frozen=True, slots=True)
class Recheck:
    """What an account's changed services should have been billed more; below zero less.

    `net` is without tax; `fault` says why it cannot be computed.
    """

    account: Account
    charges: tuple[int, ...] = ()
    net: Decimal = Decimal(0)
    fault: str = ""


def recheck_charges(*, at: datetime, write: bool, account_id: int | None = None) -> list[Recheck]:
    """Let the next run bill by difference what was billed otherwise than it would be today.

    Only charges whose amounts differ are looked at again by it; without `write` nothing changes.
    Refuses while a run that bills the same accounts is under way, for it has read them already.
    """
    found: list[Recheck] = []
    for entity in LegalEntity.objects.order_by("pk"):
        for scope in _scopes(entity.pk, account_id):
            with transaction.atomic():
                if write:
                    _refuse_under_way(scope)
                found += _recheck(scope, at=at, write=write)
    return found


def _scopes(legal_entity_id: int, account_id: int | None) -> Iterator[Scope]:
    """Accounts that have a charge of a changed item, some at a time."""
    charges = Charge.objects.filter(legal_entity_id=legal_entity_id, item__revision__gt=1)
    if account_id is not None:
        charges = charges.filter(account=account_id)
    keys = list(charges.order_by("account_id").values_list("account_id", flat=True).distinct())
    for n in range(0, len(keys), AT_ONCE):
        some = keys[n : n + AT_ONCE]
        yield Scope(legal_entity_id, some[0], some[-1], some)


def _refuse_under_way(scope: Scope) -> None:
    """Whoever opens a run waits for the same row."""
    entity = scope.legal_entity_id
    lock_numbers(entity)
    run = overlapping_runs(legal_entity_id=entity, account_ids=scope.only).first()
    if run is not None:
        message = _("%(run)s is not finished and bills the same accounts; finish or cancel it.")
        raise RunOverlaps(message % {"run": run}, field="account", run=run.pk)


def _recheck(scope: Scope, *, at: datetime, write: bool) -> list[Recheck]:
    rows = telling_begun(due.billed_rows(scope))
    if not rows:
        return []
    facts = due.accounts_of(scope)
    drafts, failed = draft_accounts(
        rows,
        priced=pricing(scope),
        currencies={pk: account.currency for pk, account in facts.items()},
        history=billed_history(row[1] for row in rows),
        until=NOTHING_NEW,
    )
    accounts = Account.objects.in_bulk([*drafts, *failed])
    found = [
        Recheck(
            accounts[pk],
            tuple(charge for charge, _rev, lines in draft.charges if lines.lines),
            draft.net,
        )
        for pk, draft in drafts.items()
        if draft.lines
    ]
    if write and found:
        marked = [charge for each in found for charge in each.charges]
        ChargeState.objects.filter(pk__in=marked).update(seen_revision=0)
        by_account = {each.account.pk: list(each.charges) for each in found}
        events.record_many(
            "account.charges_rechecked",
            [each.account for each in found],
            at=at,
            facts_of=lambda account: {"charges": by_account[account.pk]},
        )
    faults = [
        Recheck(accounts[pk], fault=f"{type(exc).__name__}: {exc}") for pk, exc in failed.items()
    ]
    return sorted([*found, *faults], key=lambda each: each.account.pk)
