"""Place the orders of a sheet together: read, checked, priced and written in the queries of few."""

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db import DatabaseError, OperationalError, transaction
from django.utils.translation import gettext as _

from o2b import clock
from o2b.catalog.definitions import definitions_of
from o2b.catalog.models import DeliveryPlan, ProductVersion
from o2b.catalog.resolution import Resolution
from o2b.catalog.rules.compatibility import Definition
from o2b.customers.models import Account
from o2b.errors import Refused
from orders.bulk.wishes import Wish
from orders.entry.days import check_days
from orders.entry.services import promised_lines
from orders.laying.services import NewLine, NewOrder, lock_accounts, write_orders
from orders.models import BulkRow, Order
from quotes.inputs import CheckedLine, examine_lines, versions_on_sale
from quotes.selectors import Asking, price_each

AlreadyOf = Callable[[int], Collection[str]]
UNFORESEEN = (ArithmeticError, LookupError, TypeError, ValueError)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Batch:
    """Who orders, in which sheet, and whether it is meant."""

    bulk_id: int
    machine_now: datetime
    actor_id: int | None
    is_dry_run: bool
    already_of: AlreadyOf


@dataclass(slots=True)
class Shelf:
    """What is on sale, by code, with its rules and whether anybody knows how to deliver it."""

    on_sale: Mapping[str, ProductVersion]
    definitions: Mapping[int, Definition]
    planned: Collection[int]
    had: dict[int, set[str]] = field(default_factory=dict)


def place_wishes(wishes: Sequence[Wish], batch: Batch) -> None:
    """Give every wish its order, or what is wrong with it; dry, nothing of it stays."""
    with transaction.atomic():
        _find_accounts(wishes)
        _refuse_second_time(wishes)
        shelf = _shelf(wishes)
        for (at, day), each in _by_day(_good(wishes), batch.machine_now).items():
            checked = {id(wish): _check(wish, day, shelf, batch) for wish in each}
            fit = [wish for wish in each if not wish.faults]
            _place(fit, checked, at, day, batch)
        if batch.is_dry_run:
            transaction.set_rollback(True)


def _good(wishes: Iterable[Wish]) -> list[Wish]:
    return [wish for wish in wishes if not wish.faults]


def _find_accounts(wishes: Sequence[Wish]) -> None:
    """Lock the accounts that are named; one that is not there, or closed, is the wish's fault."""
    named = {wish.account for wish in _good(wishes)}
    known = {a.reference: a for a in Account.objects.filter(reference__in=named)}
    locked = lock_accounts(account_ids=[a.pk for a in known.values() if a.is_open])
    for wish in _good(wishes):
        account = known.get(wish.account)
        told = {"account": wish.account[:60]}
        if account is None:
            wish.blame(_("There is no account “%(account)s”.") % told, column="account")
        elif account.pk not in locked:
            message = _("%(account)s is closed; it can order nothing.")
            wish.blame(message % {"account": account}, column="account")
        else:
            wish.customer = locked[account.pk]


def _refuse_second_time(wishes: Sequence[Wish]) -> None:
    """An order's reference is ordered once for an account, whatever the sheet."""
    keys = {wish.key for wish in _good(wishes) if wish.key}
    placed = BulkRow.objects.filter(key__in=keys, outcome=BulkRow.Outcome.PLACED)
    known = {
        (account_id, key): Order(pk=order_id)
        for account_id, key, order_id in placed.order_by().values_list(
            "order__account", "key", "order"
        )
    }
    for wish in _good(wishes):
        order = known.get((_account(wish).pk, wish.key)) if wish.key else None
        if order:
            message = _("“%(key)s” was ordered before: it is %(order)s.")
            wish.blame(message % {"key": wish.key, "order": order}, column="order")


def _shelf(wishes: Sequence[Wish]) -> Shelf:
    on_sale = versions_on_sale({line.product for wish in _good(wishes) for line in wish.lines})
    published = DeliveryPlan.objects.filter(
        product__in={version.product_id for version in on_sale.values()},
        state=DeliveryPlan.State.PUBLISHED,
    )
    return Shelf(
        on_sale,
        definitions_of(on_sale.values()),
        set(published.order_by().values_list("product_id", flat=True)),
    )


def _by_day(
    wishes: Iterable[Wish], machine_now: datetime
) -> dict[tuple[datetime, date], list[Wish]]:
    """Wishes by the moment and the day that their accounts live in."""
    found: dict[tuple[datetime, date], list[Wish]] = defaultdict(list)
    for wish in wishes:
        account = _account(wish)
        at = account.test_now or machine_now
        found[at, clock.day(account, at)].append(wish)
    return found


def _check(wish: Wish, day: date, shelf: Shelf, batch: Batch) -> list[CheckedLine]:
    """The lines that can be had; faults are blamed."""
    try:
        return _examine(wish, day, shelf, batch)
    except UNFORESEEN as fault:
        _blame(wish, fault)
        return []


def _examine(wish: Wish, day: date, shelf: Shelf, batch: Batch) -> list[CheckedLine]:
    try:
        check_days(today=day, work_from=wish.work_from, promised_on=wish.promised_on)
    except Refused as refusal:
        wish.refuse(refusal)
    codes = {line.product for line in wish.lines}
    mine = {code: shelf.on_sale[code] for code in codes if code in shelf.on_sale}
    checked, faults = examine_lines(
        wish.lines,
        account=_account(wish),
        already=_already(wish, mine, shelf, batch),
        on_sale=mine,
        definitions=shelf.definitions,
    )
    for fault in faults:
        wish.refuse(fault)
    for i, line in enumerate(checked if not faults else ()):
        if line.product_version.product_id not in shelf.planned:
            message = _("Nobody has published yet how this product is delivered.")
            wish.blame(message, column="product", line=i)
    if not wish.faults:
        shelf.had.setdefault(_account(wish).pk, set()).update(codes)
    return checked


def _already(
    wish: Wish, mine: Mapping[str, ProductVersion], shelf: Shelf, batch: Batch
) -> frozenset[str]:
    """What the account has, asked only where a product's rules look at it."""
    account_id = _account(wish).pk
    if not any(shelf.definitions[version.pk].rules for version in mine.values()):
        return frozenset()
    return frozenset(batch.already_of(account_id)) | shelf.had.get(account_id, set())


def _place(
    wishes: Sequence[Wish],
    checked: Mapping[int, list[CheckedLine]],
    at: datetime,
    day: date,
    batch: Batch,
) -> None:
    """Price and write together; if that fails, each half for itself, down to the culprit."""
    try:
        with transaction.atomic():
            _price_and_write(wishes, checked, at, day, batch)
    except OperationalError:
        raise  # it is the database, not a wish: the sheet is worked on again
    except (Refused, DatabaseError, *UNFORESEEN) as fault:
        left = _good(wishes)
        if len(left) == 1:
            _blame(left[0], fault)
            return
        middle = len(left) // 2
        _place(left[:middle], checked, at, day, batch)
        _place(left[middle:], checked, at, day, batch)


def _blame(wish: Wish, fault: Exception) -> None:
    """Why one wish is refused; what nobody foresaw is logged, and does not hold up the rest."""
    if isinstance(fault, Refused):
        wish.refuse(fault)
        return
    row = wish.rows[0]
    log.error("bulk order %s: row %s cannot be placed", row.bulk_id, row.number, exc_info=fault)
    wish.blame(_("This order cannot be placed: an error of O2B, which its log tells."))


def _price_and_write(
    wishes: Sequence[Wish],
    checked: Mapping[int, list[CheckedLine]],
    at: datetime,
    day: date,
    batch: Batch,
) -> None:
    priced = price_each(
        askings=[
            Asking(_account(w), [line.wanted for line in checked[id(w)]], w.start_on)
            for w in wishes
        ],
        on=day,
    )
    fit: list[tuple[Wish, list[Resolution]]] = []
    for wish, answer in zip(wishes, priced, strict=True):
        if isinstance(answer, Refused):
            wish.refuse(answer)
        else:
            fit.append((wish, answer.resolutions))
    if fit:
        _write(fit, checked, at, batch)


def _write(
    fit: Sequence[tuple[Wish, list[Resolution]]],
    checked: Mapping[int, list[CheckedLine]],
    at: datetime,
    batch: Batch,
) -> None:
    lines = iter(
        promised_lines(
            [line for wish, _found in fit for line in checked[id(wish)]],
            [resolution for _wish, found in fit for resolution in found],
        )
    )
    orders = write_orders(
        orders=[_new(wish, [next(lines) for _each in found], batch) for wish, found in fit],
        channel=Order.Channel.BULK,
        at=at,
        actor_id=batch.actor_id,
    )
    for (wish, _found), order in zip(fit, orders, strict=True):
        wish.order = order


def _new(wish: Wish, lines: list[NewLine], batch: Batch) -> NewOrder:
    return NewOrder(
        account=_account(wish),
        lines=lines,
        start_on=wish.start_on,
        note=wish.note,
        work_from=wish.work_from,
        promised_on=wish.promised_on,
        priority=wish.priority,
        bulk_id=batch.bulk_id,
    )


def _account(wish: Wish) -> Account:
    assert wish.customer is not None, "asked of good wishes only"
    return wish.customer
