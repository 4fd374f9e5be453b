"""The Postgres triggers of billing: lines add up to their invoice, nothing is allocated twice."""

import pgtrigger

ADDS_UP = pgtrigger.Trigger(
    name="lines_add_up",
    operation=pgtrigger.Insert,
    level=pgtrigger.Statement,
    when=pgtrigger.After,
    referencing=pgtrigger.Referencing(new="added"),
    declare=[("wrong", "BIGINT")],
    func="""
    SELECT lines.invoice_id INTO wrong
        FROM (
            SELECT invoice_id, sum(amount) AS net, sum(tax) AS tax, count(*) AS lines
                FROM added GROUP BY invoice_id
        ) AS lines
        LEFT JOIN billing_invoice AS invoice ON invoice.id = lines.invoice_id
        WHERE invoice.id IS NULL OR invoice.net <> lines.net OR invoice.tax <> lines.tax
            OR invoice.line_count <> lines.lines
        LIMIT 1;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'o2b: the lines of invoice % do not add up to it', wrong
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
    """,
)

NOT_ABOVE = pgtrigger.Trigger(
    name="not_above",
    operation=pgtrigger.Insert,
    when=pgtrigger.After,
    declare=[
        ("paid", "billing_payment%ROWTYPE"),
        ("bill", "billing_invoice%ROWTYPE"),
        ("used", "NUMERIC"),
        ("settled", "NUMERIC"),
    ],
    func="""
    SELECT * INTO paid FROM billing_payment WHERE id = NEW.payment_id FOR UPDATE;
    SELECT * INTO bill FROM billing_invoice WHERE id = NEW.invoice_id FOR UPDATE;
    SELECT sum(amount) INTO used FROM billing_allocation WHERE payment_id = NEW.payment_id;
    SELECT sum(amount) INTO settled FROM billing_allocation WHERE invoice_id = NEW.invoice_id;
    IF used > paid.amount OR used < 0 THEN
        RAISE EXCEPTION 'o2b: % of payment % would be allocated, it is %',
            used, paid.id, paid.amount USING ERRCODE = 'check_violation';
    END IF;
    IF settled > bill.total OR settled < 0 THEN
        RAISE EXCEPTION 'o2b: % would be paid on invoice %, it is over %',
            settled, bill.number, bill.total USING ERRCODE = 'check_violation';
    END IF;
    IF paid.currency <> bill.currency OR paid.account_id <> bill.account_id THEN
        RAISE EXCEPTION 'o2b: payment % and invoice % are of two accounts or currencies',
            paid.id, bill.number USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
    """,
)
