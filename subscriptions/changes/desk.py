"""A service laid out to be changed: what it is now, and from which days a change may hold."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _

from o2b import clock
from o2b.catalog.models import ProductVersion
from o2b.customers.models import Account
from o2b.errors import Refused
from o2b.web.show import day_text
from subscriptions.changes.acts import Deed
from subscriptions.changes.days import period_end
from subscriptions.changes.leaving import term_end
from subscriptions.changes.refusals import NoPeriod
from subscriptions.changes.wishes import When
from subscriptions.models import Item
from subscriptions.rules.timeline import Span, span_on
from subscriptions.timelines.chains import Chain, chains_of


@dataclass(frozen=True, slots=True)
class Desk:
    """One service on the day its account lives in; `now` is what it is, was last, or begins as.

    `ends_on` is the first day after the period that runs, `term_ends_on` that after the term that
    was agreed, where there is one.
    """

    item: Item
    chain: Chain
    deed: Deed | None
    today: date
    now: Span
    version: ProductVersion
    characteristics: dict[str, Any]
    ends_on: date | None
    term_ends_on: date | None

    @property
    def account(self) -> Account:
        return self.item.account

    @property
    def is_in_use(self) -> bool:
        return self.now.in_use

    def days(self) -> Iterator[tuple[str, str]]:
        """From when a change may hold, in words."""
        yield When.NOW, _("From today, %(day)s") % {"day": day_text(self.today)}
        if self.ends_on:
            words = _("When the running period ends, on %(day)s")
            yield When.PERIOD_END, words % {"day": day_text(self.ends_on)}
        if self.term_ends_on:
            words = _("When the agreed term ends, on %(day)s")
            yield When.TERM_END, words % {"day": day_text(self.term_ends_on)}
        yield When.ON, _("On this day:")


def item_to_change(item_id: int) -> Item:
    """The item with all that its page shows; a missing one is a 404."""
    related = ("account__customer", "account__test_clock", "subscription")
    return Item.objects.select_related(*related, "product_version__product").get(pk=item_id)


def lay_out(item: Item, deed: Deed | None, *, at: datetime) -> Desk:
    """The service of the item as it stands at this moment."""
    root = item.root_id_or_own
    chain = chains_of([root])[root]
    today, spans = clock.day(item.account, at), chain.spans
    if not spans:
        raise NoPeriod(_("Of this service no day is left that could change."))
    now = span_on(spans, today) or (spans[0] if today < spans[0].period.start else spans[-1])
    return Desk(
        item=item,
        chain=chain,
        deed=deed,
        today=today,
        now=now,
        version=ProductVersion.objects.select_related("product").get(pk=now.product_version),
        characteristics=chain.characteristics_on(max(today, now.period.start)),
        ends_on=_day(lambda: period_end(chain.last, spans, today=today)),
        term_ends_on=_day(lambda: term_end(root, today=today)),
    )


def _day(found: Callable[[], date]) -> date | None:
    """The day, where there is one."""
    try:
        return found()
    except Refused:
        return None
