"""LinesOwed: what documents that were written owe of lines, until their transaction ends."""

import pgtrigger
from django.db import models

# A row per statement, not per document: lines that documents say they have, less lines that came.
# Lines come all at once for a document and are held against it (`billing.models.complete`), so that
# none of its documents lacks any where a transaction owes nothing in all.
OWES_LINES = pgtrigger.Trigger(
    name="owes_lines",
    operation=pgtrigger.Insert,
    level=pgtrigger.Statement,
    when=pgtrigger.After,
    referencing=pgtrigger.Referencing(new="added"),
    func="""
    INSERT INTO billing_linesowed (transaction, lines)
        SELECT pg_current_xact_id()::text::bigint, owed
            FROM (SELECT sum(line_count) AS owed FROM added) AS documents WHERE owed > 0;
    RETURN NULL;
    """,
)

LINES_CAME = """INSERT INTO billing_linesowed (transaction, lines)
        SELECT pg_current_xact_id()::text::bigint, -number WHERE number > 0;"""

OWES_NOTHING = pgtrigger.Trigger(
    name="owes_nothing",
    operation=pgtrigger.Insert,
    when=pgtrigger.After,
    timing=pgtrigger.Deferred,
    declare=[("owed", "NUMERIC")],
    func="""
    WITH told AS (DELETE FROM billing_linesowed WHERE transaction = NEW.transaction RETURNING lines)
        SELECT sum(lines) INTO owed FROM told;
    IF owed <> 0 THEN
        RAISE EXCEPTION 'o2b: a document is written with its lines; % are missing', owed
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
    """,
)

# A document of discounts and true-ups alone has no lines; few are, so each is looked at by itself.
HAS_SOMETHING = pgtrigger.Trigger(
    name="has_something",
    operation=pgtrigger.Insert,
    when=pgtrigger.After,
    timing=pgtrigger.Deferred,
    condition=pgtrigger.Q(new__line_count=0),
    func="""
    IF NOT EXISTS (SELECT FROM billing_invoiceadjustment WHERE invoice_id = NEW.id) THEN
        RAISE EXCEPTION 'o2b: document % is of nothing', NEW.number
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
    """,
)


class LinesOwed(models.Model):
    """Lines that are still to come in a transaction, negative those that came; empty for others."""

    transaction = models.BigIntegerField(db_index=True)
    lines = models.BigIntegerField()

    class Meta:
        verbose_name_plural = "lines owed"
        triggers = [OWES_NOTHING]

    def __str__(self) -> str:
        return f"{self.transaction}: {self.lines}"
