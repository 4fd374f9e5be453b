"""From what is wanted of services to wishes and terms, checked line by line; nothing is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _

from o2b.catalog.models import ProductVersion
from o2b.catalog.quantities import check_quantity
from o2b.customers.models import Account
from o2b.errors import Refused
from o2b.web.show import day_text
from subscriptions.changes.leaving import check_leaving_notice, running_of
from subscriptions.changes.refusals import DayInvalid, NothingChanges
from subscriptions.changes.services import chains_for, line_field, roots_for
from subscriptions.changes.wishes import When, Wish
from subscriptions.commitments.checks import check_day
from subscriptions.commitments.services.agreeing import Commit, co_termed, committed
from subscriptions.commitments.services.writing import New, Served
from subscriptions.models import Act, Commitment, Item, LeavingFee, Renewal
from subscriptions.quoting import refusals as no
from subscriptions.quoting.inputs import CHANGING, Action, ChangeInput, PriceOf
from subscriptions.rules.checks import AfterEnd
from subscriptions.rules.timeline import Span, span_on
from subscriptions.timelines.chains import Chain

MOST_CHANGES = 100


@dataclass(frozen=True, slots=True)
class Planned:
    """One line: the service as it is on the day, the wish for it, and the term that is agreed."""

    index: int
    change: ChangeInput
    on: date
    chain: Chain
    now: Span
    version: ProductVersion
    wish: Wish | None
    term: New | None

    @property
    def item(self) -> Item:
        """The item by which the account that asks has it."""
        return next(item for item in self.chain.items if item.pk == self.change.item_id)


@dataclass(frozen=True, slots=True)
class Days:
    """From when a quote counts, until when it can be accepted, and today in the account's life."""

    on: date
    latest: date
    today: date


def plan(account: Account, changes: Sequence[ChangeInput], days: Days) -> list[Planned]:
    """Every line of a quote that changes a service; refuses the first fault, by its line."""
    if len(changes) > MOST_CHANGES:
        message = _("At most %(most)s services are possible.")
        raise no.TooManyChanges(message % {"most": MOST_CHANGES}, field="changes")
    roots = roots_for(account, [change.item_id for change in changes])
    chains = chains_for(roots)
    running = running_of(set(roots.values()))
    keys = {span.product_version for chain in chains.values() for span in chain.spans}
    versions = ProductVersion.objects.select_related("product").in_bulk(keys)
    seen: set[int] = set()
    found = []
    for index, change in enumerate(changes):
        chain = chains[change.item_id]
        try:
            if chain.root.pk in seen:
                message = _("%(item)s stands on another line already.")
                raise no.ServiceTwice(message % {"item": chain.item_of(account.pk)}, field="item")
            seen.add(chain.root.pk)
            served = Served(chain, chain.spans, account, days.today, running.get(chain.root.pk))
            found.append(_planned(index, change, served, versions, days))
        except Refused as refusal:
            refusal.field = line_field(index, refusal)
            raise
    return found


def _planned(
    index: int,
    change: ChangeInput,
    served: Served,
    versions: Mapping[int, ProductVersion],
    days: Days,
) -> Planned:
    if change.action not in CHANGING:
        message = _("Say what is to be done: %(choices)s.")
        told = {"choices": ", ".join(CHANGING)}
        raise no.ActionInvalid(message % told, field="action")
    on = _day(change, served, days)
    now = span_on(served.spans, on)
    if now is None:
        message = _("On %(on)s %(item)s is out of service.")
        told = {"on": day_text(on), "item": str(served.chain.item_of(served.account.pk))}
        raise AfterEnd(message % told, field="on")
    version = versions[now.product_version]
    wish = _wish(change, served, now, version, on, days)
    term = _term(change, served, on)
    if wish is None and term is None:
        raise NothingChanges(_("Name what becomes different."), field="product")
    return Planned(index, change, on, served.chain, now, version, wish, term)


def _day(change: ChangeInput, served: Served, days: Days) -> date:
    """The line's own day; a renewal begins where the term that runs ends."""
    on = change.on
    if on is None:
        running = served.running
        follows = change.action == Action.RENEW and running is not None and running.ends_on
        on = running.ends_on if follows and running and running.ends_on else days.on
        on = max(on, days.on)
    check_day(on, field="on")
    if on < days.on:
        message = _("The offer counts from %(day)s; nothing of it can hold earlier.")
        raise DayInvalid(message % {"day": day_text(days.on)}, field="on")
    return on


def _wish(
    change: ChangeInput,
    served: Served,
    now: Span,
    version: ProductVersion,
    on: date,
    days: Days,
) -> Wish | None:
    """What becomes of the service itself; None where only its term does."""
    wish = Wish(
        item_id=change.item_id,
        act=Act.TERMS,
        when=When.ON,
        on=on,
        reason=change.reason,
        offered=True,
    )
    if change.action == Action.END:
        check_leaving_notice(served.running, today=days.latest, on=on)
        return replace(wish, act=Act.END)
    if change.action == Action.CO_TERM:
        return None
    if change.price not in list(PriceOf):
        message = _("Say which price counts: %(choices)s.")
        raise no.PriceInvalid(message % {"choices": ", ".join(PriceOf)}, field="price")
    code = change.product or version.product.code
    quantity = change.quantity
    if quantity is not None and code == version.product.code:
        quantity = check_quantity(version.product, quantity)
        quantity = None if quantity == now.quantity else quantity
    same = code == version.product.code and change.price == PriceOf.AGREED
    if same and not _is_discount(change) and not change.characteristics:
        return None if quantity is None else replace(wish, act=Act.QUANTITY, quantity=quantity)
    return replace(
        wish,
        product=code,
        quantity=quantity,
        characteristics=change.characteristics,
        discount_percent=change.discount_percent,
    )


def _is_discount(change: ChangeInput) -> bool:
    """Whether any is asked for; what is no number is refused where it is priced."""
    try:
        return Decimal(change.discount_percent) != 0
    except InvalidOperation:
        return True


def _term(change: ChangeInput, served: Served, on: date) -> New | None:
    """The term that the line agrees, checked as if it were agreed now."""
    if change.action == Action.CO_TERM:
        longer = co_termed(served, check_day(change.to, field="to"))
        if longer is None:
            raise NothingChanges(_("Its term ends on that day already."), field="to")
        return longer
    if change.action != Action.RENEW:
        return None
    return committed(served, commit_of(change, served.running, on))


def commit_of(change: ChangeInput, running: Commitment | None, on: date) -> Commit:
    """The renewal in the words of the term that runs, but for what the line says itself."""
    words: dict[str, Any] = {"renewal": Renewal.SAME}
    if running is not None:
        words = {
            "renewal": running.renewal,
            "uplift_percent": running.uplift_percent,
            "notice_days": running.notice_days,
            "leaving_fee": running.leaving_fee or LeavingFee.NONE,
            "leaving_value": running.leaving_value,
        }
    if change.renewal:
        words |= {"renewal": change.renewal, "uplift_percent": change.uplift_percent or 0}
    elif change.uplift_percent is not None:
        words["uplift_percent"] = change.uplift_percent
    if change.notice_days is not None:
        words["notice_days"] = change.notice_days
    months: Any = change.months
    return Commit(item_id=change.item_id, months=months, starts_on=on, **words)
