"""A run is opened for a day, and cut into shards of about equal work."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from django.db import connection, transaction
from django.utils.translation import gettext as _

from billing.families.services.opening import (
    cut_families,
    loads_of,
    note_families,
    put_in_shard,
)
from billing.models import BillRun, Shard
from billing.runs.mirroring import accounts_to_reverse
from billing.runs.selectors.progress import overlapping_runs
from billing.runs.services.choosing import chosen
from billing.runs.services.numbering import lock_numbers
from o2b import events
from o2b.errors import Invalid, Refused

MOST_ACCOUNTS, MOST_LINES = 2_500, 10_000
LAST_ACCOUNT = 2**63 - 1
# A run bills every period up to its day: a year mistyped would bill for centuries.
FARTHEST = timedelta(days=2 * 366)

LINES_BY_ACCOUNT = """
SELECT account_id, count(*) FROM billing_promise
    WHERE legal_entity_id = %s AND (%s::bigint[] IS NULL OR account_id = ANY(%s))
    GROUP BY account_id ORDER BY account_id
"""
LINES_BUT_FAMILIES = LINES_BY_ACCOUNT.replace(
    "    GROUP BY",
    "    AND account_id NOT IN (SELECT account_id FROM billing_familymember WHERE run_id = %s)\n"
    "    GROUP BY",
)

Cut = tuple[int, int, int, int]  # first account, last account, accounts, lines


class RunOverlaps(Refused):
    code = "run_overlaps"


class DayTooFar(Invalid):
    code = "day_too_far"


@transaction.atomic
def open_run(
    *,
    legal_entity_id: int,
    on: date,
    opened_by_id: int,
    at: datetime,
    account_ids: Sequence[int] | None = None,
    bill_day: int | None = None,
    bill_group: str = "",
    kind: str = BillRun.Kind.BILLS,
) -> BillRun:
    """Begin to bill all accounts of a legal entity, or these, up to a day.

    A bill day or group chooses among them, as they are now. A rehearsal drafts and checks beside
    real runs, and is thrown away.
    """
    account_ids = chosen(
        legal_entity_id=legal_entity_id,
        account_ids=account_ids,
        bill_day=bill_day,
        bill_group=bill_group,
    )
    if on > at.date() + FARTHEST:
        message = _("Nothing is billed more than two years ahead; choose an earlier day.")
        raise DayTooFar(message, field="on")
    if kind != BillRun.Kind.REHEARSAL:
        _refuse_overlap(legal_entity_id, account_ids)
    run = BillRun.objects.create(
        legal_entity_id=legal_entity_id,
        kind=kind,
        on=on,
        account_ids=account_ids,
        bill_day=bill_day,
        bill_group=bill_group,
        opened_by_id=opened_by_id,
        opened_at=at,
    )
    note_families(run)
    events.record("bill_run.opened", run, at=at, actor_id=opened_by_id, on=on.isoformat())
    return run


def _refuse_overlap(legal_entity_id: int, account_ids: list[int] | None) -> None:
    # Two that open at once meet here.
    lock_numbers(legal_entity_id)
    other = overlapping_runs(legal_entity_id=legal_entity_id, account_ids=account_ids).first()
    if other is not None:
        raise RunOverlaps(
            _(
                "%(run)s up to %(on)s is not finished; it bills the same accounts. "
                "Finish or cancel it first."
            )
            % {"run": other, "on": other.on},
            field="legal_entity" if account_ids is None else "accounts",
            run=other.pk,
        )


@transaction.atomic
def plan_run(*, run_id: int, at: datetime) -> BillRun:
    """Cut an open run into shards, one message each; a run that is further on stays as it is."""
    run = BillRun.objects.select_for_update().get(pk=run_id)
    if run.state != BillRun.State.OPEN:
        return run
    run.begin_drafting(at=at)
    run.tax_rounding = run.legal_entity.tax_rounding
    run.save(update_fields=["state", "tax_rounding"])
    shards = Shard.objects.bulk_create(
        Shard(
            run=run,
            n=n,
            first_account=first,
            last_account=last,
            planned_accounts=accounts,
            planned_lines=lines,
        )
        for n, (first, last, accounts, lines) in enumerate(covering(_accounts(run)), start=1)
    )
    if run.families:
        shards += _family_shards(run, len(shards))
    events.record_many("bill_run.shard_planned", shards, at=at)
    return run


def _family_shards(run: BillRun, n: int) -> list[Shard]:
    """Whole families, each with all its accounts, after the ranges of all others."""
    found = []
    for piece in cut_families(loads_of(run), accounts=MOST_ACCOUNTS, lines=MOST_LINES):
        n += 1
        shard = Shard.objects.create(
            run=run,
            n=n,
            first_account=0,
            last_account=LAST_ACCOUNT,
            families=len(piece),
            planned_accounts=sum(accounts for _payer, accounts, _lines in piece),
            planned_lines=sum(lines for *_others, lines in piece),
        )
        put_in_shard(run, shard.pk, [payer for payer, *_others in piece])
        found.append(shard)
    return found


def _accounts(run: BillRun) -> Iterator[tuple[int, int]]:
    if run.is_reversal:
        yield from accounts_to_reverse(run)
        return
    with connection.cursor() as cursor:
        values = [run.legal_entity_id, run.account_ids, run.account_ids]
        if run.families:
            cursor.execute(LINES_BUT_FAMILIES, [*values, run.pk])
        else:
            cursor.execute(LINES_BY_ACCOUNT, values)
        yield from cursor.fetchall()


def covering(accounts: Iterator[tuple[int, int]]) -> list[Cut]:
    """Ranges that leave no account id out, so that what is unexpected is looked at too."""
    cuts = list(cut(accounts)) or [(0, 0, 0, 0)]
    starts = [0, *(first for first, *_ in cuts[1:])]
    ends = [*(start - 1 for start in starts[1:]), LAST_ACCOUNT]
    return [
        (start, end, number, lines)
        for start, end, (_, _, number, lines) in zip(starts, ends, cuts, strict=True)
    ]


def cut(accounts: Iterator[tuple[int, int]]) -> Iterator[Cut]:
    """Pieces of so many accounts or lines at most, but never less than one account."""
    first = last = number = total = 0
    for account_id, lines in accounts:
        if number and (number >= MOST_ACCOUNTS or total + lines > MOST_LINES):
            yield first, last, number, total
            number = total = 0
        if not number:
            first = account_id
        last, number, total = account_id, number + 1, total + lines
    if number:
        yield first, last, number, total
