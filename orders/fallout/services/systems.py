"""Outside systems by hand, and the tasks that wait for one to be asked again."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from o2b import events, fsm
from orders.fallout import breaker
from orders.fallout.selectors import known_codes
from orders.fulfilment.services.hand.checks import check_reason
from orders.fulfilment.services.scene import GOING
from orders.models import Order, OrderLine, OutsideSystem, Task

S, L, T = OutsideSystem.State, OrderLine.State, Task.State
AT_ONCE = 1000


@transaction.atomic
def open_system(*, code: str, reason: str, user_id: int, at: datetime) -> OutsideSystem:
    """Ask a system no more until a person closes the circuit again; its tasks wait."""
    system = _locked(code)
    why = check_reason(reason)
    if system.by_hand:
        message = _("%(system)s is not asked already.")
        raise breaker.SystemNotSo(message % {"system": system})
    system.by_hand, system.retry_at, system.last_error = True, None, why
    facts: dict[str, Any] = {"reason": why, "by_hand": True}
    if system.state == S.OPEN:
        system.save()
        events.record("system.opened", system, at=at, actor_id=user_id, **facts)
        return system
    fsm.apply(system, "trip", at=at, refusal=breaker.SystemNotSo, actor_id=user_id, facts=facts)
    return system


@transaction.atomic
def close_system(*, code: str, user_id: int, at: datetime) -> OutsideSystem:
    """Ask a system again, whatever it said before; what waited for it is woken."""
    system = _locked(code)
    if system.state == S.CLOSED:
        message = _("%(system)s is asked already.")
        raise breaker.SystemNotSo(message % {"system": system})
    fsm.apply(system, "recover", at=at, refusal=breaker.SystemNotSo, actor_id=user_id)
    return system


def _locked(code: str) -> OutsideSystem:
    """The row of a system; one that handlers know and that never failed gets its row now."""
    if code in known_codes():
        breaker.know([code])
    return OutsideSystem.objects.select_for_update().get(code=code)


def wake_system(*, system_id: int, at: datetime) -> int:
    """Wake the orders with tasks that waited for a system; returns how many.

    Those that are left when they are very many are woken by the clock.
    """
    code = OutsideSystem.objects.values_list("code", flat=True).get(pk=system_id)
    waiting = Task.objects.filter(
        system=code, state__in=[T.READY, T.RUNNING], line__state__in=(*GOING, L.CANCELLING)
    )
    found = waiting.order_by("order_id").values_list("order_id", "account_id").distinct()
    orders = [Order(pk=order, account_id=account) for order, account in found[:AT_ONCE]]
    if orders:
        events.record_many("order.woken", orders, at=at)
    return len(orders)
