"""What customers may say to us: not nothing, not too much, and not too often."""

from django.utils.translation import gettext as _

from o2b.errors import Invalid, Refused
from orders.models import Order

LONGEST_TEXT, LONGEST_NAME = 4000, 120
# What one order's page may leave with us: so many unanswered, and so many a day.
MOST_UNANSWERED, MOST_A_DAY = 5, 20


class TooMany(Refused):
    """More than one order's customer has reason to send; whoever answers should come first."""

    code = "too_many"
    status = 429


class NothingSaid(Invalid):
    """A text that says nothing, or too much."""

    code = "nothing_said"


def said(text: str, *, field: str = "text", longest: int = LONGEST_TEXT) -> str:
    """The text without what Postgres refuses; nothing said, or too much, is refused."""
    clean = text.replace("\0", "").strip()
    if not clean:
        raise NothingSaid(_("Please say something."), field=field)
    if len(clean) > longest:
        message = _("Please say it in %(n)s characters at most.")
        raise NothingSaid(message % {"n": longest}, field=field)
    return clean


def lock_order(order_id: int) -> Order:
    """Two messages of one customer are counted one after the other."""
    locked = Order.objects.select_for_update(of=("self",), no_key=True)
    return locked.select_related("account__legal_entity", "account__advocate").get(pk=order_id)


def check_day(n: int) -> None:
    if n >= MOST_A_DAY:
        raise TooMany(_("That is enough for one day. Please call us, or come back tomorrow."))
