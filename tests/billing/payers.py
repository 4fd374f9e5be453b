"""Agreements of payers for tests, and what each payer was billed."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

from django.db.models import Sum

from billing.models import InvoiceLine, PayerAgreement
from billing.payers.selectors import Share
from billing.payers.services import approve_payers, ask_payers, end_payers
from o2b.customers.models import Account
from o2b.people.models import User
from subscriptions.models import Item
from tests.factories import a_user

AT = datetime(2026, 1, 1, 9, tzinfo=UTC)
START = date(2026, 1, 1)


def agreed(
    account: Account,
    *shares: tuple[Account, str],
    starts_on: date = START,
    ends_on: date | None = None,
    service: Item | None = None,
) -> PayerAgreement:
    """Asked by one and approved by another."""
    asked = asked_for(account, *shares, starts_on=starts_on, ends_on=ends_on, service=service)
    return approve_payers(agreement_id=asked.pk, user_id=a_user().pk, at=AT)


def asked_for(
    account: Account,
    *shares: tuple[Account, str],
    starts_on: date = START,
    ends_on: date | None = None,
    service: Item | None = None,
    by: User | None = None,
) -> PayerAgreement:
    """Waits for a second person."""
    return ask_payers(
        account_id=account.pk,
        shares=[Share(payer.pk, Decimal(percent)) for payer, percent in shares],
        starts_on=starts_on,
        ends_on=ends_on,
        service_id=service.pk if service else None,
        reason="the programme",
        asked_by_id=(by or a_user()).pk,
        at=AT,
    )


def ended(agreement: PayerAgreement, day: date) -> PayerAgreement:
    """The customer pays all from a day on."""
    return end_payers(
        agreement_id=agreement.pk, ends_on=day, reason="over", user_id=a_user().pk, at=AT
    )


def billed(account: Account) -> Decimal:
    """All that an account was billed, net."""
    found = InvoiceLine.objects.filter(account_id=account.pk).aggregate(sum=Sum("amount"))
    return found["sum"] or Decimal(0)


def by_period(accounts: Sequence[Account]) -> dict[tuple[str, date], Decimal]:
    """(key of the charge, period) → the sum over these payers."""
    rows = (
        InvoiceLine.objects.filter(account_id__in=[each.pk for each in accounts])
        .order_by()
        .values_list("charge__terms_charge__key", "period_start")
        .annotate(sum=Sum("amount"))
    )
    return {(key, start): amount for key, start, amount in rows}
