"""Change what is in service: wishes become one priced change order, and the facts are told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from django.db import transaction
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from o2b import clock
from o2b.customers.models import Account
from o2b.errors import Refused
from o2b.people.models import User
from orders.changing.services import ChangeOrder, write_change_orders
from orders.laying.services import NewOrder, lock_accounts, write_orders
from orders.models import Order, OrderLine
from quotes.services import AccountClosed
from subscriptions.changes.acts import WHEN_CLOSED
from subscriptions.changes.asking import place_of
from subscriptions.changes.carrying import Carried, after, carry
from subscriptions.changes.days import day_of
from subscriptions.changes.delivering import check_deliverable, delivered_lines
from subscriptions.changes.leaving import open_fees
from subscriptions.changes.pricing import Ink, Pen
from subscriptions.changes.refusals import (
    ChangedMeanwhile,
    ItemUnknown,
    NotTogether,
    ReasonTooLong,
    WaiverNotYours,
)
from subscriptions.changes.wishes import Wish
from subscriptions.models import Act, Item
from subscriptions.rules.checks import BeforeStart, check_facts
from subscriptions.rules.facts import Fact
from subscriptions.timelines.chains import Chain, chains_of, fact_of, lock_chains, roots_of
from subscriptions.timelines.services import NewFact, database_now, row_of, tell_facts

LONGEST_REASON = 500
WAIVE = "orders.approve_work"


@dataclass(frozen=True, slots=True)
class Changed:
    """What became of wishes: the order, its lines, and the services as they are now."""

    order: Order
    lines: list[OrderLine]
    chains: dict[int, Chain]


@transaction.atomic
def change_services(
    *,
    account_id: int,
    wishes: Sequence[Wish],
    at: datetime,
    actor_id: int | None,
    channel: str = Order.Channel.SCREEN,
    note: str = "",
    po_number: str = "",
    quote_id: int | None = None,
    kind: Order.Kind | None = None,
    to: Order | None = None,
) -> Changed:
    """Carry wishes out as one change order of the account; refuses all if one cannot be.

    The order is of the `kind` of its wishes, or of the one that is named; with `to` its lines join
    an order that was written in the same transaction.

    Prices come from contract and books, or from the Terms that are in force; none is typed. What
    is to be delivered first changes with its delivery; then no chain is told of yet.
    """
    involved = accounts_of(account_id, wishes)
    accounts = lock_accounts(account_ids=involved, closed_too=True)
    account = accounts[account_id]
    roots = roots_for(account, [wish.item_id for wish in wishes])
    lock_chains(set(roots.values()))
    chains = chains_for(roots)
    check_wishes(wishes, account, accounts)
    check_waiver(any(wish.waive_notice for wish in wishes), actor_id)
    carried = carry_all(wishes, chains, accounts, today=clock.day(account, at), pen=Ink())
    kinds = {kind or wish.order_kind for wish in wishes}
    kind = kinds.pop() if len(kinds) == 1 else Order.Kind.CHANGE
    if any(wish.deliver for wish in wishes):
        check_facts_of({chain.root.pk: chain for chain in chains.values()}, carried)
        changes = [each.line for _root, each in carried]
        new = NewOrder(
            account,
            delivered_lines(changes),
            quote_id=quote_id,
            note=note,
            kind=kind,
            po_number=po_number,
        )
        order = write_orders(orders=[new], channel=channel, at=at, actor_id=actor_id)[0]
        return Changed(order, list(order.lines.order_by("position")), {})
    fees = [each.fee for _root, each in carried if each.fee]
    change = ChangeOrder(
        account=account,
        kind=kind,
        lines=[*(each.line for _root, each in carried), *fees],
        quote_id=quote_id,
        note=note,
        po_number=po_number,
        to=to,
    )
    lines = write_change_orders(orders=[change], channel=channel, at=at, actor_id=actor_id)[0]
    told: dict[int, list[NewFact]] = {}
    for (root, each), line in zip(carried, lines, strict=False):
        for pk, fact in ((root, each.fact), *each.besides):
            told.setdefault(pk, []).append(replace(fact, order_line_id=line.pk))
    moment = database_now()
    told |= open_fees(lines[len(carried) :], account, moment=moment)
    found = tell_facts(told, at=at, actor_id=actor_id, moment=moment)
    return Changed(lines[0].order, lines, found)


def check_wishes(wishes: Sequence[Wish], account: Account, accounts: Mapping[int, Account]) -> None:
    """What is refused whatever the services are; who only looks is refused alike."""
    check_open(wishes, account, accounts)
    check_alone(wishes)
    if any(wish.deliver for wish in wishes):
        check_deliverable(wishes)


def check_open(wishes: Sequence[Wish], account: Account, accounts: Mapping[int, Account]) -> None:
    """What a closed account has can still be ended, paused and given away; it gets nothing more."""
    for index, wish in enumerate(wishes):
        if not account.is_open and wish.act not in WHEN_CLOSED:
            message = _(
                "%(account)s is closed; what it has can be ended, suspended, resumed, transferred "
                "to an open account, or have a change taken back. Transfer it first."
            )
            raise AccountClosed(message % {"account": account}, field=f"changes[{index}].act")
        to = accounts.get(wish.to_account_id or 0)
        if to is not None and to.pk != account.pk and not to.is_open:
            message = _("%(account)s is closed; transfer it to an open account.")
            raise AccountClosed(message % {"account": to}, field=f"changes[{index}].to_account")


def check_alone(wishes: Sequence[Wish]) -> None:
    """A transfer opens a subscription by its order, so it is an order of its own."""
    if len(wishes) > 1 and any(wish.act == Act.TRANSFER for wish in wishes):
        index = next(n for n, wish in enumerate(wishes) if wish.act == Act.TRANSFER)
        message = _("Order a transfer apart from everything else.")
        raise NotTogether(message, field=f"changes[{index}].act")


def check_waiver(waived: bool, actor_id: int | None) -> None:
    """Who lets somebody go without notice may approve work."""
    if not waived:
        return
    actor = User.objects.filter(pk=actor_id or 0).first()
    if actor is None or not actor.has_perm(WAIVE):
        message = _("Who does not approve work cannot do without the notice.")
        raise WaiverNotYours(message, field="waive_notice")


def carry_all(
    wishes: Sequence[Wish],
    chains: Mapping[int, Chain],
    accounts: Mapping[int, Account],
    *,
    today: date,
    pen: Pen,
) -> list[tuple[int, Carried]]:
    """Each wish with the root of its chain; each is checked against what the ones before it say."""
    carried = []
    so_far: dict[int, Chain] = {}
    for index, wish in enumerate(wishes):
        root = chains[wish.item_id].root.pk
        chain = so_far.get(root, chains[wish.item_id])
        try:
            _check(wish, chain)
            on = day_of(wish, chain.last, chain.spans, today=today, pen=pen)
            made = carry(wish, chain, on, today=today, accounts=accounts, pen=pen)
            so_far[root] = after(chain, made)
            check_facts(so_far[root].facts)
        except Refused as refusal:
            refusal.field = line_field(index, refusal)
            raise
        carried.append((root, made))
    return carried


def line_field(index: int, refusal: Refused) -> str:
    """The field at fault, named with the change that it belongs to."""
    return f"changes[{index}].{place_of(refusal)}".rstrip(".")


def accounts_of(account_id: int, wishes: Sequence[Wish]) -> set[int]:
    return {account_id} | {wish.to_account_id for wish in wishes if wish.to_account_id}


def check_facts_of(
    chains: Mapping[int, Chain], carried: Sequence[tuple[int, Carried]]
) -> dict[int, list[Fact]]:
    """Root → its facts with those of the wishes; refuses what cannot hold together."""
    found = {root: list(chain.facts) for root, chain in chains.items()}
    for root, each in carried:
        key = max(fact.key for fact in found[root]) + 1
        found[root].append(fact_of(row_of(each.fact, chains[root], key)))
    for facts in found.values():
        check_facts(facts)
    return found


def roots_for(account: Account, item_ids: Sequence[int]) -> dict[int, int]:
    """Item → the first of its chain; refuses an item that the account does not have."""
    began = Coalesce("root__anchor_on", "anchor_on")
    own = dict(Item.objects.filter(pk__in=item_ids, account=account).values_list("pk", began))
    for index, item_id in enumerate(item_ids):
        if item_id not in own:
            message = _("%(account)s has no service %(item)s.")
            told = {"account": account.reference, "item": item_id}
            raise ItemUnknown(message % told, field=f"changes[{index}].item")
        if own[item_id] is None:
            message = _("It is not in service yet; change its order instead.")
            raise BeforeStart(message, field=f"changes[{index}].item")
    return roots_of(item_ids)


def chains_for(roots: Mapping[int, int]) -> dict[int, Chain]:
    """Item → its chain."""
    chains = chains_of(set(roots.values()))
    return {item: chains[root] for item, root in roots.items()}


def _check(wish: Wish, chain: Chain) -> None:
    if len(wish.reason) > LONGEST_REASON or "\0" in wish.reason:
        message = _("A text of up to %(longest)s characters.")
        raise ReasonTooLong(message % {"longest": LONGEST_REASON}, field="reason")
    if wish.revision is not None and wish.revision != chain.root.revision:
        message = _("%(item)s was changed meanwhile; look at it again.")
        raise ChangedMeanwhile(message % {"item": chain.last}, field="revision")
