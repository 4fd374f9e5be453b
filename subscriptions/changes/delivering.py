"""Changes that are delivered first: laid by the product's plan, and told with the last step."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from o2b.catalog.models import ProductVersion
from orders.changing.services import ChangeLine
from orders.laying.services import ChangePart, NewLine
from subscriptions.changes.refusals import NotDelivered, NotTogether
from subscriptions.changes.wishes import Wish
from subscriptions.models import Act

DELIVERED = (Act.TERMS, Act.REPLACE, Act.QUANTITY, Act.MOVE)


def check_deliverable(wishes: Sequence[Wish]) -> None:
    """Refuse to deliver what nothing is delivered for, or together with what is done at once.

    Of one service one change at a time is delivered: the first makes the service another one than
    the second was ordered for.
    """
    seen: set[int] = set()
    for index, wish in enumerate(wishes):
        if wish.act not in DELIVERED:
            message = _("For this nothing is delivered; order it without delivery.")
            raise NotDelivered(message, field=f"changes[{index}].deliver")
        if not wish.deliver:
            message = _("Order what is delivered apart from what is changed at once.")
            raise NotDelivered(message, field=f"changes[{index}].deliver")
        if wish.item_id in seen:
            message = _(
                "Two changes of one service are delivered one after the other; order apart."
            )
            raise NotTogether(message, field=f"changes[{index}].item")
        seen.add(wish.item_id)


def delivered_lines(changes: Sequence[ChangeLine]) -> list[NewLine]:
    """Lines whose plan delivers them; each keeps what was found of its service."""
    products = dict(
        ProductVersion.objects.filter(
            pk__in=[line.product_version_id for line in changes]
        ).values_list("pk", "product_id")
    )
    return [
        NewLine(
            product_id=products[line.product_version_id],
            product_version_id=line.product_version_id,
            quantity=line.quantity,
            characteristics=line.characteristics,
            terms_id=line.terms_id,
            book_version_id=line.book_version_id,
            contract_id=line.contract_id,
            quote_line_id=line.quote_line_id,
            change=ChangePart(line.action, line.change_on, line.in_service),
        )
        for line in changes
    ]
