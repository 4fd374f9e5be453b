"""One shard is drafted, checked against its promises, and counted, in one transaction."""

import gc
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from time import perf_counter

from django.db import DatabaseError, connection, transaction

from billing.adjustments.services.drafting import adjust_drafts
from billing.documents.services.carrying import carry_over
from billing.documents.services.splitting import keys_of, places_in, split_drafts
from billing.families.services.drafting import WAITS, hold_families, tax_families, with_kin
from billing.models import BillRun, ParkCode, ParkedAccount, Shard
from billing.rules.changed import changed_accounts
from billing.rules.drafting import AccountDraft, Taxing, draft_accounts
from billing.rules.rendering import Priced
from billing.runs.copying import discard_drafts, write_drafts, write_seen
from billing.runs.selectors import due
from billing.runs.selectors.begun import telling_begun
from billing.runs.selectors.history import billed_history
from billing.runs.selectors.scope import Scope, scope_of
from billing.runs.selectors.usage import usage_of
from billing.runs.services.booking import in_retired_currency, without_rate
from billing.runs.services.breaking import park_broken
from billing.runs.services.checking import Checked, check_scope
from billing.runs.services.closing import close_drafting
from billing.runs.services.comparing import Controlled, control
from billing.runs.services.failing import is_of_the_server
from billing.runs.services.made import Drafted, Made, Parked, count_shard
from billing.runs.services.parking import Parking, park
from billing.runs.services.reversing import fill_reversal
from billing.runs.services.taxing import taxing_of
from billing.runs.services.words import no_currency_words
from o2b.charging import RateMissing, compile_charge, memory
from o2b.charging.terms import TermsInvalid
from o2b.money import UnknownCurrency
from o2b.taxes.port import TaxUnknown
from o2b.web.words import no_rate_words


@transaction.atomic
def draft_shard(*, shard_id: int, at: datetime, worker: str = "") -> Shard:
    """Draft and check a planned shard; one that is drafted, or whose run stands still, is left."""
    shard = Shard.objects.select_for_update().get(pk=shard_id)
    run = BillRun.objects.select_related("legal_entity").get(pk=shard.run_id)
    if shard.state != Shard.State.PLANNED or run.state != BillRun.State.DRAFTING:
        return shard
    fill_shard(run, shard, at=at, worker=worker)
    close_drafting(shard, at=at)
    return shard


def fill_shard(run: BillRun, shard: Shard, *, at: datetime, worker: str = "") -> None:
    """Make all drafts of a shard anew, and count them."""
    began = perf_counter()
    with connection.cursor() as cursor:
        # As many shards are drafted at once as there are processors.
        cursor.execute("SET LOCAL jit = off; SET LOCAL max_parallel_workers_per_gather = 0")
    if run.is_reversal:
        fill_reversal(run, shard, worker=worker)
        return
    discard_drafts(shard_id=shard.pk)
    scope = scope_of(run, shard)
    said = ParkedAccount.objects.filter(shard=shard)
    by_hand = said.filter(code__in=ParkCode.values)
    held = set(by_hand.values_list("account_id", flat=True))
    made = make_drafts(run, shard, scope, held=held, at=at)
    count_shard(shard, scope, made)
    shard.state, shard.worker, shard.error = Shard.State.DRAFTED, worker, ""
    shard.draft_seconds = perf_counter() - began
    shard.save()


def make_drafts(
    run: BillRun, shard: Shard, scope: Scope, *, at: datetime, held: Collection[int] = ()
) -> Made:
    """Draft, check and control the accounts of a scope; who is `held` stays out, as was said."""
    taxing = taxing_of(run, scope)
    with _not_collecting(), memory.keeping_usage():
        drafted = draft_scope(run, shard, scope, taxing)
        checked = _check(run, shard, scope, drafted)
        if checked.broken:
            checked = _again(run, shard, scope, drafted, checked, taxing)
    out = drafted.parked.keys() | checked.broken.keys()
    controlled = control(run, shard, scope, changed=drafted.changed, parked=out, held=held)
    _hold_families(run, shard, scope, drafted, controlled, out)
    gone = ParkedAccount.objects.filter(shard=shard).exclude(account__in=controlled.held)
    (gone if scope.only is None else gone.filter(account__in=scope.only)).delete()
    _park(run, shard, drafted, at)
    park_broken(run, shard, checked.broken, at=at)
    park(run, shard, controlled.fused, at=at)
    made = Made(drafted, checked, controlled)
    made.carried = carry_over(
        run, shard, scope, drafted.drafts, drafted.accounts, out=made.parked | controlled.held
    )
    return made


def _hold_families(
    run: BillRun,
    shard: Shard,
    scope: Scope,
    drafted: Drafted,
    controlled: Controlled,
    out: Collection[int],
) -> None:
    """Nobody gets a part of a document that several share: who lacks one of them waits."""
    lacking = {*out, *controlled.held, *(each.account_id for each in controlled.fused)}
    controlled.fused += [
        Parking(each.account_id, WAITS, each.reason, each.facts)
        for each in hold_families(run, shard, scope, drafts=drafted.drafts, out=lacking)
    ]


def _check(run: BillRun, shard: Shard, scope: Scope, drafted: Drafted) -> Checked:
    """What was used, and billed, is asked once for both: more of it may come in between."""
    return check_scope(
        run,
        shard,
        scope,
        skip=drafted.parked.keys(),
        usage=drafted.usage,
        history=drafted.history,
        shared=drafted.shared,
    )


@contextmanager
def _not_collecting() -> Iterator[None]:
    """A shard makes many thousand tuples and no cycle; looking for cycles costs a fifth of it."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _again(
    run: BillRun,
    shard: Shard,
    scope: Scope,
    drafted: Drafted,
    checked: Checked,
    taxing: Taxing,
) -> Checked:
    """A difference may be a change that came between two reads: look at those accounts afresh."""
    afresh = with_kin(run, shard, checked.broken) - drafted.parked.keys()
    suspects = scope.narrowed(sorted(afresh))
    discard_drafts(shard_id=shard.pk, account_ids=afresh)
    for account_id in afresh:
        drafted.drafts.pop(account_id, None)
    fresh = draft_scope(run, shard, suspects, taxing)
    drafted.drafts |= fresh.drafts
    drafted.parked |= fresh.parked
    drafted.changed |= fresh.changed
    second = _check(run, shard, suspects, fresh)
    discard_drafts(shard_id=shard.pk, account_ids=second.broken)
    return Checked(second.broken, checked.accounts | second.accounts, checked.promises)


def draft_scope(run: BillRun, shard: Shard, scope: Scope, taxing: Taxing) -> Drafted:
    """Read, compute and write; who fails in Python or in Postgres fails alone."""
    accounts = due.accounts_of(scope)
    if shard.families:  # all of one have one document together
        accounts = {pk: each._replace(split="") for pk, each in accounts.items()}
    rows = telling_begun(due.due_rows(scope, until=run.on))
    usage = usage_of({row[1] for row in rows if row[6]})
    places = places_in(accounts, on=run.on)
    apart = keys_of(places)
    again = {charge_id for charge_id, each in usage.items() if each.again}
    currencies = {pk: account.currency for pk, account in accounts.items()}
    history = billed_history(row[1] for row in rows if row[4] or row[1] in again)
    drafts, failed = draft_accounts(
        rows,
        priced=pricing(scope) if rows else _nothing_is_priced,
        currencies=currencies,
        history=history,
        until=run.on,
        taxing=taxing,
        exempt={pk for pk, account in accounts.items() if account.tax_exempt},
        usage=usage,
        apart=apart,
    )
    failed |= adjust_drafts(
        scope, drafts, accounts, until=run.on, taxing=taxing, skip=failed, apart=apart
    )
    split_drafts(drafts, accounts, places, skip=failed)
    marks = {row[1]: row[7] for row in rows if row[7] is not None}
    drafted = Drafted(drafts, accounts, usage, history, marks, changed=changed_accounts(rows))
    for account_id, exc in failed.items():
        drafted.parked[account_id] = _why(exc)
    for code, why in (
        ("currency", in_retired_currency(run, accounts)),
        ("exchange_rate", without_rate(run, accounts)),
    ):
        for account_id in why.keys() & drafts.keys():
            drafted.parked[account_id] = Parked(code, why[account_id])
            del drafts[account_id]
    tax_families(run, shard, drafts, taxing=taxing, currencies=currencies)
    _write(run, shard, drafted, drafts)
    for account_id in drafted.parked:
        drafts.pop(account_id, None)
    return drafted


def _why(exc: Exception) -> Parked:
    """A rate that nobody knows is for finance to add; all else is for whoever reads errors."""
    if isinstance(exc, TaxUnknown):
        return Parked("tax", exc.message)
    if isinstance(exc, RateMissing) and exc.missing is not None:
        return Parked("rate", no_rate_words(exc.missing))
    if isinstance(exc, TermsInvalid) and exc.field == "currency":
        return Parked("currency", no_currency_words(exc.message))
    if isinstance(exc, UnknownCurrency):
        return Parked("currency", no_currency_words(str(exc)))
    return Parked("error", f"{type(exc).__name__}: {exc}")


def pricing(scope: Scope) -> Callable[[int], Priced]:
    """TermsCharge → its compiled Terms; an unbillable one raises when it is asked for."""
    rows = {row.id: row for row in due.terms_charges_of(scope)}
    charges = Counter(row.terms_id for row in rows.values())
    known: dict[int, Priced] = {}

    def priced(terms_charge_id: int) -> Priced:
        found = known.get(terms_charge_id)
        if found is None:
            row = rows[terms_charge_id]
            text = f"{row.product}: {row.key}" if charges[row.terms_id] > 1 else row.product
            compiled = compile_charge(due.charge_terms(row))
            found = known[terms_charge_id] = Priced(compiled, text[:250])
        return found

    return priced


def _nothing_is_priced(terms_charge_id: int) -> Priced:
    raise LookupError(terms_charge_id)


def _write(
    run: BillRun, shard: Shard, drafted: Drafted, drafts: Mapping[int, AccountDraft]
) -> None:
    """COPY behind a savepoint; what Postgres refuses is halved until the culprit is alone.

    A deadlock or a full disk is nobody's fault: the shard fails as a whole and is owed again.
    """
    if not drafts:
        return
    try:
        with transaction.atomic():
            write_drafts(run, shard, drafts, drafted.accounts)
            write_seen(shard, drafts, drafted.usage, drafted.marks)
    except DatabaseError as exc:
        if is_of_the_server(exc):
            raise
        keys = list(drafts)
        if len(keys) == 1:
            drafted.parked[keys[0]] = Parked("database", str(exc).strip().splitlines()[0])
            return
        middle = len(keys) // 2
        for half in (keys[:middle], keys[middle:]):
            _write(run, shard, drafted, {key: drafts[key] for key in half})


def _park(run: BillRun, shard: Shard, drafted: Drafted, at: datetime) -> None:
    if drafted.parked:
        found = [
            Parking(account_id, why.code, why.reason, {})
            for account_id, why in sorted(drafted.parked.items())
        ]
        park(run, shard, found, at=at)
