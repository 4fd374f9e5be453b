"""Families when a run is opened and cut: who is in which, and that nobody of one is missing."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from billing.families.selectors import MEMBERS, members_among
from billing.models import BillRun
from o2b.customers.models import Account
from o2b.errors import Invalid
from o2b.sql import ask

NOTED = (
    MEMBERS
    + """
, own AS (
    SELECT account_id, payer_id FROM member
        WHERE %(chosen)s::bigint[] IS NULL
            OR payer_id = ANY(%(chosen)s) AND account_id = ANY(%(chosen)s)
)
INSERT INTO billing_familymember (run_id, account_id, payer_id)
SELECT %(run)s, account_id, payer_id FROM own
UNION
SELECT %(run)s, payer_id, payer_id FROM own
RETURNING account_id = payer_id
"""
)

LINES_BY_PAYER = """
SELECT member.payer_id, count(DISTINCT promise.account_id), count(promise.id)
    FROM billing_familymember AS member
    LEFT JOIN billing_promise AS promise
        ON promise.account_id = member.account_id AND promise.legal_entity_id = %(entity)s
    WHERE member.run_id = %(run)s
    GROUP BY member.payer_id ORDER BY member.payer_id
"""

IN_SHARD = """
UPDATE billing_familymember SET shard_id = %(shard)s
    WHERE run_id = %(run)s AND payer_id = ANY(%(payers)s)
"""

Load = tuple[int, int, int]  # payer, accounts that have ordered, lines


class MemberAlone(Invalid):
    code = "member_alone"


def with_families(*, legal_entity_id: int, account_ids: Sequence[int], by_name: bool) -> list[int]:
    """These accounts and the members of the payers among them, in ascending order.

    Chosen `by_name` a member without its payer is refused; chosen by a day or a group it is left
    to the bill of its payer.
    """
    asked = set(account_ids)
    members = members_among(legal_entity_id=legal_entity_id, account_ids=asked)
    if not members:
        return sorted(asked)
    alone = [pk for pk, payer in members.items() if payer not in asked]
    if alone and by_name:
        _refuse(alone[0], members[alone[0]])
    return sorted(asked.union(members).difference(alone))


def _refuse(member: int, payer: int) -> None:
    told = Account.objects.in_bulk([member, payer])
    raise MemberAlone(
        _("%(member)s is billed on the bills of %(payer)s; bill that account.")
        % {"member": told[member], "payer": told[payer]},
        field="accounts",
        payer=told[payer].reference,
    )


def note_families(run: BillRun) -> None:
    """Keep with a run who is in which family now: what changes later is for the next run."""
    values: dict[str, Any] = {
        "run": run.pk,
        "entity": run.legal_entity_id,
        "chosen": run.account_ids,
    }
    run.families = sum(is_payer for (is_payer,) in ask(NOTED, values))
    if run.families:
        run.save(update_fields=["families"])


def loads_of(run: BillRun) -> list[Load]:
    """Each family of a run by its payer, with its accounts and lines."""
    return ask(LINES_BY_PAYER, {"run": run.pk, "entity": run.legal_entity_id})


def cut_families(loads: Sequence[Load], *, accounts: int, lines: int) -> Iterator[list[Load]]:
    """Whole families, so many accounts or lines together at most, but never less than one."""
    piece: list[Load] = []
    for load in loads:
        full = sum(each[1] for each in piece) + load[1] > accounts
        if piece and (full or sum(each[2] for each in piece) + load[2] > lines):
            yield piece
            piece = []
        piece.append(load)
    if piece:
        yield piece


def put_in_shard(run: BillRun, shard_id: int, payers: Sequence[int]) -> None:
    """These families are what a shard is about."""
    values: dict[str, Any] = {"run": run.pk, "shard": shard_id, "payers": list(payers)}
    with connection.cursor() as cursor:
        cursor.execute(IN_SHARD, values)
