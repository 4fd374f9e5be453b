"""The trigger of a family's document: what its members come to is what it comes to."""

import pgtrigger

# All parts of a document are written at once, after its lines.
PARTS_ADD_UP = pgtrigger.Trigger(
    name="parts_add_up",
    operation=pgtrigger.Insert,
    level=pgtrigger.Statement,
    when=pgtrigger.After,
    referencing=pgtrigger.Referencing(new="added"),
    declare=[("wrong", "BIGINT")],
    func="""
    SELECT invoice.id INTO wrong
        FROM (
            SELECT invoice_id, sum(net) AS net, sum(tax) AS tax, sum(line_count) AS lines,
                   count(*) AS number
                FROM added GROUP BY invoice_id
        ) AS parts
        LEFT JOIN billing_invoice AS invoice ON invoice.id = parts.invoice_id
        WHERE invoice.id IS NULL OR invoice.net <> parts.net OR invoice.tax <> parts.tax
            OR invoice.line_count <> parts.lines
            OR parts.number <> (
                SELECT count(*) FROM billing_invoicepart WHERE invoice_id = parts.invoice_id
            )
        LIMIT 1;
    IF NOT FOUND THEN
        SELECT added.invoice_id INTO wrong
            FROM added
            LEFT JOIN (
                SELECT invoice_id, account_id, sum(amount) AS net, sum(tax) AS tax,
                       count(line) AS lines
                    FROM (
                        SELECT invoice_id, account_id, amount, tax, 1 AS line
                            FROM billing_invoiceline
                            WHERE invoice_id IN (SELECT invoice_id FROM added)
                        UNION ALL
                        SELECT invoice_id, account_id, amount, tax, NULL
                            FROM billing_invoiceadjustment
                            WHERE invoice_id IN (SELECT invoice_id FROM added)
                    ) AS row
                    GROUP BY invoice_id, account_id
            ) AS own ON own.invoice_id = added.invoice_id AND own.account_id = added.account_id
            WHERE own.account_id IS NULL OR own.net <> added.net OR own.tax <> added.tax
                OR own.lines <> added.line_count
            LIMIT 1;
    END IF;
    IF FOUND THEN
        RAISE EXCEPTION 'o2b: the parts of invoice % do not add up to it', wrong
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
    """,
)
