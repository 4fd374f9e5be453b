"""The triggers of billing: mirrors, numbers, allocations, wallets; nothing is undone twice."""

import pgtrigger

# A document that reverses another is its mirror, to the cent; nobody reverses a reversal. Asked of
# such rows alone, so that others cost one look at a column.
MIRRORS = pgtrigger.Trigger(
    name="mirrors",
    operation=pgtrigger.Insert,
    when=pgtrigger.After,
    condition=pgtrigger.Q(new__reverses__isnull=False),
    func="""
    IF NOT EXISTS (
        SELECT FROM billing_invoice AS original
            WHERE original.id = NEW.reverses_id AND original.reverses_id IS NULL
                AND original.legal_entity_id = NEW.legal_entity_id
                AND original.account_id = NEW.account_id AND original.currency = NEW.currency
                AND original.net = -NEW.net AND original.tax = -NEW.tax
                AND original.line_count = NEW.line_count
    ) THEN
        RAISE EXCEPTION 'o2b: % is no reversal of invoice %', NEW.number, NEW.reverses_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
    """,
)

# Planned anew each time, as in billing.models.complete, which says why.
# Discounts and true-ups come before the lines of their document, all at once; a document without
# lines is their sum.
ADJUSTS = pgtrigger.Trigger(
    name="adjusts_once",
    operation=pgtrigger.Insert,
    level=pgtrigger.Statement,
    when=pgtrigger.After,
    referencing=pgtrigger.Referencing(new="added"),
    declare=[("wrong", "BIGINT")],
    func="""
    EXECUTE 'SELECT given.invoice_id
        FROM (
            SELECT invoice_id, sum(amount) AS net, sum(tax) AS tax, count(*) AS number
                FROM added GROUP BY invoice_id
        ) AS given
        LEFT JOIN LATERAL (
            SELECT * FROM billing_invoice WHERE id = given.invoice_id OFFSET 0
        ) AS invoice ON true
        WHERE invoice.id IS NULL
            OR (invoice.line_count = 0
                AND (invoice.net <> given.net OR invoice.tax <> given.tax))
            OR EXISTS (SELECT FROM billing_invoiceline WHERE invoice_id = given.invoice_id)
            OR given.number <> (
                SELECT count(*) FROM billing_invoiceadjustment WHERE invoice_id = given.invoice_id
            )
        LIMIT 1' INTO wrong;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'o2b: invoice % cannot be adjusted by this', wrong
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
    """,
)

LINE_MIRRORS = pgtrigger.Trigger(
    name="line_mirrors",
    operation=pgtrigger.Insert,
    when=pgtrigger.After,
    condition=pgtrigger.Q(new__reverses__isnull=False),
    func="""
    IF NEW.cause <> 'reversal' OR NOT EXISTS (
        SELECT FROM billing_invoiceline AS original
            JOIN billing_invoice AS bill ON bill.reverses_id = original.invoice_id
            WHERE original.charge_id = NEW.charge_id AND original.period_start = NEW.period_start
                AND original.segment = NEW.segment AND original.revision = NEW.reverses
                AND original.reverses IS NULL AND original.revision < NEW.revision
                AND original.amount = -NEW.amount AND original.tax = -NEW.tax
                AND original.tax_rate = NEW.tax_rate AND bill.id = NEW.invoice_id
    ) THEN
        RAISE EXCEPTION 'o2b: line % of invoice % reverses no line of another',
            NEW.position, NEW.invoice_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
    """,
)

# A number that was given is never given again, whoever holds the pen, and none is left out: a
# series goes on by the blocks of shards whose run is being approved.
NEVER_BACK = pgtrigger.Trigger(
    name="never_back",
    operation=pgtrigger.Update | pgtrigger.Delete,
    when=pgtrigger.Before,
    func="""
    IF TG_OP = 'DELETE' OR NEW.next_number < OLD.next_number
            OR (NEW.legal_entity_id, NEW.year, NEW.kind, NEW.prefix)
                IS DISTINCT FROM (OLD.legal_entity_id, OLD.year, OLD.kind, OLD.prefix) THEN
        RAISE EXCEPTION 'o2b: a number series goes on, and never back'
            USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.next_number > OLD.next_number AND NEW.next_number > COALESCE((
        SELECT max(shard.invoices + CASE NEW.kind
                WHEN 'credit_note' THEN shard.first_credit ELSE shard.first_number END)
            FROM billing_billrun AS run JOIN billing_shard AS shard ON shard.run_id = run.id
            WHERE run.legal_entity_id = NEW.legal_entity_id AND run.state = 'to_approve'
                AND CASE NEW.kind WHEN 'credit_note' THEN shard.first_credit
                    ELSE shard.first_number END >= OLD.next_number
    ), 0) THEN
        RAISE EXCEPTION 'o2b: numbers from % to % are of no document', OLD.next_number,
            NEW.next_number - 1 USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
    """,
)

# What a wallet gives back is a payment below zero, on the document that corrects what it had paid;
# more is to be paid there then.
NOT_ABOVE = pgtrigger.Trigger(
    name="not_above",
    operation=pgtrigger.Insert,
    when=pgtrigger.After,
    declare=[
        ("paid", "billing_payment%ROWTYPE"),
        ("bill", "billing_invoice%ROWTYPE"),
        ("used", "NUMERIC"),
        ("settled", "NUMERIC"),
        ("given_back", "NUMERIC"),
    ],
    func="""
    SELECT * INTO paid FROM billing_payment WHERE id = NEW.payment_id FOR UPDATE;
    SELECT * INTO bill FROM billing_invoice WHERE id = NEW.invoice_id FOR UPDATE;
    SELECT sum(amount) INTO used FROM billing_allocation WHERE payment_id = NEW.payment_id;
    SELECT sum(allocated.amount), COALESCE(sum(allocated.amount) FILTER (WHERE part.amount < 0), 0)
        INTO settled, given_back
        FROM billing_allocation AS allocated
        JOIN billing_payment AS part ON part.id = allocated.payment_id
        WHERE allocated.invoice_id = NEW.invoice_id;
    IF used > greatest(paid.amount, 0) OR used < least(paid.amount, 0) THEN
        RAISE EXCEPTION 'o2b: % of payment % would be allocated, it is %',
            used, paid.id, paid.amount USING ERRCODE = 'check_violation';
    END IF;
    IF settled - given_back < 0 OR settled > greatest(bill.total, given_back)
            OR bill.total < 0 AND given_back < bill.total THEN
        RAISE EXCEPTION 'o2b: % would be paid on invoice %, it is over %',
            settled, bill.number, bill.total USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.amount > 0 AND EXISTS (SELECT FROM billing_invoice WHERE reverses_id = bill.id) THEN
        RAISE EXCEPTION 'o2b: invoice % was reversed, nothing is paid on it',
            bill.number USING ERRCODE = 'check_violation';
    END IF;
    IF paid.currency <> bill.currency OR paid.account_id <> bill.account_id THEN
        RAISE EXCEPTION 'o2b: payment % and invoice % are of two accounts or currencies',
            paid.id, bill.number USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
    """,
)

# A lot's `left` begins at nothing and is moved by its movements alone: nobody else may say it.
LOT_KEPT = [
    pgtrigger.Trigger(
        name="begins_empty",
        operation=pgtrigger.Insert,
        when=pgtrigger.Before,
        func="""
        IF NEW."left" <> 0 THEN
            RAISE EXCEPTION 'o2b: a lot gets its money by a movement' USING ERRCODE = '23514';
        END IF;
        RETURN NEW;
        """,
    ),
    pgtrigger.Trigger(
        name="moved_by_movements",
        operation=pgtrigger.Update,
        when=pgtrigger.Before,
        func="""
        IF pg_trigger_depth() < 2
                OR (to_jsonb(OLD) - 'left') IS DISTINCT FROM (to_jsonb(NEW) - 'left') THEN
            RAISE EXCEPTION 'o2b: a lot is moved by its movements alone' USING ERRCODE = '23514';
        END IF;
        RETURN NEW;
        """,
    ),
    pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
]

# The UPDATE locks the lot: who draws from it at the same time waits, and sees what is left then.
LOT_MOVES = pgtrigger.Trigger(
    name="moves_its_lot",
    operation=pgtrigger.Insert,
    when=pgtrigger.After,
    declare=[("lot", "billing_walletlot%ROWTYPE"), ("undone", "NUMERIC"), ("drawn", "NUMERIC")],
    func="""
    UPDATE billing_walletlot SET "left" = "left" + NEW.amount WHERE id = NEW.lot_id
        RETURNING * INTO lot;
    IF lot.wallet_id <> NEW.wallet_id OR NEW.kind = 'granted' AND NEW.amount <> lot.amount THEN
        RAISE EXCEPTION 'o2b: this is no movement of lot %', lot.id USING ERRCODE = '23514';
    END IF;
    IF NEW.kind = 'returned' THEN
        SELECT sum(amount) INTO undone FROM billing_walletmovement
            WHERE undoes_id = NEW.undoes_id;
        SELECT -amount INTO drawn FROM billing_walletmovement
            WHERE id = NEW.undoes_id AND lot_id = NEW.lot_id AND kind = 'drawn';
        IF drawn IS NULL OR undone > drawn THEN
            RAISE EXCEPTION 'o2b: % would be given back of a draw of %', undone, drawn
                USING ERRCODE = '23514';
        END IF;
    END IF;
    RETURN NULL;
    """,
)

# What was opened as a rehearsal cannot be turned into a run that may be approved.
KIND_STAYS = pgtrigger.Trigger(
    name="kind_stays",
    operation=pgtrigger.UpdateOf("kind"),
    when=pgtrigger.Before,
    func="""
    IF NEW.kind <> OLD.kind THEN
        RAISE EXCEPTION 'o2b: a rehearsal stays one, and a run too' USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
    """,
)

# A run whose documents have numbers is part of the books: they, their shards and words name it.
KEPT_ONCE_APPROVED = pgtrigger.Trigger(
    name="kept_once_approved",
    operation=pgtrigger.Delete,
    when=pgtrigger.Before,
    condition=pgtrigger.Q(old__approved_at__isnull=False),
    func="""
    RAISE EXCEPTION 'o2b: run % was approved, so it stays', OLD.id USING ERRCODE = '23514';
    """,
)
