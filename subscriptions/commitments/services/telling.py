"""Tell whom a new version of a book moves: the advocate at once, the customer by letter.

Nobody's price moves sooner than so many days after, as the version says.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction

from o2b import clock, events
from o2b.catalog.models import PriceBookVersion
from o2b.customers.models import Account, Contact
from o2b.people.notices.services import tell_many
from subscriptions.commitments.movers import moving_versions, to_tell
from subscriptions.commitments.selectors import items_of
from subscriptions.commitments.services import notes
from subscriptions.commitments.services.batches import AT_ONCE, by_moment, take
from subscriptions.commitments.services.foreseen import Foreseen, foresee
from subscriptions.commitments.services.pricing import Repriced
from subscriptions.models import Item, PriceMove

AT_RENEWAL = PriceBookVersion.Policy.AT_RENEWAL


@transaction.atomic
def tell_price_moves(*, machine_now: datetime, limit: int = AT_ONCE) -> int:
    """Tell of services that a version moves; of how many. What stays the same is told nobody."""
    for version in moving_versions().order_by("pk"):
        due = to_tell(version, machine_now=machine_now)
        rows, accounts = take(due, limit=limit, whose=items_of)
        for at, own in by_moment(rows, accounts, machine_now):
            _tell(version, own, accounts, at)
        if rows:
            return len(rows)
    return 0


def _tell(
    version: PriceBookVersion, rows: Sequence[Any], accounts: dict[int, Account], at: datetime
) -> None:
    with_address = _with_address(accounts)
    # Where a transfer is due, days differ by time zone: each service is told to one.
    rows = list({row.root: row for row in rows}.values())
    moves = [
        PriceMove(
            item_id=row.root,
            book_version=version,
            account_id=row.holder,
            at_renewal=version.policy == AT_RENEWAL,
            told_on=clock.day(accounts[row.holder], at),
            moves_on=_first_day(version, clock.day(accounts[row.holder], at)),
        )
        for row in rows
    ]
    foreseen = {each.move.item_id: each for each in foresee(moves, accounts)}
    books = _books(foreseen)
    told = []
    for move in moves:
        found = foreseen.get(move.item_id)
        if found is None or not _moves(found, version, books):
            move.settled_on = move.told_on
        else:
            move.letter_owed = move.account_id in with_address
            told.append(move)
    PriceMove.objects.bulk_create(moves, batch_size=2000)
    events.record_many("price_move.told", told, at=at, facts_of=_facts)
    _tell_advocates(version, foreseen, accounts, told, at)


def forget(moves: Sequence[PriceMove], at: datetime) -> None:
    """Moves of which another account was told than has the service then: they are told anew."""
    if moves:
        items = Item.objects.in_bulk({move.item_id for move in moves})
        told = {move.item_id: {"account": move.account_id} | _facts(move) for move in moves}
        PriceMove.objects.filter(pk__in=[move.pk for move in moves]).delete()
        events.record_many(
            "price_move.forgotten", list(items.values()), at=at, facts_of=lambda i: told[i.pk]
        )


def _first_day(version: PriceBookVersion, today: date) -> date:
    """Never sooner than notice allows, nor than the version counts."""
    on = version.policy_on or version.valid_from
    return max(on, version.valid_from, today + timedelta(days=version.notice_days))


def _moves(found: Foreseen, version: PriceBookVersion, books: Mapping[int, int]) -> bool:
    """Whether the book is what decides its price then, and says another one."""
    answer = found.answer
    if isinstance(answer, Exception):
        return False
    same_book = books.get(answer.book_version_id or 0) == version.book_id
    return answer.resolution is not None and same_book


def _books(foreseen: Mapping[int, Foreseen]) -> dict[int, int]:
    """Version of a book → the book."""
    answers = [each.answer for each in foreseen.values()]
    keys = {a.book_version_id for a in answers if isinstance(a, Repriced) and a.book_version_id}
    return dict(PriceBookVersion.objects.filter(pk__in=keys).values_list("pk", "book_id"))


def _with_address(accounts: Mapping[int, Account]) -> set[int]:
    """The accounts whose customer can be written to."""
    customers = {account.customer_id for account in accounts.values()}
    found = set(
        Contact.objects.filter(customer__in=customers).values_list("customer_id", flat=True)
    )
    return {pk for pk, account in accounts.items() if account.customer_id in found}


def _facts(move: PriceMove) -> dict[str, Any]:
    return {
        "item": move.item_id,
        "book_version": move.book_version_id,
        "moves_on": move.moves_on.isoformat(),
        "at_renewal": move.at_renewal,
    }


def _tell_advocates(
    version: PriceBookVersion,
    foreseen: Mapping[int, Foreseen],
    accounts: Mapping[int, Account],
    told: Sequence[PriceMove],
    at: datetime,
) -> None:
    by_account: dict[int, list[str]] = {}
    for move in told:
        by_account.setdefault(move.account_id, []).append(foreseen[move.item_id].text)
    found = [
        notes.price_moves(
            accounts[pk], str(version), f"prices-{version.pk}-{pk}-{at:%Y%m%d}", texts, at
        )
        for pk, texts in by_account.items()
    ]
    for move_item, each in foreseen.items():
        if isinstance(each.answer, Exception):
            account = accounts[each.move.account_id]
            key = f"price-{version.pk}-{move_item}"
            found.append(notes.price_stays(account, each.move.item, str(each.answer), key, at))
    tell_many(found)
