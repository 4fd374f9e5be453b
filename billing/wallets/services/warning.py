"""Customer and advocate hear when little prepaid credit is left, once a month a threshold."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from billing.models import Wallet
from billing.wallets.selectors.reading import standing_of
from o2b import clock
from o2b.customers.models import Account
from o2b.periods import add_months
from subscriptions.models import AlertOf, UsageAlert, UsageAlertSent
from subscriptions.usage.alerts.services import tell_rows


@transaction.atomic
def warn_low(*, account_id: int, machine_now: datetime) -> int:
    """Tell of the thresholds of an account that what is left of its wallet is below; how many.

    Of several that it fell below at once the lowest is told, the others are noted.
    """
    account = Account.objects.select_related("test_clock", "legal_entity").get(pk=account_id)
    rule = UsageAlert.objects.filter(account=account, of=AlertOf.WALLET, active=True).first()
    wallet = Wallet.objects.filter(account=account, currency=account.currency).first()
    if rule is None or wallet is None:
        return 0
    wallet.account = account
    at = account.test_now or machine_now
    today = clock.day(account, at)
    left = standing_of(wallet, today=today).left.amount
    first = today.replace(day=1)
    known = UsageAlertSent.objects.filter(
        account=account, charge=str(wallet), of=AlertOf.WALLET, period_start=first
    )
    news = below(rule.thresholds, left, known=list(known.values_list("threshold", flat=True)))
    return tell_rows(
        [
            UsageAlertSent(
                rule=rule,
                account=account,
                charge=str(wallet),
                of=AlertOf.WALLET,
                threshold=threshold,
                period_start=first,
                period_end=add_months(first, 1),
                reached=left,
                used=Decimal(0),
                amount=Decimal(0),
                currency=wallet.currency,
                told=told,
                at=at,
            )
            for threshold, told in news
        ]
    )


def below(
    thresholds: Sequence[Decimal], left: Decimal, *, known: Sequence[Decimal]
) -> list[tuple[Decimal, bool]]:
    """The thresholds that so much is below and nobody was told of, and which is told: the lowest.

    >>> below([Decimal(50), Decimal(20), Decimal(5)], Decimal(10), known=[Decimal(50)])
    [(Decimal('20'), True)]
    """
    new = sorted(each for each in thresholds if left < each and each not in known)
    lowest = min(known, default=None)
    return [(each, each == new[0] and (lowest is None or each < lowest)) for each in reversed(new)]


def accounts_to_warn() -> list[int]:
    """Accounts that want to hear of it and have a wallet."""
    rules = UsageAlert.objects.filter(of=AlertOf.WALLET, active=True)
    wallets = Wallet.objects.filter(account__in=rules.values("account")).order_by("account")
    return list(wallets.values_list("account", flat=True).distinct())
