"""What the check reads: promises, orders, quotes, Terms' texts; and the drafts themselves."""

from collections.abc import Iterable
from datetime import date
from hashlib import sha256
from typing import Any, NamedTuple

from billing.payers.selectors import PAYING
from billing.promises.selectors import KEPT
from billing.runs.selectors.scope import Scope
from o2b.charging import LineTerms, Segment, from_canonical
from o2b.models import Outbox
from o2b.periods import FOREVER, Period
from o2b.sql import ask

# Ranges of accounts are joined, and what has no account is read by the ids of these: so a shard
# costs the same however many others there are. Left to choose, Postgres reads whole tables for it.
# Where few are wanted, and nobody knows which, each is looked up: BETWEEN x AND x is an equality
# that does not tempt it to the exclusion constraint's index, four times slower than that of what
# is known now.
PROMISED = f"""
SELECT {{payer}}, promise.id, item.id, charge.id, charge.terms_charge_id,
       COALESCE(charge.terms_id, ordered.terms_id), item.revision = 1,
       COALESCE({{changed}}, false),
       ({KEPT}) IS TRUE,
       ordered.quantity || '|' || CASE WHEN ordered.start_on IS NULL THEN '|'
               ELSE ordered.start_on || '|'
                   || (ordered.start_on < (ordered.accepted_at AT TIME ZONE {{zone}})::date)
           END || '|'
           || COALESCE(ordered.delivered_on::text, '') || '|'
           || COALESCE(charge.anchor_day, account.bill_day) || '|'
           || COALESCE(standing.billed_through::text, ''),
       {{shared}}
    FROM {{item}} AS item
    {{whose}}
    JOIN {{ordered}} AS ordered ON ordered.id = item.order_line_id
    JOIN catalog_terms AS terms ON terms.id = ordered.terms_id
    LEFT JOIN {{promise}} AS promise ON promise.order_line_id = ordered.id
    LEFT JOIN {{quoted}}
    LEFT JOIN {{version}}
    LEFT JOIN {{charge}} AS charge ON charge.item_id = item.id AND charge.account_id = {{payer}}
        AND (charge.terms_id = ordered.terms_id OR item.revision > 1)
    LEFT JOIN {{standing}} AS standing ON standing.charge_id = charge.id
    {{share}}
    WHERE {{which}}
"""
OWN = "JOIN {account} AS account ON account.id = item.account_id"
AGREED = """
    LEFT JOIN (
        SELECT DISTINCT account_id FROM billing_payeragreement
            WHERE state = 'agreed' AND {agreed}
    ) AS agreed ON agreed.account_id = item.account_id
"""
OF_OTHERS = f"""
SELECT told.* FROM ({PAYING} WHERE {{payer}}) AS paying
    JOIN customers_account AS account
        ON account.id = paying.account_id AND account.legal_entity_id = %(entity)s
    CROSS JOIN LATERAL ({{promised}} OFFSET 0) AS told
"""

DRAFTED = """
SELECT account_id, charge_id,
       period_start || '|' || period_end || '|' || served_from || '|' || served_to || '|'
           || segment || '|' || revision || '|' || quantity || '|' || amount
    FROM billing_draftline
    WHERE shard_id = %(shard)s AND {draft} AND invoice_id IS NOT NULL
    ORDER BY charge_id, position
"""

BODIES = "SELECT id, digest, body FROM catalog_terms WHERE id = ANY(%s)"

VERSIONS = """
SELECT version.item_id, version.terms_id, lower(version.valid), upper(version.valid),
       version.quantity, version.opens, COALESCE(item.anchor_on, item.started_on),
       CASE WHEN upper(version.valid) IS NULL THEN true ELSE COALESCE((
           SELECT false FROM subscriptions_itemversion AS after
               JOIN subscriptions_item AS whose ON whose.id = after.item_id
               WHERE (whose.id = COALESCE(item.root_id, item.id)
                      OR whose.root_id = COALESCE(item.root_id, item.id))
               AND upper_inf(after.recorded) AND after.billed
               AND lower(after.valid) = upper(version.valid)
               LIMIT 1
       ), true) END
    FROM subscriptions_itemversion AS version
    JOIN subscriptions_item AS item ON item.id = version.item_id
    WHERE version.item_id = ANY(%s) AND upper_inf(version.recorded) AND version.billed
    ORDER BY version.item_id, lower(version.valid)
"""

LOOKED_AT = """
SELECT count(*) FROM (
    SELECT item.account_id FROM subscriptions_item AS item
        JOIN {account} AS account ON account.id = item.account_id
        WHERE {item} AND account.legal_entity_id = %(entity)s
    UNION
    SELECT account_id FROM billing_charge AS charge
        WHERE {charge} AND legal_entity_id = %(entity)s
    {paying}
    UNION
    SELECT held.account_id FROM billing_minimumspend AS held
        JOIN customers_account AS account ON account.id = held.account_id
        WHERE {held} AND account.legal_entity_id = %(entity)s
) AS accounts
"""
LOOKED_AT_PAYING = f"""
    UNION
    SELECT paying.account_id FROM ({PAYING} WHERE {{payer}}) AS paying
        JOIN customers_account AS account ON account.id = paying.account_id
        WHERE account.legal_entity_id = %(entity)s
"""

STILL_TO_OPEN = """
SELECT item.id FROM subscriptions_item AS item
    JOIN o2b_outbox AS owed ON owed.task = 'billing.open_charges'
        AND owed.key = item.subscription_id
    WHERE item.id = ANY(%s)
"""


class PromisedRow(NamedTuple):
    """One charge of one item and what was promised; without a charge, the item alone.

    `key` is ordered quantity|start on|whether that lies before the order was placed|delivered on
    |anchor day|billed through. `shared` tells that others pay for the account, or that it pays for
    another's item.
    """

    account_id: int
    promise_id: int | None
    item_id: int
    charge_id: int | None
    terms_charge_id: int | None
    terms_id: int
    plain: bool
    changed: bool
    kept: bool
    key: str
    shared: str


# Where the customer lives, when the account that is looked at pays for another's item.
ITS_ZONE = "(SELECT time_zone FROM customers_account WHERE id = item.account_id)"
OWN_SHARED, OTHERS = "own", "others"


CHANGED = """
standing.seen_revision < item.revision
OR standing.taken_back_to > COALESCE(standing.billed_through, '-infinity')
OR item.revision > 1 AND standing.billed_through IS NULL
"""
CHANGED_OR_SHARED = f"{CHANGED} OR share.seen < share.mark"
SHARE = "LEFT JOIN billing_chargeshare AS share ON share.charge_id = charge.id"


TABLES = {
    "item": "subscriptions_item",
    "ordered": "orders_orderline",
    "promise": "billing_promise",
    "charge": "billing_charge",
    "standing": "billing_chargestate",
}
LOOKED_UP = {
    "quoted": """LATERAL (
        SELECT * FROM quotes_quoteline AS line WHERE line.id = ordered.quote_line_id OFFSET 0
    ) AS quoted ON true""",
    "version": """LATERAL (
        SELECT * FROM subscriptions_itemversion AS known
            WHERE known.item_id BETWEEN item.id AND item.id AND item.revision = 1
                AND upper_inf(known.recorded)
            OFFSET 0
    ) AS version ON true""",
}


def promised_rows(scope: Scope, *, shared: bool) -> list[tuple[Any, ...]]:
    """A PromisedRow, as a bare tuple, for every item in service and each of its charges.

    Where anybody pays for others (`shared`), an account that does has one for each charge of their
    items, too. An item stands under an order of its own account unless it was transferred: only
    then are orders and promises looked for among all.
    """
    whose = OWN.format(account=scope.read("customers_account", "id"))
    told = {"payer": "item.account_id", "whose": whose, "shared": "''", "share": ""}
    told["zone"] = "account.time_zone"
    told["changed"] = CHANGED
    if shared:
        agreed = AGREED.format(agreed=scope.within("account_id"))
        told["shared"] = f"CASE WHEN agreed.account_id IS NULL THEN '' ELSE '{OWN_SHARED}' END"
        told |= {"whose": whose + agreed, "changed": CHANGED_OR_SHARED, "share": SHARE}
    entity = "account.legal_entity_id = %(entity)s"
    transferred = f"{scope.within('item.account_id')} AND item.root_id IS NOT NULL AND {entity}"
    asked = [
        PROMISED.format(which=f"item.root_id IS NULL AND {entity}", **told, **_near(scope)),
        PROMISED.format(which=transferred, **told, **TABLES, **LOOKED_UP),
    ]
    if shared:
        of_others = PROMISED.format(
            payer="account.id",
            zone=ITS_ZONE,
            shared=f"'{OTHERS}'",
            whose="",
            changed=CHANGED_OR_SHARED,
            share=SHARE,
            which="item.id = paying.item_id",
            **TABLES,
            **LOOKED_UP,
        )
        asked.append(OF_OTHERS.format(payer=scope.within("share.payer_id"), promised=of_others))
    return ask(" UNION ALL ".join(asked), scope.values)


def _near(scope: Scope) -> dict[str, str]:
    """Where to read what belongs to items that stand under an order of their own account."""
    near = {name: scope.read(table) for name, table in TABLES.items()}
    quoted = scope.read_of(
        "quotes_quoteline", "id", ids=f"SELECT quote_line_id FROM {near['ordered']} AS ordered"
    )
    version = scope.read_of(
        "subscriptions_itemversion",
        "item_id",
        ids=f"SELECT id FROM {near['item']} AS item",
        which="upper_inf(recorded)",
    )
    return near | {
        "quoted": f"{quoted} AS quoted ON quoted.id = ordered.quote_line_id",
        "version": f"{version} AS version ON version.item_id = item.id AND item.revision = 1",
    }


def drafted_texts(shard_id: int, scope: Scope) -> dict[int, tuple[int, str]]:
    """charge → (account, its drafted lines as one text), read back from where they lie."""
    question = DRAFTED.format(draft=scope.within("account_id"))
    found: dict[int, tuple[int, str]] = {}
    for account_id, charge_id, text in ask(question, scope.values | {"shard": shard_id}):
        before = found.get(charge_id)
        found[charge_id] = (account_id, text if before is None else f"{before[1]};{text}")
    return found


def verified_terms(terms_ids: Iterable[int]) -> dict[int, LineTerms | None]:
    """Terms as their texts say; None where a text is not what its digest names, or is no Terms."""
    found: dict[int, LineTerms | None] = {}
    for terms_id, digest, body in ask(BODIES, [sorted(set(terms_ids))]):
        is_same = sha256(body.encode()).hexdigest() == digest
        try:
            found[terms_id] = from_canonical(body) if is_same else None
        except (ArithmeticError, LookupError, TypeError, ValueError):
            found[terms_id] = None
    return found


class Served(NamedTuple):
    """Days of a changed item under one Terms; `opens` where these hold for the first time."""

    segment: Segment
    opens: bool
    anchor_on: date


def served_of(item_ids: Iterable[int]) -> dict[tuple[int, int], list[Served]]:
    """(item, Terms) → its billed days as they are known now, for items that were changed."""
    found: dict[tuple[int, int], list[Served]] = {}
    wanted = sorted(set(item_ids))
    rows = ask(VERSIONS, [wanted]) if wanted else ()
    for item_id, terms_id, start, end, quantity, opens, anchor_on, ends in rows:
        segment = Segment(Period(start, end or FOREVER), quantity, ends)
        found.setdefault((item_id, terms_id), []).append(Served(segment, opens, anchor_on))
    return found


def looked_at(scope: Scope, *, shared: bool) -> int:
    """How many accounts have anything in service or to bill; counted apart from all else."""
    paying = LOOKED_AT_PAYING.format(payer=scope.within("share.payer_id")) if shared else ""
    question = LOOKED_AT.format(
        account=scope.read("customers_account", "id"),
        item=scope.within("item.account_id"),
        charge=scope.within("charge.account_id"),
        paying=paying,
        held=scope.within("held.account_id"),
    )
    return int(ask(question, scope.values)[0][0])


def still_to_open(item_ids: Iterable[int]) -> set[int]:
    """Items whose charges are owed by the outbox: not missing, only not there yet."""
    wanted = sorted(set(item_ids))
    if not wanted or not Outbox.objects.filter(task="billing.open_charges").exists():
        return set()
    return {row[0] for row in ask(STILL_TO_OPEN, [wanted])}
