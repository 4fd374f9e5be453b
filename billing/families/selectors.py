"""Questions about families: who pays for whom, in a run and on documents."""

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import QuerySet

from billing.models import BillRun, FamilyMember, InvoicePart, Shard
from o2b.customers.models import Account

# Everybody who is billed to a parent, with the nearest above who is not.
MEMBERS = """
WITH RECURSIVE up AS (
    SELECT account.id AS account_id, account.parent_id AS payer_id
        FROM customers_account AS account
        WHERE account.billed_to_parent AND account.legal_entity_id = %(entity)s
    UNION ALL
    SELECT up.account_id, above.parent_id
        FROM up JOIN customers_account AS above ON above.id = up.payer_id
        WHERE above.billed_to_parent
), member AS (
    SELECT up.account_id, up.payer_id
        FROM up JOIN customers_account AS payer ON payer.id = up.payer_id
        WHERE NOT payer.billed_to_parent
)
"""
MEMBERS_AMONG = MEMBERS + (
    "SELECT account_id, payer_id FROM member"
    " WHERE account_id = ANY(%(accounts)s) OR payer_id = ANY(%(accounts)s)"
    " ORDER BY account_id"
)


def members_among(*, legal_entity_id: int, account_ids: Iterable[int]) -> dict[int, int]:
    """Member → payer, of those members that are chosen or whose payer is."""
    values = {"entity": legal_entity_id, "accounts": list(account_ids)}
    return dict(_ask(MEMBERS_AMONG, values))


def families_in(run: BillRun, account_ids: Collection[int]) -> dict[int, int]:
    """Account → payer, for everybody of the families that these accounts are of in a run."""
    if not run.families or not account_ids:
        return {}
    members = FamilyMember.objects.filter(run=run)
    payers = members.filter(account__in=account_ids).values("payer_id")
    return dict(members.filter(payer_id__in=payers).values_list("account_id", "payer_id"))


def accounts_of_shard(shard: Shard) -> list[int]:
    """The accounts of a shard of families, in ascending order."""
    rows = FamilyMember.objects.filter(shard=shard).order_by("account_id")
    return list(rows.values_list("account_id", flat=True))


def accounts_in_families(run: BillRun, *, first: int, last: int) -> list[int]:
    """The accounts of a range that no plain shard of a run is about."""
    rows = FamilyMember.objects.filter(run=run, account_id__gte=first, account_id__lte=last)
    return list(rows.order_by("account_id").values_list("account_id", flat=True))


def parts_of(*, invoice_id: int) -> list[InvoicePart]:
    """What each account of a family comes to on a document, the payer first; none if plain."""
    rows = InvoicePart.objects.filter(invoice_id=invoice_id).select_related("account")
    return list(rows.order_by("pk"))


class Family(NamedTuple):
    """An account's family: whose bills it is on (None: its own), and who is on its bills."""

    payer: Account | None
    members: list[Account]
    n: int


MOST_SHOWN = 50
BELOW = """
WITH RECURSIVE down AS (
    SELECT id FROM customers_account WHERE parent_id = %(account)s AND billed_to_parent
    UNION ALL
    SELECT child.id FROM down JOIN customers_account AS child
        ON child.parent_id = down.id AND child.billed_to_parent
)
SELECT id FROM down
"""


def members_below(account: Account) -> QuerySet[Account]:
    """Who is on the bills of this account as things stand; of one that is billed itself, through it."""
    ids = [row[0] for row in _ask(BELOW, {"account": account.pk})]
    return Account.objects.filter(pk__in=ids).order_by("name", "reference")


def _ask(question: str, values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(question, values)
        return cursor.fetchall()
