"""What one may do with payers: ask that others pay a part, approve it, end it."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from billing.charges.services import share_charges
from billing.models import PayerAgreement, PayerShare
from billing.payers.selectors import Share
from o2b import events, fsm
from o2b.customers.models import Account
from o2b.errors import Invalid, Refused
from o2b.money import sum_of
from o2b.web.show import day_text
from subscriptions.models import Item

LONGEST_REASON = 250
MOST_PAYERS = 20
PLACES = Decimal("0.000001")
LAST_DAY = date(2999, 12, 31)
FARTHEST_BACK = timedelta(days=10 * 366)


class PayersInvalid(Invalid):
    code = "payers_invalid"


class PayersNotOpen(Refused):
    code = "payers_not_open"


class OwnAgreement(Refused):
    code = "own_agreement"


class PayersOverlap(Refused):
    code = "payers_overlap"


@transaction.atomic
def ask_payers(
    *,
    account_id: int,
    shares: Sequence[Share],
    starts_on: date,
    reason: str,
    asked_by_id: int,
    at: datetime,
    service_id: int | None = None,
    ends_on: date | None = None,
) -> PayerAgreement:
    """Ask that others pay a part of an account, or of one service; nothing changes until agreed.

    `shares` are the payers in the order in which they are counted; the account pays the rest.
    `service_id` is any item of the service. `ends_on` is the first day outside.
    """
    account = Account.objects.get(pk=account_id)
    service = _service(account, service_id)
    told = [Share(each.payer, _percent(each.percent, n)) for n, each in enumerate(shares)]
    _check_payers(account, told)
    _check_days(starts_on, ends_on, at.date())
    agreement = PayerAgreement.objects.create(
        account=account,
        service=service,
        starts_on=starts_on,
        ends_on=ends_on,
        reason=_reason(reason),
        asked_by_id=asked_by_id,
        asked_at=at,
    )
    PayerShare.objects.bulk_create(
        PayerShare(agreement=agreement, position=n, payer_id=each.payer, percent=each.percent)
        for n, each in enumerate(told, start=1)
    )
    events.record(
        "payer_agreement.asked", agreement, at=at, actor_id=asked_by_id, **_facts(agreement)
    )
    return agreement


@transaction.atomic
def approve_payers(*, agreement_id: int, user_id: int, at: datetime) -> PayerAgreement:
    """Let the parts hold, not by who asked; what was billed since their start is corrected next.

    One that goes on when this one starts ends then. Raises PayersOverlap where another starts, or
    holds to its end, on days of this one.
    """
    agreement = _locked(agreement_id)
    if agreement.asked_by_id == user_id:
        raise OwnAgreement(_("Payers are approved by somebody else than who asked for them."))
    if agreement.state == PayerAgreement.State.ASKED:
        _make_room(agreement, user_id, at)
    _decide(agreement, "approve", user_id, at)
    share_charges(item_ids=_items(agreement))
    return agreement


@transaction.atomic
def refuse_payers(*, agreement_id: int, user_id: int, at: datetime) -> PayerAgreement:
    """Say no; who asked may only withdraw."""
    agreement = _locked(agreement_id)
    if agreement.asked_by_id == user_id:
        raise OwnAgreement(_("Who asked for payers withdraws it; somebody else refuses it."))
    _decide(agreement, "refuse", user_id, at)
    return agreement


@transaction.atomic
def withdraw_payers(*, agreement_id: int, user_id: int, at: datetime) -> PayerAgreement:
    """Take the question back; only who asked."""
    agreement = _locked(agreement_id)
    if agreement.asked_by_id != user_id:
        raise OwnAgreement(_("Only who asked for payers withdraws it."))
    _decide(agreement, "withdraw", user_id, at)
    return agreement


@transaction.atomic
def end_payers(
    *, agreement_id: int, ends_on: date, reason: str, user_id: int, at: datetime
) -> PayerAgreement:
    """The customer pays all of the periods that start on `ends_on` or later; may be a past day.

    An end only ever comes nearer: who shall pay longer agrees anew. On its first day it is undone.
    """
    agreement = _locked(agreement_id)
    if agreement.state != PayerAgreement.State.AGREED:
        raise PayersNotOpen(_("%(agreement)s holds for nobody.") % {"agreement": agreement})
    if ends_on < agreement.starts_on:
        message = _("It starts on %(day)s; end it on that day to undo it.")
        raise PayersInvalid(message % {"day": day_text(agreement.starts_on)}, field="ends_on")
    if ends_on > LAST_DAY or (agreement.ends_on is not None and ends_on >= agreement.ends_on):
        raise PayersInvalid(
            _("Its end can only come nearer; make another agreement for later days."),
            field="ends_on",
        )
    _end(agreement, ends_on, _reason(reason), user_id, at)
    share_charges(item_ids=_items(agreement))
    return agreement


def _end(agreement: PayerAgreement, ends_on: date, reason: str, user_id: int, at: datetime) -> None:
    agreement.ends_on, agreement.end_reason = ends_on, reason
    agreement.ended_by_id, agreement.ended_at = user_id, at
    agreement.save(update_fields=["ends_on", "end_reason", "ended_by", "ended_at"])
    events.record(
        "payer_agreement.ended", agreement, at=at, actor_id=user_id, ends_on=ends_on.isoformat()
    )


def _make_room(agreement: PayerAgreement, user_id: int, at: datetime) -> None:
    """The one before ends where this one starts; one that starts within its days is in the way."""
    others = PayerAgreement.objects.filter(
        account=agreement.account_id, service=agreement.service_id, state="agreed"
    ).exclude(ends_on__lte=agreement.starts_on)
    if agreement.ends_on is not None:
        others = others.filter(starts_on__lt=agreement.ends_on)
    for other in others.order_by("starts_on"):
        if other.ends_on is not None and other.ends_on <= other.starts_on:
            continue
        if other.starts_on >= agreement.starts_on or agreement.ends_on is not None:
            raise PayersOverlap(
                _("%(other)s holds on days of this one; end it first.") % {"other": other},
                field="starts_on",
                agreement=other.pk,
            )
        reason = _("Followed by %(agreement)s.") % {"agreement": agreement}
        _end(other, agreement.starts_on, reason, user_id, at)


def _locked(agreement_id: int) -> PayerAgreement:
    """With its account held: whoever opens a charge for it meanwhile waits, and sees the parts."""
    account_id = PayerAgreement.objects.values_list("account_id", flat=True).get(pk=agreement_id)
    account = Account.objects.select_for_update().get(pk=account_id)
    agreement = PayerAgreement.objects.select_for_update().get(pk=agreement_id)
    agreement.account = account
    return agreement


def _decide(agreement: PayerAgreement, verb: str, user_id: int, at: datetime) -> None:
    if agreement.state != PayerAgreement.State.ASKED:
        raise PayersNotOpen(
            _("%(agreement)s is %(state)s already.")
            % {"agreement": agreement, "state": agreement.get_state_display()}
        )
    fsm.apply(agreement, verb, at=at, by=user_id, refusal=PayersNotOpen, actor_id=user_id)


def _items(agreement: PayerAgreement) -> list[int]:
    """What it is about: also what has ended, for a past day may change what was billed."""
    items = Item.objects.filter(account=agreement.account_id)
    if agreement.service_id is not None:
        root = agreement.service_id
        items = items.filter(pk=root) | items.filter(root=root)
    return list(items.order_by("pk").values_list("pk", flat=True))


def _service(account: Account, item_id: int | None) -> Item | None:
    """The first item of the chain that an item of the account belongs to."""
    if item_id is None:
        return None
    item = Item.objects.select_related("root").filter(pk=item_id).first()
    chain = Item.objects.none()
    if item is not None:
        root = item.root_id_or_own
        chain = Item.objects.filter(pk=root) | Item.objects.filter(root=root)
    if item is None or not chain.filter(account=account).exists():
        raise PayersInvalid(_("The account has no such service."), field="service")
    return item.root or item


def _check_payers(account: Account, told: Sequence[Share]) -> None:
    if not told:
        raise PayersInvalid(_("Name who pays a part."), field="shares")
    if len(told) > MOST_PAYERS:
        message = _("At most %(n)s payers.") % {"n": MOST_PAYERS}
        raise PayersInvalid(message, field="shares")
    payers = Account.objects.in_bulk([each.payer for each in told])
    for n, each in enumerate(told):
        words = _why_not(account, payers.get(each.payer), {other.payer for other in told[:n]})
        if words:
            raise PayersInvalid(words, field=f"shares[{n}].payer")
    if sum_of(each.percent for each in told) > 100:
        last = f"shares[{len(told) - 1}].percent"
        raise PayersInvalid(_("Together they are more than 100 %."), field=last)


def _why_not(account: Account, payer: Account | None, before: set[int]) -> str:
    """Why an account cannot pay for another; nothing where it can."""
    if payer is None:
        return _("There is no such account.")
    if payer.pk == account.pk:
        return _("The account pays the rest anyway.")
    if payer.legal_entity_id != account.legal_entity_id:
        return _("%(payer)s is billed by another company of ours.") % {"payer": payer.name}
    if payer.currency != account.currency:
        return _("%(payer)s pays in %(other)s, not in %(currency)s.") % {
            "payer": payer.name,
            "other": payer.currency,
            "currency": account.currency,
        }
    return _("%(payer)s is named twice.") % {"payer": payer.name} if payer.pk in before else ""


def _check_days(starts_on: date, ends_on: date | None, today: date) -> None:
    if starts_on > LAST_DAY or starts_on < today - FARTHEST_BACK:
        raise PayersInvalid(_("Choose a day that is nearer."), field="starts_on")
    if ends_on is not None and (ends_on <= starts_on or ends_on > LAST_DAY):
        raise PayersInvalid(_("It must hold for a day at least."), field="ends_on")


def _percent(value: Decimal | str, n: int) -> Decimal:
    field = f"shares[{n}].percent"
    try:
        percent = Decimal(value)
    except (InvalidOperation, ValueError, TypeError):
        raise PayersInvalid(_("This is no number."), field=field) from None
    if not percent.is_finite() or not 0 < percent <= 100:
        raise PayersInvalid(_("A percent from more than 0 to 100."), field=field)
    if percent != percent.quantize(PLACES):
        raise PayersInvalid(_("At most six decimals."), field=field)
    return percent


def _reason(value: str) -> str:
    text = " ".join(value.replace("\0", "").split())
    if not text:
        raise PayersInvalid(_("Say why; who approves it reads this."), field="reason")
    if len(text) > LONGEST_REASON:
        raise PayersInvalid(_("At most %(n)s characters.") % {"n": LONGEST_REASON}, field="reason")
    return text


def _facts(agreement: PayerAgreement) -> dict[str, Any]:
    shares = agreement.shares.order_by("position").values_list("payer_id", "percent")
    return {
        "service": agreement.service_id,
        "starts_on": agreement.starts_on.isoformat(),
        "ends_on": agreement.ends_on and agreement.ends_on.isoformat(),
        "shares": [[payer, f"{percent.normalize():f}"] for payer, percent in shares],
    }
