"""The triggers of accounts: no account is above itself, and who bills for a child can do so."""

import pgtrigger

# All who tie families do so one after the other: two ties at once could make a ring.
FITS_ABOVE = pgtrigger.Trigger(
    name="fits_below_its_parent",
    operation=pgtrigger.Insert
    | pgtrigger.UpdateOf("parent_id", "billed_to_parent", "legal_entity_id", "currency"),
    when=pgtrigger.After,
    condition=pgtrigger.Q(new__parent__isnull=False),
    declare=[("above", "customers_account%ROWTYPE")],
    func="""
    IF TG_OP = 'UPDATE' AND (NEW.parent_id, NEW.billed_to_parent, NEW.legal_entity_id, NEW.currency)
            IS NOT DISTINCT FROM
            (OLD.parent_id, OLD.billed_to_parent, OLD.legal_entity_id, OLD.currency) THEN
        RETURN NULL;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('o2b.customers.families'));
    IF EXISTS (
        WITH RECURSIVE up AS (
            SELECT NEW.parent_id AS id
            UNION
            SELECT account.parent_id FROM up JOIN customers_account AS account
                ON account.id = up.id WHERE account.parent_id IS NOT NULL
        ) SELECT FROM up WHERE id = NEW.id
    ) THEN
        RAISE EXCEPTION 'o2b: account % would be above itself', NEW.reference
            USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.billed_to_parent THEN
        SELECT * INTO above FROM customers_account WHERE id = NEW.parent_id;
        IF (above.legal_entity_id, above.currency)
                IS DISTINCT FROM (NEW.legal_entity_id, NEW.currency) THEN
            RAISE EXCEPTION 'o2b: % has another seller or currency than its parent', NEW.reference
                USING ERRCODE = 'check_violation';
        END IF;
        IF above.state <> 'open' AND (TG_OP = 'INSERT' OR NOT OLD.billed_to_parent
                OR NEW.parent_id IS DISTINCT FROM OLD.parent_id) THEN
            RAISE EXCEPTION 'o2b: % cannot be billed to a closed account', NEW.reference
                USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    RETURN NULL;
    """,
)

FITS_BELOW = pgtrigger.Trigger(
    name="fits_above_its_children",
    operation=pgtrigger.UpdateOf("legal_entity_id", "currency", "state"),
    when=pgtrigger.After,
    func="""
    IF (NEW.legal_entity_id, NEW.currency) IS DISTINCT FROM (OLD.legal_entity_id, OLD.currency)
            OR NEW.state = 'closed' AND OLD.state <> 'closed' THEN
        PERFORM pg_advisory_xact_lock(hashtext('o2b.customers.families'));
        IF EXISTS (
            SELECT FROM customers_account AS child
                WHERE child.parent_id = NEW.id AND child.billed_to_parent
                AND (child.state = 'open' OR NEW.state = OLD.state)
        ) THEN
            RAISE EXCEPTION 'o2b: % has children on its bills', NEW.reference
                USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    RETURN NULL;
    """,
)

FAMILY = [FITS_ABOVE, FITS_BELOW]
