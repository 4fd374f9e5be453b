"""The letter that thanks a customer for an order, with the link to follow it by."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import override

from o2b import events
from o2b.customers.models import Contact
from o2b.customers.selectors import language_of, written_to
from o2b.people.notices.gateways import Letter, post
from orders.care.links import address
from orders.models import Order

GIVEN_UP_AFTER = timedelta(days=2)


def mail_tracking_links(*, owed: Mapping[int, Sequence[int]], machine_now: datetime) -> int:
    """Mail the link of each order to who may sign for the customer, or else to any contact.

    What the server refuses is given up; when it does not answer, the rest stays owed.
    """
    letters = list(_letters(owed, machine_now))
    events.done(pk for key in owed.keys() - dict(letters).keys() for pk in owed[key])
    tried = sent = 0
    for fault in post([letter for key, letter in letters]):
        events.done(owed[letters[tried][0]])
        tried += 1
        sent += not fault
    events.hand_back(pk for key, letter in letters[tried:] for pk in owed[key])
    return sent


def _letters(
    owed: Mapping[int, Sequence[int]], machine_now: datetime
) -> Iterator[tuple[int, Letter]]:
    related = ("account__customer", "account__legal_entity", "account__advocate")
    orders = Order.objects.select_related(*related).filter(
        pk__in=owed, placed_at__gt=machine_now - GIVEN_UP_AFTER
    )
    contacts = written_to({order.account.customer_id for order in orders})
    for order in orders.order_by("pk"):
        if to := contacts.get(order.account.customer_id):
            with override(language_of(order.account.customer)):
                yield order.pk, _letter(order, to)


def _letter(order: Order, contact: Contact) -> Letter:
    told = {
        "who": contact.name,
        "order": order,
        "link": address(order.pk),
        "advocate": order.account.advocate,
        "seller": order.account.legal_entity,
    }
    text = _(
        "Dear %(who)s,\n\nthank you for your order %(order)s. Here you can follow it, ask us"
        " something, and tell us when something is not right:\n\n%(link)s\n\n%(advocate)s looks"
        " after it for you.\n\n%(seller)s\n"
    )
    return Letter(
        to=contact.email,
        subject=_("Your order %(order)s at %(seller)s") % told,
        body=text % told,
        key=f"order-{order.pk}-accepted",
    )
