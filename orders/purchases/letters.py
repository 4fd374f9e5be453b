"""What vendors are written: an order, or that it is called off."""

from django.utils.translation import gettext as _

from o2b.web.show import day_text, number_text
from orders.models import PurchaseOrder


def order_letter(purchase: PurchaseOrder) -> tuple[str, str]:
    """Subject and text that go with the document."""
    seller = purchase.account.legal_entity
    told = _told(purchase)
    lines = [
        _("Please deliver %(quantity)s × %(item)s.") % told,
        _("We expect it on %(day)s.") % {"day": day_text(purchase.expected_on)}
        if purchase.expected_on
        else "",
        _("The order is attached; please name %(number)s with what you send.") % told,
        seller.name,
    ]
    subject = _("Order %(number)s of %(seller)s") % told
    return subject, "\n\n".join(filter(None, lines)) + "\n"


def cancellation_letter(purchase: PurchaseOrder) -> tuple[str, str]:
    told = _told(purchase)
    lines = [
        _("We cancel our order %(number)s: %(quantity)s × %(item)s.") % told,
        _("Please send nothing more, and confirm.") % told,
        told["seller"],
    ]
    return _("Order %(number)s is cancelled") % told, "\n\n".join(lines) + "\n"


def _told(purchase: PurchaseOrder) -> dict[str, str]:
    return {
        "number": purchase.number,
        "item": purchase.item,
        "quantity": number_text(purchase.quantity.normalize()),
        "seller": purchase.account.legal_entity.name,
    }
