"""Write what was agreed: one change order, a commitment a line, and the day of its renewal."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _

from o2b import clock, events
from o2b.customers.models import Account
from orders.changing.services import ChangeOrder, write_change_orders
from orders.laying.services import lock_accounts
from orders.models import LineAction, Order
from subscriptions.changes.leaving import running_of
from subscriptions.changes.refusals import ItemUnknown, NoPeriod
from subscriptions.changes.snapshots import digests_of, line_of
from subscriptions.commitments import refusals as no
from subscriptions.commitments.services.standing import stand_due
from subscriptions.models import Commitment, Item
from subscriptions.rules.timeline import Span, span_on
from subscriptions.timelines.chains import Chain, chains_of, lock_chains, roots_of


@dataclass(slots=True)
class Served:
    """A service, locked: what it is on which days, and what is agreed of it so far."""

    chain: Chain
    spans: list[Span]
    account: Account
    today: date
    running: Commitment | None

    def new(self, *, on: date, **words: Any) -> "New":
        """The next commitment; from here on it is the running one."""
        number = self.running.number + 1 if self.running else 1
        self.running = Commitment(item=self.chain.root, number=number, **words)
        return New(self, self.running, on)


@dataclass(frozen=True, slots=True)
class New:
    """A commitment to be written, from which day its line counts, and which quote promised it."""

    service: Served
    commitment: Commitment
    on: date
    quote_line_id: int | None = None


def open_services(
    account_id: int, item_ids: Sequence[int], *, at: datetime, closed_too: bool = False
) -> dict[int, Served]:
    """Services of the account, locked, by item; refuses one that the account has not got.

    A closed account is refused, unless what is said binds nobody (`closed_too`).
    """
    account = lock_accounts(account_ids=[account_id], closed_too=closed_too)[account_id]
    if not item_ids:
        raise no.NoServices(_("Name at least one service."), field="items")
    own = set(Item.objects.filter(pk__in=item_ids, account=account).values_list("pk", flat=True))
    roots = roots_of(own)
    lock_chains(set(roots.values()))
    chains, running = chains_of(set(roots.values())), running_of(set(roots.values()))
    today = clock.day(account, at)
    found = {}
    for item_id in item_ids:
        chain = chains.get(roots.get(item_id, 0))
        if chain is None or chain.holder_on(today).account_id != account.pk:
            message = _("%(account)s has no service %(item)s.")
            told = {"account": account.reference, "item": item_id}
            raise ItemUnknown(message % told, field="item")
        if not chain.spans:
            raise NoPeriod(_("Of this service no day is left that could change."), field="item")
        if item_id not in found:
            term = running.get(chain.root.pk)
            found[item_id] = Served(chain, chain.spans, account, today, term)
    return found


def write_new(
    new: Sequence[New],
    *,
    at: datetime,
    actor_id: int | None,
    channel: str,
    note: str = "",
    quote_id: int | None = None,
    to: Order | None = None,
    kind: Order.Kind = Order.Kind.CHANGE,
) -> list[Commitment]:
    """One change order of the account with a line for each commitment, or more lines of one."""
    facing = [_facing(each) for each in new]
    digests = digests_of(facing)
    order = ChangeOrder(
        account=new[0].service.account,
        kind=kind,
        lines=[
            line_of(
                each.service.chain,
                now,
                action=LineAction.COMMIT,
                on=each.on,
                digests=digests,
                quote_line_id=each.quote_line_id,
            )
            for each, now in zip(new, facing, strict=True)
        ],
        quote_id=quote_id,
        note=note,
        to=to,
    )
    lines = write_change_orders(orders=[order], channel=channel, at=at, actor_id=actor_id)[0]
    for each, line in zip(new, lines, strict=True):
        each.commitment.order_line = line
    commitments = [each.commitment for each in new]
    Commitment.objects.bulk_create(commitments)
    stand_due(list({each.item_id: each for each in commitments}.values()))
    tell_committed(commitments, at=at, actor_id=actor_id)
    return commitments


def _facing(new: New) -> Span:
    spans = new.service.spans
    return span_on(spans, new.on) or spans[-1]


def tell_committed(
    commitments: Sequence[Commitment], *, at: datetime, actor_id: int | None
) -> None:
    """What was agreed, as an event of each service."""
    by_item = {each.item_id: each for each in commitments}
    events.record_many(
        "item.committed",
        [each.item for each in by_item.values()],
        at=at,
        actor_id=actor_id,
        facts_of=lambda item: facts_of(by_item[item.pk]),
    )


def facts_of(commitment: Commitment) -> dict[str, object]:
    return {
        "number": commitment.number,
        "starts_on": commitment.starts_on.isoformat(),
        "ends_on": commitment.ends_on.isoformat() if commitment.ends_on else None,
        "renewal": str(commitment.renewal),
    }
