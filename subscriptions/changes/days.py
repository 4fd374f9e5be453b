"""From which day a change holds: today, when the paid period or the term ends, or a named day."""

from collections.abc import Iterable
from datetime import date

from django.utils.translation import gettext as _

from o2b.charging import ChargeFacts, Kind, LineTerms, Segment
from o2b.charging.schedule import schedule_of
from o2b.periods import FOREVER, Period
from quotes.inputs import FIRST_YEAR, LAST_YEAR
from subscriptions.changes.leaving import term_end
from subscriptions.changes.pricing import Pen, Pencil, body_of
from subscriptions.changes.refusals import DayInvalid, NoPeriod
from subscriptions.changes.wishes import When, Wish
from subscriptions.models import Item
from subscriptions.rules.timeline import Span, span_on


def day_of(wish: Wish, item: Item, spans: Iterable[Span], *, today: date, pen: Pen) -> date:
    """The first day on which the wish holds, in the account's own calendar."""
    if wish.when is When.NOW:
        return today
    if wish.when is When.PERIOD_END:
        return period_end(item, list(spans), today=today, pen=pen)
    if wish.when is When.TERM_END:
        return term_end(item.root_id_or_own, today=today)
    if wish.on is None or not FIRST_YEAR <= wish.on.year <= LAST_YEAR:
        raise DayInvalid(_("Name the day from which it holds, for example 2026-03-15."), field="on")
    return wish.on


def period_end(item: Item, spans: list[Span], *, today: date, pen: Pen | None = None) -> date:
    """The first day after the period that runs today, by the longest of its recurring charges."""
    span = span_on(spans, today)
    if span is None or item.anchor_on is None:
        raise NoPeriod(_("No period runs today; name a day."), field="when")
    promised = body_of(span.terms, pen or Pencil())
    ends = list(_ends(promised, item, span, today))
    if not ends:
        raise NoPeriod(
            _("Nothing recurs under its Terms, so no period ends; name a day."), field="when"
        )
    return max(ends)


def _ends(promised: LineTerms, item: Item, span: Span, today: date) -> Iterable[date]:
    for charge in promised.charges:
        if charge.kind is not Kind.RECURRING or item.anchor_on is None:
            continue
        segment = Segment(Period(item.anchor_on, FOREVER), span.quantity)
        anchor = item.anchor_day or item.account.bill_day
        facts = ChargeFacts(0, charge, item.anchor_on, anchor, (segment,), None)
        schedule = schedule_of(facts, charge)
        if schedule is not None:
            yield schedule.period_on(max(today, schedule.begins_on)).end
