"""What nobody used in time lapses: visibly, and as revenue of the day on which it does."""

from datetime import datetime

from django.db import transaction

from billing.models import Posting, WalletLot, WalletMovement
from billing.models.ledger import LedgerAccount
from billing.wallets.selectors.lapsing import lapsed_lots
from o2b import clock, events
from o2b.customers.models import Account

AT_ONCE = 200


def lapse_due(*, machine_now: datetime) -> int:
    """Let lots lapse whose last day is over where their accounts live; how many did.

    A few a transaction; call it again until it answers 0. Where usage of its days is not billed
    yet, a lot waits for that bill. Money that is given back to a lot that has ended lapses too, on
    the day of the next look.
    """
    with transaction.atomic():
        found = lapsed_lots(machine_now=machine_now, limit=AT_ONCE)
        if not found:
            return 0
        ids = {each.account for each in found}
        rows = Account.objects.filter(pk__in=ids).select_related("test_clock").order_by("pk")
        accounts = {row.pk: row for row in rows.select_for_update(of=("self",), no_key=True)}
        # Looked at again, now that nobody else moves these wallets.
        still = lapsed_lots(machine_now=machine_now, limit=AT_ONCE, accounts=ids)
        lots = WalletLot.objects.select_related("wallet").in_bulk([each.lot for each in still])
        for each in still:
            _lapse(lots[each.lot], accounts[each.account], machine_now)
        return len(still)


def _lapse(lot: WalletLot, account: Account, machine_now: datetime) -> None:
    at = account.test_now or machine_now
    today = clock.day(account, at)
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
