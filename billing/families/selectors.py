"""Questions about families: who pays for whom, in a run and on documents."""

from collections.abc import Collection, Iterable
from decimal import Decimal
from typing import NamedTuple

from django.db.models import Exists, OuterRef, Q, QuerySet

from billing.models import BillRun, FamilyMember, InvoicePart, Shard
from o2b.customers.models import Account
from o2b.sql import ask

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
    return dict(ask(MEMBERS_AMONG, values))


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


BELOW = """
WITH RECURSIVE down AS (
    SELECT id FROM customers_account WHERE parent_id = %(account)s AND billed_to_parent
    UNION ALL
    SELECT child.id FROM down JOIN customers_account AS child
        ON child.parent_id = down.id AND child.billed_to_parent
)
SELECT id FROM down
"""


def members_below(account_id: int) -> QuerySet[Account]:
    """Who is on the bills of an account as things stand, by name."""
    ids = [row[0] for row in ask(BELOW, {"account": account_id})]
    return Account.objects.filter(pk__in=ids).order_by("name", "reference")


TOGETHER = """
SELECT count(*) - count(DISTINCT member.payer_id)
    FROM billing_familymember AS member
    JOIN billing_draftinvoice AS draft
        ON draft.shard_id = member.shard_id AND draft.account_id = member.account_id
    WHERE member.run_id = %(run)s AND (%(shard)s::bigint IS NULL OR member.shard_id = %(shard)s)
"""


def drafts_less_documents(*, run_id: int, shard_id: int | None = None) -> int:
    """How many more drafts there are than documents will be: those of a family become one."""
    return int(ask(TOGETHER, {"run": run_id, "shard": shard_id})[0][0])


# Beside what its members were billed last, each on whatever document it was; who was never billed
# adds to what it comes to now, as a new service of a single account does.
WHOLES = """
SELECT COALESCE(min(draft.account_id) FILTER (WHERE draft.account_id = member.payer_id),
           min(draft.account_id)),
       count(*), min(draft.currency), abs(sum(draft.total)), COALESCE(sum(variance.before), 0),
       sum(draft.net)
    FROM billing_familymember AS member
    JOIN billing_draftinvoice AS draft
        ON draft.shard_id = member.shard_id AND draft.account_id = member.account_id
    LEFT JOIN billing_variance AS variance
        ON variance.run_id = member.run_id AND variance.account_id = draft.account_id
    WHERE member.shard_id = %(shard)s AND member.account_id = ANY(%(accounts)s)
    GROUP BY member.payer_id HAVING count(*) > 1
    ORDER BY member.payer_id
"""


class Whole(NamedTuple):
    """The document that the drafts of a family will be; `account_id` is who bears it.

    `total` is with tax and above zero either way; `before` and `now` are net.
    """

    account_id: int
    accounts: int
    currency: str
    total: Decimal
    before: Decimal
    now: Decimal


def wholes_of(shard: Shard, account_ids: Collection[int]) -> list[Whole]:
    """The documents that lie drafted in a shard for several of these accounts, whole families."""
    if not shard.families:
        return []
    values = {"shard": shard.pk, "accounts": list(account_ids)}
    return [Whole(*row) for row in ask(WHOLES, values)]


def parts_of_member(account_id: int) -> QuerySet[InvoicePart]:
    """What an account came to on the documents of its payers, the newest first."""
    rows = InvoicePart.objects.filter(account_id=account_id).exclude(invoice__account=account_id)
    return rows.select_related("invoice__account").order_by("-invoice_id")


def has_family(account_id: int) -> bool:
    """Whether there is anything to say: it is on another's bills, or was, or others on its own."""
    children = Account.objects.filter(parent=OuterRef("pk"), billed_to_parent=True)
    told = Q(billed_to_parent=True) | Exists(children) | Exists(parts_of_member(account_id))
    return Account.objects.filter(told, pk=account_id).exists()
