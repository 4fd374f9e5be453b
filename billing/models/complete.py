"""The triggers that keep a document whole: its lines add up, and nothing is added to it later."""

import pgtrigger

from billing.models.owed import LINES_CAME

ALL_AT_ONCE_DECLARES = (
    ("wrong", "BIGINT"),
    ("low", "BIGINT"),
    ("high", "BIGINT"),
    ("number", "BIGINT"),
    ("there", "BIGINT"),
)


def all_at_once(table: str, which: str = "true") -> str:
    """`wrong` becomes a document that has rows in the table beside those that a statement added.

    `low` and `high` are the first and last document that it added to, `number` its rows. A shard's
    documents have keys next to each other, so that one count over them says all; each is counted
    only where others lie between them.
    """
    return f"""
    IF high - low < 4 * number THEN
        EXECUTE 'SELECT count(*) FROM {table} WHERE invoice_id BETWEEN $1 AND $2 AND {which}'
            INTO there USING low, high;
    END IF;
    IF number > 0 AND there IS DISTINCT FROM number THEN
        EXECUTE 'SELECT mine.invoice_id
            FROM (
                SELECT invoice_id, count(*) AS rows FROM added
                    WHERE invoice_id IS NOT NULL AND {which} GROUP BY invoice_id
            ) AS mine
            WHERE mine.rows <> (
                SELECT count(*) FROM {table} WHERE invoice_id = mine.invoice_id AND {which}
            )
            LIMIT 1' INTO wrong;
        IF wrong IS NOT NULL THEN
            RAISE EXCEPTION 'o2b: document % is final, nothing is added to it', wrong
                USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    """


# A document that the lines of a statement do not add up to; with discounts and true-ups, if any.
_WRONG = """SELECT lines.invoice_id
            FROM (
                SELECT invoice_id, sum(amount) AS net, sum(tax) AS tax, sum(line) AS lines
                    FROM (
                        SELECT invoice_id, amount, tax, 1 AS line FROM added {with_given}
                    ) AS row
                    GROUP BY invoice_id
            ) AS lines
            FULL JOIN (
                SELECT id, net, tax, line_count FROM billing_invoice WHERE id BETWEEN $1 AND $2
            ) AS invoice ON invoice.id = lines.invoice_id
            WHERE COALESCE(lines.lines, 0) > 0
                AND (invoice.id IS NULL OR invoice.line_count <> lines.lines
                    OR invoice.net <> lines.net OR invoice.tax <> lines.tax)
            LIMIT 1"""
_WITH_GIVEN = """
                        UNION ALL
                        SELECT invoice_id, amount, tax, 0 FROM billing_invoiceadjustment
                            WHERE invoice_id BETWEEN $1 AND $2"""

# Planned anew each time. FULL, which only a hash or a sort can answer: a plan that goes from one to
# the next, made while nobody has counted the documents, has read all of them for each (226 seconds
# for what takes 9 with a plan of a session's beginning; half an hour where the key was looked up in
# an index that begins with the account). The keys of a statement lie next to each other.
ADDS_UP = pgtrigger.Trigger(
    name="lines_add_up",
    operation=pgtrigger.Insert,
    level=pgtrigger.Statement,
    when=pgtrigger.After,
    referencing=pgtrigger.Referencing(new="added"),
    declare=[*ALL_AT_ONCE_DECLARES],
    func=f"""
    SELECT min(invoice_id), max(invoice_id), count(*) INTO low, high, number FROM added;
    IF EXISTS (SELECT FROM billing_invoiceadjustment WHERE invoice_id BETWEEN low AND high) THEN
        EXECUTE '{_WRONG.format(with_given=_WITH_GIVEN)}' INTO wrong USING low, high;
    ELSE
        EXECUTE '{_WRONG.format(with_given="")}' INTO wrong USING low, high;
    END IF;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'o2b: the lines of invoice % do not add up to it', wrong
            USING ERRCODE = 'check_violation';
    END IF;
    {all_at_once("billing_invoiceline")}
    {LINES_CAME}
    RETURN NULL;
    """,
)

# What a document posts comes at once. What a wallet settles of it later, money beyond its price, is
# between revenue and prepaid credit.
_BESIDE = "NOT (debit IN (''revenue'', ''prepaid'') AND credit IN (''revenue'', ''prepaid''))"
POSTED_ONCE = pgtrigger.Trigger(
    name="posted_once",
    operation=pgtrigger.Insert,
    level=pgtrigger.Statement,
    when=pgtrigger.After,
    referencing=pgtrigger.Referencing(new="added"),
    declare=[*ALL_AT_ONCE_DECLARES],
    func=f"""
    SELECT min(invoice_id), max(invoice_id), count(*) INTO low, high, number FROM added
        WHERE invoice_id IS NOT NULL AND {_BESIDE.replace("''", "'")};
    {all_at_once("billing_posting", _BESIDE)}
    RETURN NULL;
    """,
)
