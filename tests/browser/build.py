"""Small worlds for browser tests; today is really today, for the browser has no other clock."""

from datetime import timedelta

from o2b import clock
from o2b.customers.models import Account
from quotes.models import Quote
from tests.factories import a_sent_quote


def an_open_offer(account: Account, **given: object) -> Quote:
    """A quote that the customer may accept today."""
    now = clock.now(account)
    until = clock.day(account, now) + timedelta(days=30)
    return a_sent_quote(account=account, at=now, valid_until=until, **given)
