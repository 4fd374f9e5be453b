"""Questions about payers: what was agreed for accounts, for services, and by whom."""

from collections.abc import Collection
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import QuerySet

from billing.models import PayerAgreement, PayerShare
from billing.rules.sharing import Agreed
from o2b.periods import FOREVER
from o2b.sql import ask

# Which services an agreement is about: all of its account, or one chain as far as it is there.
CONCERNS = """
    agreement.account_id = item.account_id AND agreement.state = 'agreed'
    AND (agreement.service_id IS NULL OR agreement.service_id = COALESCE(item.root_id, item.id))
"""

AGREED = f"""
SELECT item.id, agreement.id, agreement.starts_on, agreement.ends_on,
       agreement.service_id IS NOT NULL, share.payer_id, share.percent
    FROM subscriptions_item AS item
    JOIN billing_payeragreement AS agreement ON {CONCERNS}
    JOIN billing_payershare AS share ON share.agreement_id = agreement.id
    WHERE item.id = ANY(%s)
    ORDER BY item.id, agreement.id, share.position
"""

# OFFSET 0 keeps these questions from being turned round: whoever pays for nobody costs one look
# into an index, however many items there are.
PAYING = f"""
SELECT DISTINCT share.payer_id AS account_id, item.id AS item_id
    FROM billing_payershare AS share
    JOIN billing_payeragreement AS agreement ON agreement.id = share.agreement_id
    CROSS JOIN LATERAL (
        SELECT item.id FROM subscriptions_item AS item WHERE {CONCERNS} OFFSET 0
    ) AS item
"""


class Share(NamedTuple):
    """One who pays a part, in percent."""

    payer: int
    percent: Decimal


def agreed_of(item_ids: Collection[int]) -> dict[int, list[Agreed]]:
    """Item → what was agreed about it, from the agreements themselves."""
    if not item_ids:
        return {}
    found: dict[int, dict[int, Agreed]] = {}
    rows = ask(AGREED, [sorted(set(item_ids))])
    for item, agreement, start, end, own, payer, percent in rows:
        of_item = found.setdefault(item, {})
        known = of_item.get(agreement) or Agreed(start, end or FOREVER, own, ())
        of_item[agreement] = known._replace(shares=(*known.shares, (payer, percent)))
    return {item: list(each.values()) for item, each in found.items()}


def agreements() -> QuerySet[PayerAgreement]:
    """All agreements with whom they name, the newest first."""
    return (
        PayerAgreement.objects.select_related(
            "account__customer",
            "account__test_clock",
            "service__product_version__product",
            "asked_by",
            "decided_by",
            "ended_by",
        )
        .prefetch_related("shares__payer__customer")
        .order_by("-pk")
    )


def agreements_of(account_id: int) -> QuerySet[PayerAgreement]:
    """Those about an account: others pay for it."""
    return agreements().filter(account=account_id).order_by("-starts_on", "-pk")


def paying_for(account_id: int) -> QuerySet[PayerShare]:
    """What an account pays of others, the newest first."""
    return (
        PayerShare.objects.filter(payer=account_id)
        .select_related("agreement__account", "agreement__service__product_version__product")
        .order_by("-agreement__starts_on", "-pk")
    )


def waiting() -> QuerySet[PayerAgreement]:
    """What waits for a second person."""
    return PayerAgreement.objects.filter(state=PayerAgreement.State.ASKED)


def in_force(rows: QuerySet[Any], day: date) -> QuerySet[Any]:
    """Those of some agreements that hold on a day."""
    holding = rows.filter(state=PayerAgreement.State.AGREED, starts_on__lte=day)
    return holding.exclude(ends_on__lte=day)
