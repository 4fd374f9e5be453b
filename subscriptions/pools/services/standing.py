"""The standing order of a pool: told, told anew, and ended."""

from collections.abc import Collection
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from o2b import clock, events
from o2b.charging import Kind
from o2b.charging.terms import TermsInvalid
from o2b.charging.terms.checks import check_positive
from o2b.errors import Invalid, Refused
from o2b.web.show import number_text
from quotes.inputs import CheckedLine, LineInput, check_lines
from quotes.selectors import price_lines
from quotes.together import NOTHING
from subscriptions.models import Pool, PoolRefill
from subscriptions.models.refills import MOST_A_MONTH
from subscriptions.pools.services.granting import MOST_UNITS, PLACES


class RefillRefused(Invalid):
    """A limit, product, quantity or number a month that cannot be."""

    code = "refill_refused"


@transaction.atomic
def set_refill(
    *,
    pool_id: int,
    below: Decimal,
    product: str,
    quantity: Decimal,
    most_a_month: int,
    at: datetime,
    by: int,
    already: Collection[str] = NOTHING,
) -> PoolRefill:
    """Whenever less than `below` is left, order so many of a product, by this person's word.

    Told anew, it forgets what it ordered before: if little is left now, it orders again.
    """
    pool = (
        Pool.objects.select_for_update(of=["self"])
        .select_related("account__test_clock")
        .get(pk=pool_id)
    )
    _check_limit(below)
    if not 1 <= most_a_month <= MOST_A_MONTH:
        message = _("A whole number from 1 to %(most)s.") % {"most": MOST_A_MONTH}
        raise RefillRefused(message, field="most_a_month")
    line, units = _checked(
        pool, product, quantity, day=clock.day(pool.account, at), already=already
    )
    if units < below:
        message = _("One order brings %(units)s units: fewer than the limit. Order more of them.")
        raise RefillRefused(message % {"units": number_text(units)}, field="quantity")
    refill, made = PoolRefill.objects.update_or_create(
        pool=pool,
        defaults={
            "below": below,
            "product_id": line.product_version.product_id,
            "quantity": line.quantity,
            "most_a_month": most_a_month,
            "active": True,
            "set_by_id": by,
            "set_at": at,
            "tried_on": None,
            "fault": "",
        },
    )
    if not made:
        refill.orders.filter(settled=False).update(settled=True)
    events.record(
        "pool.refill_set",
        pool,
        at=at,
        actor_id=by,
        below=f"{below:f}",
        product=product,
        quantity=f"{line.quantity:f}",
        most_a_month=most_a_month,
    )
    return refill


def _check_limit(below: Decimal) -> None:
    try:
        check_positive("below", below)
    except TermsInvalid as fault:
        raise RefillRefused(_("A number of units above zero."), field="below") from fault
    if below >= MOST_UNITS or below != round(below, PLACES):
        message = _("Below 10^12 and with at most %(places)s decimals.") % {"places": PLACES}
        raise RefillRefused(message, field="below")


def _checked(
    pool: Pool, product: str, quantity: Decimal, *, day: date, already: Collection[str]
) -> tuple[CheckedLine, Decimal]:
    """The line as it would be ordered today, and the units of the pool's meter that it brings."""
    try:
        lines = [LineInput(product=product, quantity=quantity)]
        (line,) = check_lines(lines, account=pool.account, already=already)
        priced = price_lines(account=pool.account, wanted=[line.wanted], on=day, start_on=None)
    except Refused as refusal:
        field = "quantity" if str(refusal.field).endswith("quantity") else "product"
        raise RefillRefused(refusal.message, field=field) from refusal
    charges = priced.resolutions[0].terms.charges
    if any(each.kind is Kind.RECURRING for each in charges):
        message = _("%(product)s costs something every month: each order would add to it for good.")
        raise RefillRefused(message % {"product": product}, field="product")
    grants = [each.grant for each in charges if each.grant and each.grant.meter == pool.meter]
    if not grants:
        message = _("%(product)s brings no units of %(meter)s.")
        raise RefillRefused(message % {"product": product, "meter": pool.meter}, field="product")
    units = sum((g.units * (line.quantity if g.per_unit else 1) for g in grants), Decimal(0))
    return line, units


@transaction.atomic
def stop_refill(*, pool_id: int, at: datetime, by: int) -> PoolRefill:
    """Order no more by itself; what is on its way stays ordered."""
    refill = (
        PoolRefill.objects.select_for_update(of=["self"]).select_related("pool").get(pool=pool_id)
    )
    if refill.active:
        refill.active = False
        refill.save(update_fields=["active"])
        events.record("pool.refill_stopped", refill.pool, at=at, actor_id=by)
    return refill
