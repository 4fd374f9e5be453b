"""A person takes accounts out of a drafted run: finance sets aside, an advocate vetoes."""

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from billing.families.selectors import families_in
from billing.models import BillRun, BillWord, ParkCode, ParkedAccount, Rule, Shard
from billing.runs.copying import discard_drafts
from billing.runs.services.gating import RunNotReady
from billing.runs.services.made import count_drafts
from billing.runs.services.retrying import reviewed
from o2b import events
from o2b.customers.models import Account
from o2b.errors import Invalid, Refused
from o2b.people.models import User
from o2b.sql import ask

LONGEST = 2000
FIRST, CHANGED = "first", "changed"
RULES = (*Rule.values, FIRST, CHANGED)

DRAFTS = """
SELECT draft.shard_id, draft.account_id, sum(draft.net)
    FROM billing_draftinvoice AS draft
    LEFT JOIN billing_variance AS variance
        ON variance.run_id = %(run)s AND variance.account_id = draft.account_id
    WHERE draft.shard_id IN (SELECT id FROM billing_shard WHERE run_id = %(run)s) AND {which}
    GROUP BY draft.shard_id, draft.account_id ORDER BY draft.shard_id, draft.account_id
"""
WHICH = {FIRST: "variance.id IS NULL", CHANGED: "variance.is_changed"}


class NothingToSetAside(Refused):
    code = "nothing_to_set_aside"


class ReasonMissing(Invalid):
    code = "reason_missing"


class NotYourAccount(Refused):
    code = "not_your_account"


class _Draft(NamedTuple):
    shard_id: int
    account_id: int
    net: Decimal


@transaction.atomic
def set_aside(
    *,
    run_id: int,
    reason: str,
    by: int,
    at: datetime,
    account_ids: Collection[int] | None = None,
    rule: str = "",
) -> int:
    """Take these accounts, or all outliers of a rule, out of the run; how many.

    Their drafts are gone; a retry drafts them again. Whoever sets them aside owns them. Families
    share one bill and go together.
    """
    run = _to_approve(run_id)
    said = _said(reason)
    if account_ids is None and rule not in RULES:
        raise NothingToSetAside(_("Choose accounts or a rule."))
    which = WHICH.get(rule, "variance.rule = %(rule)s") if account_ids is None else _NAMED
    drafts = _drafts(run, which, rule=rule, accounts=list(account_ids or ()))
    if not drafts:
        raise NothingToSetAside(_("None of these accounts has a draft in this run."))
    drafts += _kin(run, drafts)
    _take_out(run, drafts, code=ParkCode.SET_ASIDE, reason=said, by=by, at=at)
    return len(drafts)


_NAMED = "draft.account_id = ANY(%(accounts)s)"


@transaction.atomic
def veto_bill(*, run_id: int, account_id: int, reason: str, by: int, at: datetime) -> None:
    """The advocate of the account says no: it leaves the run, and finance sees why.

    The rest of its family, whose bill that is, is set aside with it.
    """
    run = _to_approve(run_id)
    said = _said(reason)
    drafts = _of_advocate(run, account_id, by)
    _take_out(run, drafts, code=ParkCode.VETO, reason=said, by=by, at=at)
    if kin := _kin(run, drafts):
        _take_out(run, kin, code=ParkCode.SET_ASIDE, reason=said, by=by, at=at)


@transaction.atomic
def say_fine(*, run_id: int, account_id: int, by: int, at: datetime) -> BillWord:
    """The advocate has looked at the bill as it is now."""
    run = _to_approve(run_id)
    (draft,) = _of_advocate(run, account_id, by)
    return BillWord.objects.create(
        run=run, account_id=account_id, kind=BillWord.Kind.FINE, net=draft.net, by_id=by, at=at
    )


@transaction.atomic
def assign_parked(
    *, parked_id: int, owner_id: int, at: datetime, actor_id: int | None = None
) -> ParkedAccount:
    """Somebody else looks into a parked account."""
    parked = ParkedAccount.objects.select_for_update().get(pk=parked_id)
    owner = User.objects.filter(pk=owner_id, is_active=True).first()
    if owner is None:
        raise Invalid(_("Nobody active has this name."), field="owner")
    if parked.owner_id != owner.pk:
        parked.owner = owner
        parked.save(update_fields=["owner"])
        events.record(
            "account.parked_assigned", parked, at=at, actor_id=actor_id, owner=owner.username
        )
    return parked


def _to_approve(run_id: int) -> BillRun:
    run = reviewed(run_id)
    if run.is_rehearsal:
        raise RunNotReady(_("%(run)s is a rehearsal; nothing of it is sent.") % {"run": run})
    return run


def _said(reason: str) -> str:
    said = reason.replace("\0", "").strip()[:LONGEST]
    if not said:
        raise ReasonMissing(_("Say why."), field="reason")
    return said


def _of_advocate(run: BillRun, account_id: int, by: int) -> list[_Draft]:
    if Account.objects.get(pk=account_id).advocate_id != by:
        raise NotYourAccount(_("Only the account’s advocate has this word."))
    drafts = _drafts(run, _NAMED, accounts=[account_id])
    if not drafts:
        raise NothingToSetAside(_("The account has no draft in this run."))
    return drafts


def _kin(run: BillRun, drafts: Sequence[_Draft]) -> list[_Draft]:
    """The drafts of all others of their families."""
    known = {each.account_id for each in drafts}
    others = families_in(run, known).keys() - known
    return _drafts(run, _NAMED, accounts=sorted(others)) if others else []


def _drafts(run: BillRun, which: str, **values: Any) -> list[_Draft]:
    return [_Draft(*row) for row in ask(DRAFTS.format(which=which), {"run": run.pk} | values)]


def _take_out(
    run: BillRun, drafts: Sequence[_Draft], *, code: str, reason: str, by: int, at: datetime
) -> None:
    """A few statements a shard, whatever the number of accounts."""
    advocates: dict[int, int] = {}
    if code == ParkCode.VETO:
        ids = [each.account_id for each in drafts]
        advocates = dict(Account.objects.filter(pk__in=ids).values_list("pk", "advocate_id"))
    parked = ParkedAccount.objects.bulk_create(
        (
            ParkedAccount(
                run=run,
                shard_id=each.shard_id,
                account_id=each.account_id,
                code=code,
                reason=reason,
                owner_id=advocates.get(each.account_id, by),
                facts={"net": str(each.net)},
                parked_at=at,
            )
            for each in drafts
        ),
        batch_size=2000,
    )
    BillWord.objects.bulk_create(
        (
            BillWord(
                run=run,
                account_id=each.account_id,
                kind=code,
                net=each.net,
                reason=reason,
                by_id=by,
                at=at,
            )
            for each in drafts
        ),
        batch_size=2000,
    )
    by_shard: dict[int, list[int]] = {}
    for each in drafts:
        by_shard.setdefault(each.shard_id, []).append(each.account_id)
    shards = Shard.objects.select_for_update().filter(pk__in=by_shard).order_by("n")
    for shard in shards:
        out = by_shard[shard.pk]
        discard_drafts(shard_id=shard.pk, account_ids=out)
        count_drafts(shard)
        shard.set_aside += len(out)
        shard.save(update_fields=["totals", "invoices", "lines", "to_finalise", "set_aside"])
    events.record_many(
        "account.parked",
        parked,
        at=at,
        actor_id=by,
        facts_of=lambda each: {"code": each.code, "run": run.pk},
    )
