"""Renew by hand, before the day comes: the next term is agreed, at the price of that day."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from o2b.periods import FOREVER
from o2b.web.show import day_text
from orders.models import Order
from subscriptions.changes.leaving import running_of
from subscriptions.changes.refusals import ItemUnknown, SuspendedThen
from subscriptions.commitments import refusals as no
from subscriptions.commitments.services.renewal import Renewing
from subscriptions.commitments.services.renewing import carry_out
from subscriptions.commitments.services.writing import Served, open_services
from subscriptions.models import Commitment, Renewal, RenewalDue
from subscriptions.rules.checks import AfterEnd
from subscriptions.rules.timeline import span_on


@transaction.atomic
def renew_by_hand(
    *,
    account_id: int,
    item_ids: Sequence[int],
    at: datetime,
    actor_id: int | None,
    channel: str = Order.Channel.SCREEN,
) -> list[Commitment]:
    """Renew terms now that would end by themselves later; refuses all if one cannot be."""
    services = open_services(account_id, item_ids, at=at)
    roots = {service.chain.root.pk for service in services.values()}
    rows = RenewalDue.objects.select_related("commitment", "item").in_bulk(roots)
    renewing = [_renewing(each, rows.get(each.chain.root.pk)) for each in services.values()]
    for _each, exc in carry_out(renewing, at=at, actor_id=actor_id, channel=channel):
        raise exc
    running = running_of(roots)
    return [running[pk] for pk in sorted(running)]


def _renewing(service: Served, due: RenewalDue | None) -> Renewing:
    chain = service.chain
    if due is None or due.commitment.renewal == Renewal.END:
        message = _("%(item)s has no term that would be renewed.")
        raise no.NothingToRenew(message % {"item": chain.last}, field="item")
    end = service.spans[-1].period.end
    if end != FOREVER:
        message = _("It ends on %(end)s; take that back first.")
        raise AfterEnd(message % {"end": day_text(end)}, field="item")
    on = due.due_on
    now = span_on(service.spans, on)
    if now is not None and now.account != service.account.pk:
        message = _("On %(on)s another account has it; it is renewed there.")
        raise ItemUnknown(message % {"on": day_text(on)}, field="item")
    if now is None or not now.in_use:
        message = _("On %(on)s %(item)s is suspended; it is renewed when it returns.")
        told = {"on": day_text(on), "item": chain.last}
        raise SuspendedThen(message % told, field="item")
    return Renewing(due, chain, service.account, now, on)
