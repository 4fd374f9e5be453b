"""The first day of service: what was agreed, what was delivered, and which of both counts."""

from datetime import date

from o2b.charging import StartRule


def first_day(rule: str, *, agreed_on: date | None, delivered_on: date, placed_on: date) -> date:
    """The first day that is paid, by the start rule of the line's Terms.

    On a date: the agreed day if it was delivered by then, else the day of delivery. An agreed day
    before the order was placed says that the service was there already, as one that is taken over
    from another system: it stands as it is. A date that nobody named is the day of delivery.

    >>> jan = lambda day: date(2026, 1, day)
    >>> ordered = {"agreed_on": jan(10), "placed_on": jan(2)}
    >>> first_day("on_date", delivered_on=jan(5), **ordered).day
    10
    >>> first_day("on_date", delivered_on=jan(21), **ordered).day
    21
    >>> first_day("on_date", delivered_on=jan(21), agreed_on=jan(1), placed_on=jan(2)).day
    1
    """
    if rule != StartRule.ON_DATE or agreed_on is None:
        return delivered_on
    return agreed_on if agreed_on < placed_on else max(agreed_on, delivered_on)
