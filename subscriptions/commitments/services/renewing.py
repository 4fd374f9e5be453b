"""Renew what is due: one order an account, a line and a term a service, Terms where they move.

A suspended service waits and its advocate is told; what cannot be renewed is told too, and tried
once a day. May run twice, and beside itself: each renewal moves the day on which the next is due.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from o2b import clock, events
from o2b.copying import write_all
from o2b.customers.models import Account
from o2b.errors import Refused
from o2b.people.notices.services import tell_many
from orders.changing.services import ChangeOrder, write_change_orders
from orders.models import Order, OrderLine
from subscriptions.changes.snapshots import digests_of
from subscriptions.commitments.rules import What, verdict
from subscriptions.commitments.selectors import due_renewals
from subscriptions.commitments.services import notes
from subscriptions.commitments.services.batches import AT_ONCE, by_moment, take, together
from subscriptions.commitments.services.pricing import Repricing, freeze, reprice
from subscriptions.commitments.services.renewal import Renewing
from subscriptions.commitments.services.standing import stand_due
from subscriptions.commitments.services.telling import forget
from subscriptions.commitments.services.writing import facts_of
from subscriptions.models import PriceMove, Renewal, RenewalDue
from subscriptions.rules.checks import check_facts
from subscriptions.rules.timeline import span_on
from subscriptions.timelines.chains import Chain, chains_of, fact_of
from subscriptions.timelines.services import row_of, tell_facts

R = Renewal


@transaction.atomic
def renew_due(*, machine_now: datetime, limit: int = AT_ONCE) -> int:
    """Renew services whose term has ended where they live; how many were looked at."""
    for clocked in (False, True):
        due = due_renewals(machine_now=machine_now, clocked=clocked)
        ordered = due.select_related("commitment").order_by("due_on", "item_id")
        rows, accounts = take(ordered, limit=limit)
        for at, own in by_moment(rows, accounts, machine_now):
            together(own, accounts, at, effect=_renew, fault=note_fault)
        if rows:
            return len(rows)
    return 0


def _renew(rows: Sequence[RenewalDue], accounts: Mapping[int, Account], at: datetime) -> None:
    chains = chains_of({row.item_id for row in rows})
    spans = {pk: chain.spans for pk, chain in chains.items()}
    renewing: list[Renewing] = []
    over, later, waiting = [], [], []
    for row in rows:
        account = accounts[row.holder]  # type: ignore[attr-defined]
        found = verdict(
            spans[row.item_id],
            due_on=row.due_on,
            today=clock.day(account, at),
            ends=row.commitment.renewal == R.END,
        )
        match found.what:
            case What.OVER:
                over.append(row.pk)
            case What.LATER:
                row.due_on = found.on
                later.append(row)
            case What.WAIT:
                row.tried_on = clock.day(account, at)
                waiting.append(row)
            case What.RENEW:
                now = span_on(spans[row.item_id], found.on)
                assert now is not None
                assert now.account == account.pk, "it is another account's on that day"
                renewing.append(Renewing(row, chains[row.item_id], account, now, found.on))
    RenewalDue.objects.filter(pk__in=over).delete()
    RenewalDue.objects.bulk_update(later, ["due_on"])
    _let_wait(waiting, chains, accounts, at)
    for refused, exc in carry_out(renewing, at=at, actor_id=None, channel=Order.Channel.BULK):
        note_fault(refused.due, refused.account, exc, at)


def _let_wait(
    rows: Sequence[RenewalDue],
    chains: Mapping[int, Chain],
    accounts: Mapping[int, Account],
    at: datetime,
) -> None:
    """Suspended services: their advocates are told, once."""
    new = [row for row in rows if not row.waits]
    RenewalDue.objects.filter(pk__in=[row.pk for row in rows]).update(waits=True)
    RenewalDue.objects.bulk_update(rows, ["tried_on"])
    if new:
        items = [chains[row.item_id].root for row in new]
        events.record_many("renewal.waits", items, at=at)
        tell_many(
            [
                notes.waits(row, chains[row.item_id].item_of(account.pk), account, at)
                for row in new
                for account in [accounts[row.holder]]  # type: ignore[attr-defined]
            ]
        )


def note_fault(due: RenewalDue, account: Account, exc: Exception, at: datetime) -> None:
    """It is tried again tomorrow; the advocate is told, once."""
    fault = exc.message if isinstance(exc, Refused) else f"{type(exc).__name__}: {exc}"
    fault = fault.replace("\0", "")[:500]
    RenewalDue.objects.filter(pk=due.pk).update(tried_on=clock.day(account, at), fault=fault)
    events.record("renewal.failed", due.item, at=at, fault=fault)
    tell_many([notes.failed(due, account, fault, at)])


def carry_out(
    renewing: Sequence[Renewing], *, at: datetime, actor_id: int | None, channel: str
) -> list[tuple[Renewing, Exception]]:
    """Write the renewals; those that cannot be, and why, are left as they were."""
    if not renewing:
        return []
    _find_moves(renewing, at)
    _price(renewing)
    bad = {id(each): exc for each in renewing if (exc := _fault_of(each))}
    good = [each for each in renewing if id(each) not in bad]
    if good:
        _write(good, at=at, actor_id=actor_id, channel=channel)
    return [(each, bad[id(each)]) for each in renewing if id(each) in bad]


def _find_moves(renewing: Sequence[Renewing], at: datetime) -> None:
    """Those that were told in time that their price moves to another version of the book.

    Of whom another account was told is told anew, and moves at the next renewal.
    """
    by_root = {each.chain.root.pk: each for each in renewing}
    moves = PriceMove.objects.filter(
        item__in=by_root, at_renewal=True, settled_on=None, letter_owed=False
    )
    others = []
    for move in moves.order_by("item_id", "book_version_id"):
        each = by_root[move.item_id]
        if move.account_id != each.account.pk:
            others.append(move)
        elif move.moves_on > each.on or each.ends or each.uplift is not None:
            continue
        elif each.account.is_open:
            each.moves = move
        else:  # who is closed keeps the price that he has
            move.settled_on = each.on
            move.save(update_fields=["settled_on"])
    forget(others, at)


def _price(renewing: Sequence[Renewing]) -> None:
    asking = [each for each in renewing if each.asks_price]
    answers = reprice([Repricing(e.chain, e.account, e.now, e.on, uplift=e.uplift) for e in asking])
    for each, answer, key in zip(asking, answers, freeze(answers), strict=True):
        each.repriced, each.terms_id = answer, key


def _fault_of(each: Renewing) -> Exception | None:
    """Why it cannot be renewed, if so: its price, or what is known of it."""
    if isinstance(each.repriced, Exception):
        return each.repriced
    fact = each.fact(0)
    if fact is not None:
        told = fact_of(row_of(fact, each.chain, each.chain.next_key))
        try:
            check_facts([*each.chain.facts, told])
        except Refused as refused:
            return refused
    return None


def _write(
    renewing: Sequence[Renewing], *, at: datetime, actor_id: int | None, channel: str
) -> None:
    orders = _orders(renewing)
    written = write_change_orders(
        orders=[order for order, _rows in orders], channel=channel, at=at, actor_id=actor_id
    )
    lines: list[tuple[Renewing, OrderLine]] = [
        pair
        for (_order, rows), own in zip(orders, written, strict=True)
        for pair in zip(rows, own, strict=True)
    ]
    commitments = [each.next_term(line) for each, line in lines if not each.ends]
    write_all(commitments)
    stand_due(commitments, follow=True)
    ended = [each.due.pk for each in renewing if each.ends]
    RenewalDue.objects.filter(pk__in=ended).delete()
    _settle_moves(lines)
    told = {e.chain.root.pk: [fact] for e, line in lines if (fact := e.fact(line.pk))}
    if told:
        known = {root: e.chain for e, _line in lines if (root := e.chain.root.pk) in told}
        tell_facts(told, at=at, actor_id=actor_id, chains=known)
    agreed = {each.item_id: each for each in commitments}
    events.record_many(
        "item.renewed",
        [each.chain.root for each in renewing if not each.ends],
        at=at,
        actor_id=actor_id,
        facts_of=lambda item: facts_of(agreed[item.pk]),
    )


def _orders(renewing: Sequence[Renewing]) -> list[tuple[ChangeOrder, list[Renewing]]]:
    """One order an account, in the order of accounts."""
    digests = digests_of(each.now for each in renewing)
    by_account: dict[int, list[Renewing]] = {}
    for each in renewing:
        by_account.setdefault(each.account.pk, []).append(each)
    return [
        (
            ChangeOrder(
                account=rows[0].account,
                kind=Order.Kind.RENEW,
                lines=[each.line(digests) for each in rows],
            ),
            rows,
        )
        for rows in by_account.values()
    ]


def _settle_moves(lines: Iterable[tuple[Renewing, Any]]) -> None:
    moved = []
    for each, line in lines:
        if each.moves is not None:
            each.moves.settled_on, each.moves.order_line = each.on, line
            moved.append(each.moves)
    PriceMove.objects.bulk_update(moved, ["settled_on", "order_line"])
