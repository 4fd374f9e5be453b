"""The last step of a delivered change: the facts are told, if the service is what it was."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from o2b import clock
from o2b.errors import Refused
from orders.fulfilment.handlers import Handler
from orders.fulfilment.outcomes import Done, Failed, Job, Outcome
from orders.models import LineAction, OrderLine
from subscriptions.models import Act, Item
from subscriptions.services import install
from subscriptions.timelines.chains import chains_of, lock_chains, roots_of
from subscriptions.timelines.services import NewFact, tell_facts


def change_service(job: Job) -> Outcome:
    """Change what is in service as the line says, from today or from its later day on.

    A service that was changed since the order was placed is left as it is: people look at it.
    """
    line = OrderLine.objects.select_related("account__test_clock").get(pk=job.line_id)
    if line.action == LineAction.START or line.change_on is None or line.in_service is None:
        return Failed("the line changes nothing that is in service")
    root_id = roots_of([line.in_service["item_id"]])[line.in_service["item_id"]]
    lock_chains([root_id])
    root = Item.objects.get(pk=root_id)
    if _has_changed(root, line.in_service["revision"]):
        message = _("%(item)s was changed since this was ordered; cancel the line, order it anew.")
        return Failed(message % {"item": line.in_service["item"]})
    on = max(line.change_on, clock.day(line.account, job.at))
    if chains_of([root_id])[root_id].holder_on(on).account_id != line.account_id:
        message = _("%(item)s is another account's by now; cancel the line, order it anew there.")
        return Failed(message % {"item": line.in_service["item"]})
    fact = NewFact(
        act=Act(line.action),
        on=on,
        order_line_id=line.pk,
        **_told(line, line.in_service),
    )
    try:
        with transaction.atomic():
            # First, so that what is used by a new serial is known to be of its service.
            install([(root, line.pk, on)])
            tell_facts({root_id: [fact]}, at=job.at)
    except Refused as refusal:
        return Failed(str(refusal))
    return Done()


def _has_changed(root: Item, revision: int) -> bool:
    """Whether it was changed since; that more of it was delivered changes nothing of it."""
    if root.revision == revision:
        return False
    return root.changes.filter(revision__gt=revision).exclude(act=Act.PART).exists()


def _told(line: OrderLine, found: Mapping[str, Any]) -> dict[str, Any]:
    """What the fact says: only that which the line changes."""
    quantity = line.quantity if line.quantity != Decimal(found["quantity"]) else None
    match line.action:
        case LineAction.TERMS:
            return {
                "product_version_id": line.product_version_id,
                "terms_id": line.terms_id,
                "quantity": quantity,
            }
        case LineAction.REPLACE:
            return {"product_version_id": line.product_version_id}
        case LineAction.QUANTITY:
            return {"quantity": line.quantity}
    return {}


def _faults(parameters: Mapping[str, Any]) -> list[str]:
    return [_("This step is laid by itself, for orders that change what is in service.")]


CHANGE_SERVICE = Handler(run=change_service, instant=True, writes=True, faults=_faults)
