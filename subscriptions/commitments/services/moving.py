"""Move services to the price of a new version of their book, on the day that they were told."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction

from o2b import clock
from o2b.catalog.models import PriceBookVersion
from o2b.customers.models import Account
from o2b.errors import Refused
from o2b.people.notices.services import tell_many
from orders.changing.services import ChangeOrder, write_change_orders
from orders.models import LineAction, Order
from subscriptions.changes.snapshots import digests_of, line_of
from subscriptions.commitments.movers import to_move
from subscriptions.commitments.services import notes
from subscriptions.commitments.services.batches import AT_ONCE, by_moment, take, together
from subscriptions.commitments.services.pricing import Repriced, Repricing, freeze, reprice
from subscriptions.commitments.services.renewal import agreed_for
from subscriptions.commitments.services.telling import forget
from subscriptions.models import Act, PriceMove
from subscriptions.rules.timeline import span_on
from subscriptions.timelines.chains import chains_of
from subscriptions.timelines.services import NewFact, tell_facts


@transaction.atomic
def move_prices(*, machine_now: datetime, limit: int = AT_ONCE) -> int:
    """Move what moves today where it lives, by one order an account; how many were looked at."""
    for clocked in (False, True):
        due = to_move(machine_now=machine_now, clocked=clocked)
        ordered = due.select_related("book_version").order_by("moves_on", "item_id")
        rows, accounts = take(ordered, limit=limit)
        for at, own in by_moment(rows, accounts, machine_now):
            together(own, accounts, at, effect=_move, fault=_postpone)
        if rows:
            return len(rows)
    return 0


def _move(rows: Sequence[PriceMove], accounts: Mapping[int, Account], at: datetime) -> None:
    moves = [move for move in rows if move.account_id == move.holder]  # type: ignore[attr-defined]
    forget([move for move in rows if move.account_id != move.holder], at)  # type: ignore[attr-defined]
    chains = chains_of({move.item_id for move in moves})
    asking: list[tuple[PriceMove, Repricing]] = []
    for move in moves:
        chain = chains[move.item_id]
        now = span_on(chain.spans, move.moves_on)
        move.settled_on = move.moves_on
        if now is not None and not agreed_for(chain, move.moves_on):
            account = accounts[move.holder]  # type: ignore[attr-defined]
            assert now.account == account.pk, "it is another account's on that day"
            asking.append((move, Repricing(chain, account, now, move.moves_on)))
    answers = reprice([each for _move, each in asking])
    books = _books(answers)
    moving: list[tuple[PriceMove, Repricing, Repriced, int]] = []
    for (move, each), answer, key in zip(asking, answers, freeze(answers), strict=True):
        if isinstance(answer, Exception):
            move.settled_on = None
            _postpone(move, each.account, answer, at)
        elif key is not None and books.get(answer.book_version_id) == move.book_version.book_id:
            moving.append((move, each, answer, key))
    _write(moving, at)
    settled = [move for move in moves if move.settled_on is not None]
    PriceMove.objects.bulk_update(settled, ["settled_on", "order_line"])


def _books(answers: Sequence[Repriced | Exception]) -> dict[int | None, int]:
    keys = {a.book_version_id or 0 for a in answers if isinstance(a, Repriced)}
    rows = PriceBookVersion.objects.filter(pk__in=keys)
    return dict(rows.values_list("pk", "book_id"))


def _write(moving: Sequence[tuple[PriceMove, Repricing, Repriced, int]], at: datetime) -> None:
    if not moving:
        return
    digests = digests_of(each.now for _move, each, _answer, _key in moving)
    by_account: dict[int, list[tuple[PriceMove, Repricing, Repriced, int]]] = {}
    for row in moving:
        by_account.setdefault(row[1].account.pk, []).append(row)
    orders = [
        ChangeOrder(
            account=rows[0][1].account,
            kind=Order.Kind.PRICE_CHANGE,
            lines=[
                replace(
                    line_of(e.chain, e.now, action=LineAction.TERMS, on=e.on, digests=digests),
                    terms_id=key,
                    book_version_id=answer.book_version_id,
                    contract_id=answer.contract_id,
                )
                for _move, e, answer, key in rows
            ],
        )
        for rows in by_account.values()
    ]
    written = write_change_orders(orders=orders, channel=Order.Channel.BULK, at=at)
    told: dict[int, list[NewFact]] = {}
    for rows, lines in zip(by_account.values(), written, strict=True):
        for (move, each, _answer, key), line in zip(rows, lines, strict=True):
            move.order_line = line
            fact = NewFact(Act.TERMS, each.on, line.pk, terms_id=key)
            told.setdefault(move.item_id, []).append(fact)
    tell_facts(told, at=at)


def _postpone(move: PriceMove, account: Account, exc: Exception, at: datetime) -> None:
    """It is tried tomorrow, for tomorrow: later than told is never to the customer's harm."""
    fault = exc.message if isinstance(exc, Refused) else f"{type(exc).__name__}: {exc}"
    tomorrow = clock.day(account, at) + timedelta(days=1)
    PriceMove.objects.filter(pk=move.pk).update(moves_on=tomorrow)
    key = f"price-fails-{move.pk}"
    tell_many([notes.price_stays(account, move.item, fault, key, at)])
