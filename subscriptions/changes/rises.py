"""A price that rises for who has the product already wants the notice of its price list."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.translation import gettext as _

from o2b.catalog.models import PriceBookVersion
from subscriptions.changes.pricing import Pen, body_of
from subscriptions.changes.refusals import NoticeTooShort
from subscriptions.changes.wishes import Priced
from subscriptions.models import PriceMove, RenewalDue
from subscriptions.rules.prices import dearer, rise_days
from subscriptions.timelines.chains import Chain


@dataclass(frozen=True, slots=True)
class Asked:
    """A price that is asked, and the pen that wrote its Terms."""

    priced: Priced
    pen: Pen


def check_rise(chain: Chain, terms_id: int, asked: Asked, *, on: date, today: date) -> None:
    """A list's new price that is dearer is told as long before as the list says.

    So is a step that makes it dearer on a later day. Where a letter or the advocate told it
    already, it counts from the day that they named.
    """
    priced = asked.priced
    versions = PriceBookVersion.objects.filter(pk=priced.book_version_id or 0)
    days = versions.values_list("notice_days", flat=True).first()
    began_on = chain.root.anchor_on
    if not days or began_on is None:
        return
    first = today + timedelta(days=days)
    if on >= first:
        return
    new, now = (body_of(key, asked.pen) for key in (priced.terms_id, terms_id))
    days_of_rise = [
        day
        for day in rise_days(new, on=on, until=first, began_on=began_on)
        if dearer(new, now, quantity=priced.quantity, on=day, began_on=began_on)
    ]
    if not days_of_rise:
        return
    told = _told_from(chain, priced.book_version_id, on)
    first = min(first, told) if told else first
    if days_of_rise[0] < first:
        message = _("A new price needs %(days)s days' notice.")
        raise NoticeTooShort(message % {"days": days}, field="on", first=first.isoformat())


def _told_from(chain: Chain, book_version_id: int | None, on: date) -> date | None:
    """From which day the price counts, as who has the service on the day was told."""
    root = chain.root.pk
    move = PriceMove.objects.filter(
        item=root,
        book_version=book_version_id,
        account=chain.holder_on(on).account_id,
        settled_on=None,
        letter_owed=False,
    ).first()
    if move is None:
        return None
    due = RenewalDue.objects.filter(item=root).values_list("due_on", flat=True).first()
    return max(move.moves_on, due) if move.at_renewal and due else move.moves_on
