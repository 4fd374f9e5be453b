"""Wallets are refilled by a standing order: set by somebody, placed when too little is left."""

from datetime import datetime
from decimal import Decimal, InvalidOperation

from django.db import transaction
from django.utils.translation import gettext as _

from billing.models import TopUp, TopUpOrder, Wallet
from billing.wallets.selectors.reading import standing_of
from billing.wallets.selectors.topups import asked_before, product_that_brings_money, settled_orders
from o2b import clock, events, fsm
from o2b.charging.refills import Refill, is_due
from o2b.customers.models import Account
from o2b.errors import Invalid, Refused
from o2b.money import quantise
from o2b.people.models import Topic
from o2b.people.notices.services import tell
from o2b.web.show import money_text
from orders.entry.services import enter_order
from orders.models import Order
from quotes.inputs import LineInput

TOO_BIG = Decimal(10) ** 12
MOST_A_MONTH = 100
PLACE_ORDERS = "orders.place_order"


class TopUpInvalid(Invalid):
    code = "top_up_invalid"


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
) -> TopUp:
    """From now on order `quantity` of a product whenever less than `below` is left."""
    wallet = Wallet.objects.select_for_update(no_key=True).get(pk=wallet_id)
    found = product_that_brings_money(product)
    if found is None:
        message = _("No product on sale has this code and brings prepaid money.")
        raise TopUpInvalid(message, field="product")
    if not 1 <= most_a_month <= MOST_A_MONTH:
        message = _("From 1 to %(most)s times a month.") % {"most": MOST_A_MONTH}
        raise TopUpInvalid(message, field="most_a_month")
    line = _number(below, "below")
    if quantise(line, wallet.currency) != line:
        message = _("This is finer than an amount of %(currency)s.")
        raise TopUpInvalid(message % {"currency": wallet.currency}, field="below")
    top_up, _made = TopUp.objects.update_or_create(
        wallet=wallet,
        defaults={
            "below": line,
            "product": found,
            "quantity": _number(quantity, "quantity"),
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
        product=found.code,
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
def top_up(*, wallet_id: int, machine_now: datetime) -> TopUpOrder | None:
    """Look at one wallet: settle what was ordered, and order if it is due.

    The account's row is held, so that two that look at once order once; the order and the row that
    tells of it are one transaction.
    """
    wallet = Wallet.objects.get(pk=wallet_id)
    rows = Account.objects.select_related("test_clock", "legal_entity")
    account = rows.select_for_update(of=("self",), no_key=True).get(pk=wallet.account_id)
    wallet.account = account
    at = account.test_now or machine_now
    _settle(wallet, at)
    rule = TopUp.objects.select_related("product", "user").filter(wallet=wallet).first()
    if rule is None or not rule.active:
        return None
    today = clock.day(account, at)
    left = standing_of(wallet, today=today).left.amount
    refill = Refill(rule.below, rule.most_a_month)
    if not is_due(refill, left, asked_before(wallet), today=today):
        return None
    asked = TopUpOrder(wallet=wallet, account_id=account.pk, on=today, asked_at=at, left=left)
    try:
        asked.order = _order(rule, account, at)
    except Refused as refusal:
        asked.error = refusal.message[:500]
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


def _settle(wallet: Wallet, at: datetime) -> None:
    """A refill is over when its money came in, or its order was called off."""
    open_ = TopUpOrder.objects.select_for_update().filter(
        wallet=wallet, state=TopUpOrder.State.OPEN
    )
    for asked in open_:
        verb = settled_orders(asked)
        if verb:
            fsm.apply(asked, verb, at=at, refusal=TopUpNotOpen)


def _order(rule: TopUp, account: Account, at: datetime) -> Order:
    """Through the door of all orders without a quote; a refusal leaves nothing of it behind."""
    if not (rule.user.is_active and rule.user.has_perm(PLACE_ORDERS)):
        message = _("%(user)s, whose standing order it is, may not place orders.")
        raise TopUpInvalid(message % {"user": rule.user}, field="user")
    with transaction.atomic():
        return enter_order(
            account_id=account.pk,
            lines=[LineInput(rule.product.code, rule.quantity)],
            at=at,
            actor_id=rule.user_id,
            channel=Order.Channel.BULK,
            note=_("Top-up of prepaid credit %(wallet)s.") % {"wallet": f"W-{rule.wallet_id}"},
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
        key=f"top_up:{asked.pk}",
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
