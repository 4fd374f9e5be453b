"""An accepted quote of changes becomes one change order, under exactly what it promised."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from django.utils.translation import gettext as _

from o2b import clock
from orders.laying.services import NewOrder, write_orders
from orders.models import Order
from quotes.models import Quote, QuoteLine
from subscriptions.changes.pricing import plan_of
from subscriptions.changes.refusals import ChangedMeanwhile
from subscriptions.changes.services import change_services, line_field
from subscriptions.changes.wishes import Priced, Wish
from subscriptions.commitments.services.agreeing import co_termed, committed
from subscriptions.commitments.services.writing import open_services, write_new
from subscriptions.models import Act, QuotedChange
from subscriptions.quoting.inputs import Action, ChangeInput, read
from subscriptions.quoting.planning import Days, Planned, commit_of, plan
from subscriptions.timelines.chains import Chain

# An order of one kind of change is of that kind; of several, a change.
KINDS: dict[str, Order.Kind] = {Action.RENEW: Order.Kind.RENEW, Action.END: Order.Kind.CANCEL}


def order_changes(
    *, quote: Quote, new: NewOrder, channel: str, at: datetime, actor_id: int | None
) -> Order:
    """Order what the quote says: what it adds is delivered, what it changes is changed.

    Call it with the account locked, in the transaction that accepts the quote. A service that has
    changed since the quote was sent refuses all of it.
    """
    quoted = list(
        QuotedChange.objects.filter(line__quote=quote)
        .select_related("line__product_version")
        .order_by("line__position")
    )
    changes = [replace(read(each), on=each.on) for each in quoted]
    today = clock.day(quote.account, at)
    days = Days(quote.start_on or today, quote.valid_until, today)
    planned = plan(quote.account, changes, days)
    _refuse_changed(planned, quoted)
    kind = _kind(changes, with_additions=bool(new.lines))
    order = None
    if new.lines:
        order = write_orders(
            orders=[replace(new, kind=kind)], channel=channel, at=at, actor_id=actor_id
        )[0]
    wishes = [
        _promised(each.wish, kept)
        for each, kept in zip(planned, quoted, strict=True)
        if each.wish is not None
    ]
    if wishes:
        order = change_services(
            account_id=quote.account_id,
            wishes=wishes,
            at=at,
            actor_id=actor_id,
            channel=channel,
            note=new.note,
            po_number=new.po_number,
            quote_id=quote.pk,
            kind=kind,
            to=order,
        ).order
    order = _agree(quote, planned, quoted, order, kind=kind, channel=channel, at=at, by=actor_id)
    assert order is not None
    return order


def _refuse_changed(planned: Sequence[Planned], quoted: Sequence[QuotedChange]) -> None:
    for each, kept in zip(planned, quoted, strict=True):
        if _has_changed(each.chain, kept.revision):
            message = _("%(item)s was changed since this was offered; ask for a new offer.")
            refusal = ChangedMeanwhile(message % {"item": each.item}, field="item")
            refusal.field = line_field(each.index, refusal)
            raise refusal


def _has_changed(chain: Chain, revision: int | None) -> bool:
    """Whether it was changed since; that more of it was delivered changes nothing of it."""
    if chain.root.revision == revision:
        return False
    since = [c for c in chain.changes if revision is None or c.revision > revision]
    return not since or any(c.act != Act.PART for c in since)


def _kind(changes: Sequence[ChangeInput], *, with_additions: bool) -> Order.Kind:
    actions = {change.action for change in changes}
    if with_additions or len(actions) != 1:
        return Order.Kind.CHANGE
    return KINDS.get(actions.pop(), Order.Kind.CHANGE)


def _promised(wish: Wish, kept: QuotedChange) -> Wish:
    """The wish at the price that was promised, and only if leaving costs what was said."""
    line = kept.line
    alone = wish.act in (Act.TERMS, Act.QUANTITY, Act.END)
    told = replace(wish, quote_line_id=line.pk if alone else None, revision=kept.revision)
    if wish.act == Act.END:
        return replace(told, fee=kept.fee)
    if wish.act != Act.TERMS:
        return told
    return replace(told, promised=_priced(line))


def _priced(line: QuoteLine) -> Priced:
    assert line.terms_id is not None  # a sent quote's lines all have Terms
    return Priced(
        version_id=line.product_version_id,
        quantity=line.quantity,
        terms_id=line.terms_id,
        characteristics=line.characteristics,
        plan_id=plan_of(line.product_version.product_id),
        book_version_id=line.book_version_id,
        contract_id=line.contract_id,
        why=list(line.why),
    )


def _agree(
    quote: Quote,
    planned: Sequence[Planned],
    quoted: Sequence[QuotedChange],
    order: Order | None,
    *,
    kind: Order.Kind,
    channel: str,
    at: datetime,
    by: int | None,
) -> Order | None:
    """The terms that the quote agrees, as lines of the same order."""
    agreeing = [
        (each, kept) for each, kept in zip(planned, quoted, strict=True) if each.term is not None
    ]
    if not agreeing:
        return order
    items = [each.change.item_id for each, _kept in agreeing]
    services = open_services(quote.account_id, items, at=at)
    new = []
    for each, kept in agreeing:
        served, change = services[each.change.item_id], each.change
        if change.action == Action.CO_TERM:
            term = co_termed(served, change.to) if change.to else None
        else:
            term = committed(served, commit_of(change, served.running, each.on))
        if term is not None:
            # Where its price changes too, that line is the one that was quoted.
            line_id = None if each.wish else kept.line_id
            new.append(replace(term, quote_line_id=line_id))
    written = write_new(
        new, at=at, actor_id=by, channel=channel, quote_id=quote.pk, to=order, kind=kind
    )
    return written[0].order_line.order
