"""Money by hand: somebody asks for it, a second person approves or refuses it."""

from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from django.db import transaction
from django.utils.translation import gettext as _

from billing.models import Posting, WalletGrant, WalletLot, WalletMovement
from billing.models.ledger import LedgerAccount
from billing.models.wallets import BY_HAND
from billing.wallets.services.filling import open_wallets
from o2b import clock, events, fsm
from o2b.charging.terms.granted import DEFAULT_PRIORITY, MOST_PRIORITY
from o2b.customers.models import Account
from o2b.errors import Invalid, Refused
from o2b.money import minor_unit, quantise

TOO_BIG = Decimal(10) ** 12
LAST_DAY = date(2999, 12, 31)
LONGEST_REASON = 250


class GrantInvalid(Invalid):
    code = "grant_invalid"


class GrantNotOpen(Refused):
    code = "grant_not_open"


class OwnGrant(Refused):
    code = "own_grant"


@transaction.atomic
def ask_grant(
    *,
    account_id: int,
    amount: Decimal | str,
    source: str,
    reason: str,
    asked_by_id: int,
    at: datetime,
    priority: int = DEFAULT_PRIORITY,
    ends_on: date | None = None,
) -> WalletGrant:
    """Ask for money for an account, in its currency; nothing moves until somebody approves it.

    `source` is promotion or goodwill; `ends_on` the first day on which what is left is gone.
    """
    account = Account.objects.select_related("test_clock").get(pk=account_id)
    grant = WalletGrant.objects.create(
        account=account,
        currency=account.currency,
        source=_source(source),
        amount=_amount(amount, account.currency),
        priority=_priority(priority),
        ends_on=_end(ends_on, after=clock.day(account, at)),
        reason=_reason(reason),
        asked_by_id=asked_by_id,
        asked_at=at,
    )
    events.record(
        "wallet_grant.asked", grant, at=at, actor_id=asked_by_id, amount=f"{grant.amount:f}"
    )
    return grant


@transaction.atomic
def approve_grant(*, grant_id: int, user_id: int, at: datetime) -> WalletGrant:
    """Let the money come in, usable from today on; not by who asked for it."""
    account = _lock_account(grant_id)
    grant = WalletGrant.objects.select_for_update().get(pk=grant_id)
    if grant.asked_by_id == user_id:
        raise OwnGrant(_("A grant is approved by somebody else than who asked for it."))
    day = clock.day(account, at)
    if grant.state == WalletGrant.State.ASKED and grant.ends_on and grant.ends_on <= day:
        raise GrantNotOpen(
            _("Its last day is over; refuse it, and ask for another."), field="ends_on"
        )
    _decide(grant, "approve", user_id, at)
    wallet = open_wallets([account], at=at)[account.pk]
    lot = WalletLot.objects.create(
        wallet=wallet,
        source=grant.source,
        amount=grant.amount,
        priority=grant.priority,
        begins_on=day,
        ends_on=grant.ends_on,
        grant=grant,
        text=grant.reason,
    )
    WalletMovement.objects.create(
        wallet=wallet,
        lot=lot,
        kind=WalletMovement.Kind.GRANTED,
        amount=grant.amount,
        on=day,
        at=at,
        by_id=user_id,
    )
    # A gift is less revenue, on the day it is promised.
    Posting.objects.create(
        on=day,
        legal_entity_id=account.legal_entity_id,
        account_id=account.pk,
        lot=lot,
        debit=LedgerAccount.REVENUE,
        credit=LedgerAccount.PREPAID,
        currency=grant.currency,
        amount=grant.amount,
    )
    events.record("wallet.filled", wallet, at=at, actor_id=user_id, amount=f"{grant.amount:f}")
    return grant


@transaction.atomic
def refuse_grant(*, grant_id: int, user_id: int, at: datetime) -> WalletGrant:
    """Say no; who asked may only withdraw."""
    grant = WalletGrant.objects.select_for_update().get(pk=grant_id)
    if grant.asked_by_id == user_id:
        raise OwnGrant(_("Who asked for a grant withdraws it; somebody else refuses it."))
    _decide(grant, "refuse", user_id, at)
    return grant


@transaction.atomic
def withdraw_grant(*, grant_id: int, user_id: int, at: datetime) -> WalletGrant:
    """Take the question back; only who asked."""
    grant = WalletGrant.objects.select_for_update().get(pk=grant_id)
    if grant.asked_by_id != user_id:
        raise OwnGrant(_("Only who asked for a grant withdraws it."))
    _decide(grant, "withdraw", user_id, at)
    return grant


def _lock_account(grant_id: int) -> Account:
    account_id = WalletGrant.objects.values_list("account_id", flat=True).get(pk=grant_id)
    rows = Account.objects.select_related("test_clock")
    return rows.select_for_update(of=("self",), no_key=True).get(pk=account_id)


def _decide(grant: WalletGrant, verb: str, user_id: int, at: datetime) -> None:
    if grant.state != WalletGrant.State.ASKED:
        raise GrantNotOpen(
            _("%(grant)s is %(state)s already.")
            % {"grant": grant, "state": grant.get_state_display()}
        )
    fsm.apply(grant, verb, at=at, by=user_id, refusal=GrantNotOpen, actor_id=user_id)


def _source(value: str) -> str:
    if value not in BY_HAND:
        raise GrantInvalid(_("Choose promotion or goodwill."), field="source")
    return value


def _amount(value: Decimal | str, currency: str) -> Decimal:
    try:
        amount = Decimal(value)
    except (InvalidOperation, ValueError, TypeError):
        raise GrantInvalid(_("This is not an amount."), field="amount") from None
    if not amount.is_finite():
        raise GrantInvalid(_("This is not an amount."), field="amount")
    if amount <= 0:
        raise GrantInvalid(_("The amount must be more than zero."), field="amount")
    if amount >= TOO_BIG:
        raise GrantInvalid(_("The amount is too large."), field="amount")
    rounded = quantise(amount, currency)
    if rounded != amount:
        raise GrantInvalid(
            _("The smallest amount of %(currency)s is %(unit)s.")
            % {"currency": currency, "unit": f"{minor_unit(currency):f}"},
            field="amount",
        )
    return rounded


def _priority(value: int) -> int:
    if not 0 <= value <= MOST_PRIORITY:
        raise GrantInvalid(
            _("A priority is a number from 0 to %(most)s; the lowest is drawn first.")
            % {"most": MOST_PRIORITY},
            field="priority",
        )
    return value


def _end(value: date | None, *, after: date) -> date | None:
    if value is not None and value <= after:
        raise GrantInvalid(_("It must be good for a day at least."), field="ends_on")
    if value is not None and value > LAST_DAY:
        raise GrantInvalid(_("Leave the day out for what never ends."), field="ends_on")
    return value


def _reason(value: str) -> str:
    text = " ".join(value.replace("\0", "").split())
    if not text:
        raise GrantInvalid(_("Say why; who approves it reads this."), field="reason")
    if len(text) > LONGEST_REASON:
        raise GrantInvalid(_("At most %(n)s characters.") % {"n": LONGEST_REASON}, field="reason")
    return text
