"""What nobody used in time lapses: visibly, and as revenue of the day on which it does."""

from datetime import datetime

from django.db import transaction

from billing.models import Posting, WalletLot, WalletMovement
from billing.models.ledger import LedgerAccount
from billing.wallets.selectors.lapsing import accounts_with_lapsed_money
from o2b import clock, events
from o2b.customers.models import Account

AT_ONCE = 200


def lapse_due(*, machine_now: datetime) -> int:
    """Let lots lapse whose last day is over where their accounts live; how many did.

    A few accounts a transaction; call it again until it answers 0. Money that is given back to a
    lot that has ended lapses too, on the day of the next look.
    """
    with transaction.atomic():
        ids = accounts_with_lapsed_money(machine_now=machine_now, limit=AT_ONCE)
        if not ids:
            return 0
        rows = Account.objects.filter(pk__in=ids).select_related("test_clock").order_by("pk")
        accounts = {row.pk: row for row in rows.select_for_update(of=("self",), no_key=True)}
        lots = (
            WalletLot.objects.filter(wallet__account__in=accounts, left__gt=0)
            .exclude(ends_on=None)
            .select_related("wallet")
            .order_by("wallet__account", "pk")
        )
        return sum(_lapse_if_due(lot, accounts[lot.wallet.account_id], machine_now) for lot in lots)


def _lapse_if_due(lot: WalletLot, account: Account, machine_now: datetime) -> bool:
    at = account.test_now or machine_now
    today = clock.day(account, at)
    if lot.ends_on is None or lot.ends_on > today:
        return False
    WalletMovement.objects.create(
        wallet=lot.wallet,
        lot=lot,
        kind=WalletMovement.Kind.LAPSED,
        amount=-lot.left,
        on=today,
        at=at,
    )
    Posting.objects.create(
        on=today,
        legal_entity_id=lot.wallet.legal_entity_id,
        account_id=account.pk,
        lot=lot,
        debit=LedgerAccount.PREPAID,
        credit=LedgerAccount.REVENUE,
        currency=lot.wallet.currency,
        amount=lot.left,
    )
    events.record("wallet.lapsed", lot.wallet, at=at, amount=f"{lot.left:f}", lot=lot.pk)
    return True
