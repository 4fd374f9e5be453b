"""Wallets are refilled by a standing order: set by somebody, placed when too little is left."""

import logging
from collections.abc import Callable, Collection
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from django.db import transaction
from django.utils.translation import gettext as _

from billing.models import TopUp, TopUpOrder, Wallet
from billing.wallets.selectors.reading import standing_of
from billing.wallets.selectors.topups import asked_before, settled_orders
from billing.wallets.services.checking import TopUpInvalid, checked_refill
from o2b import clock, events, fsm
from o2b.charging.refills import Refill, is_due
from o2b.customers.models import Account
from o2b.errors import Refused
from o2b.money import quantise
from o2b.people.models import Topic
from o2b.people.notices.services import tell
from o2b.web.show import money_text
from orders.entry.services import enter_order
from orders.models import Order
from quotes.inputs import LineInput
from quotes.together import NOTHING

TOO_BIG = Decimal(10) ** 12
MOST_A_MONTH = 100
PLACE_ORDERS = "orders.place_order"
UNFORESEEN = (ArithmeticError, LookupError, TypeError, ValueError)
AlreadyOf = Callable[[int], Collection[str]]
log = logging.getLogger(__name__)


class TopUpNotOpen(Refused):
    code = "top_up_not_open"


@transaction.atomic
def set_top_up(
    *,
    wallet_id: int,
    below: Decimal | str,
    product: str,
    quantity: Decimal | str,
    most_a_month: int,
    user_id: int,
    at: datetime,
    already: Collection[str] = NOTHING,
) -> TopUp:
    """From now on order `quantity` of a product whenever less than `below` is left.

    `already` are the products that the account has. Raises TopUpInvalid: what it may not order,
    what costs something every month, and an order that brings less than `below`.
    """
    rows = Wallet.objects.select_for_update(of=("self",), no_key=True)
    wallet = rows.select_related("account__test_clock", "account__legal_entity").get(pk=wallet_id)
    if not 1 <= most_a_month <= MOST_A_MONTH:
        message = _("From 1 to %(most)s times a month.") % {"most": MOST_A_MONTH}
        raise TopUpInvalid(message, field="most_a_month")
    line = _number(below, "below")
    if quantise(line, wallet.currency) != line:
        message = _("This is finer than an amount of %(currency)s.")
        raise TopUpInvalid(message % {"currency": wallet.currency}, field="below")
    day = clock.day(wallet.account, at)
    ordered, brings = checked_refill(
        wallet.account, product, _number(quantity, "quantity"), on=day, already=already
    )
    if brings.currency != wallet.currency:
        message = _("The account pays in %(currency)s by now: nothing comes into this wallet.")
        raise TopUpInvalid(message % {"currency": brings.currency}, field="product")
    if brings.amount < line:
        message = _("One order brings %(amount)s: less than the limit. Order more.")
        shown = money_text(brings.amount, brings.currency)
        raise TopUpInvalid(message % {"amount": shown}, field="quantity")
    top_up, _made = TopUp.objects.update_or_create(
        wallet=wallet,
        defaults={
            "below": line,
            "product_id": ordered.product_version.product_id,
            "quantity": ordered.quantity,
            "most_a_month": most_a_month,
            "user_id": user_id,
            "active": True,
            "set_at": at,
        },
    )
    events.record(
        "wallet_top_up.set",
        wallet,
        at=at,
        actor_id=user_id,
        below=f"{top_up.below:f}",
        product=product,
        quantity=f"{top_up.quantity:f}",
        most_a_month=most_a_month,
    )
    return top_up


@transaction.atomic
def stop_top_up(*, wallet_id: int, at: datetime, actor_id: int | None) -> None:
    """No more orders; one that is under way goes on."""
    top_up = TopUp.objects.select_for_update().filter(wallet=wallet_id, active=True).first()
    if top_up is not None:
        top_up.active = False
        top_up.save(update_fields=["active"])
        events.record("wallet_top_up.stopped", top_up.wallet, at=at, actor_id=actor_id)


@transaction.atomic
def top_up(*, wallet_id: int, machine_now: datetime, already_of: AlreadyOf) -> TopUpOrder | None:
    """Look at one wallet: settle what was ordered, and order if it is due.

    `already_of` tells the products that an account has.

    The account's row is held, so that two that look at once order once; the order and the row that
    tells of it are one transaction.
    """
    wallet = Wallet.objects.get(pk=wallet_id)
    rows = Account.objects.select_related("test_clock", "legal_entity")
    account = rows.select_for_update(of=("self",), no_key=True).get(pk=wallet.account_id)
    wallet.account = account
    at = account.test_now or machine_now
    today = clock.day(account, at)
    rule = TopUp.objects.select_related("product", "user").filter(wallet=wallet).first()
    if rule is None:
        return None
    _settle(rule, account, today, at)
    if not rule.active:
        return None
    left = standing_of(wallet, today=today).left.amount
    refill = Refill(rule.below, rule.most_a_month)
    if not is_due(refill, left, asked_before(wallet), today=today):
        return None
    asked = TopUpOrder(wallet=wallet, account_id=account.pk, on=today, asked_at=at, left=left)
    try:
        asked.order = _order(rule, account, at, already_of(account.pk))
    except (Refused, *UNFORESEEN) as fault:
        if not isinstance(fault, Refused):
            log.exception("top-up of wallet %s", wallet.pk)
        text = fault.message if isinstance(fault, Refused) else f"{type(fault).__name__}: {fault}"
        asked.error = text.replace("\0", "")[:500]
        asked.save()
        fsm.apply(asked, "fail", at=at, refusal=TopUpNotOpen)
    else:
        asked.save()
        events.record(
            "wallet_top_up.ordered",
            asked,
            at=at,
            actor_id=rule.user_id,
            order=asked.order.pk,
            left=f"{left:f}",
        )
    _tell(rule, asked, account, at)
    return asked


def _settle(rule: TopUp, account: Account, today: date, at: datetime) -> None:
    """A refill is over when its money is usable, or its order called off or billed for nothing."""
    open_ = TopUpOrder.objects.select_for_update().filter(
        wallet=rule.wallet_id, state=TopUpOrder.State.OPEN
    )
    for asked in open_:
        verb = settled_orders(asked, today=today)
        if verb == "fail":
            asked.error = _("The order was delivered and billed, and brought no money.")
            asked.save(update_fields=["error"])
        if verb:
            fsm.apply(asked, verb, at=at, refusal=TopUpNotOpen)
        if verb == "fail":
            _tell(rule, asked, account, at)


def _order(rule: TopUp, account: Account, at: datetime, already: Collection[str]) -> Order:
    """Through the door of all orders without a quote; a refusal leaves nothing of it behind."""
    if not (rule.user.is_active and rule.user.has_perm(PLACE_ORDERS)):
        message = _("%(user)s, whose standing order it is, may not place orders.")
        raise TopUpInvalid(message % {"user": rule.user}, field="user")
    product, day = rule.product.code, clock.day(account, at)
    with transaction.atomic():
        checked_refill(account, product, rule.quantity, on=day, already=already)
        return enter_order(
            account_id=account.pk,
            lines=[LineInput(product, rule.quantity)],
            at=at,
            actor_id=rule.user_id,
            channel=Order.Channel.BULK,
            note=_("Top-up of prepaid credit %(wallet)s.") % {"wallet": f"W-{rule.wallet_id}"},
            already=already,
        )


def _tell(rule: TopUp, asked: TopUpOrder, account: Account, at: datetime) -> None:
    """The advocate hears of it, whichever way it went."""
    words = {"account": account.name, "left": money_text(asked.left, account.currency)}
    failed = asked.state == TopUpOrder.State.FAILED
    if failed:
        title = _("Prepaid credit of %(account)s was not topped up") % words
        text = asked.error
    else:
        title = _("Prepaid credit of %(account)s is topped up") % words
        text = _("%(left)s were left. What was ordered is usable once it is billed.") % words
    tell(
        user_ids={account.advocate_id, rule.user_id},
        topic=Topic.RENEWALS,
        key=f"top_up:{asked.pk}:failed" if failed and asked.order_id else f"top_up:{asked.pk}",
        title=title,
        text=text,
        url=asked.wallet.get_absolute_url(),
        tone="bad" if failed else "",
        at=at,
    )


def _number(value: Decimal | str, field: str) -> Decimal:
    try:
        number = Decimal(value)
    except (InvalidOperation, ValueError, TypeError):
        raise TopUpInvalid(_("This is no number."), field=field) from None
    if not number.is_finite() or not 0 < number < TOO_BIG:
        raise TopUpInvalid(_("It must be more than zero, and not that large."), field=field)
    return number
