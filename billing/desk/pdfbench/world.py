"""Invoices to set: so many accounts, each with its own name, lines and amounts, billed by a run."""

from django.db import connection

from billing.models import BillRun
from billing.runs.bench.world import AT, ON, SEEDS
from billing.runs.bench.world import build as build_accounts
from billing.runs.services import approve_run, open_run
from o2b import events
from o2b.customers.layouts import Sending
from o2b.customers.models import LegalEntity
from o2b.people.services import ensure_service_user

__all__ = ["AT", "SEEDS", "build"]
LINES = 4
# No two invoices are alike: other names, addresses, quantities.
DIFFERENT = """
UPDATE customers_account SET
    name = 'Customer ' || id || ' ' || substr(md5(id::text), 1, 8) || ' GmbH',
    address = substr(md5(id::text || 's'), 1, 10) || 'straße ' || id %% 200 || E'\\n'
        || lpad((id * 37 %% 99999)::text, 5, '0') || ' ' || initcap(substr(md5(id::text), 9, 9))
"""


def build(*, invoices: int) -> BillRun:
    """A final run of so many invoices of a seller who keeps their PDFs; nothing is made yet."""
    entity = build_accounts(accounts=invoices, lines=LINES, faults=0)
    LegalEntity.objects.filter(pk=entity.pk).update(
        name="Nordlicht Telecom GmbH",
        address="Kaistraße 1\n20457 Hamburg",
        tax_id="DE123456789",
        iban="DE02120300000000202051",
    )
    with connection.cursor() as cursor:
        cursor.execute(DIFFERENT.replace("%%", "%"))
    opener, approver = (ensure_service_user(username=name).pk for name in ("bench", "approver"))
    run = open_run(legal_entity_id=entity.pk, on=ON, opened_by_id=opener, at=AT)
    events.drain()
    approve_run(run_id=run.pk, user_id=approver, at=AT)
    events.drain()
    LegalEntity.objects.filter(pk=entity.pk).update(sending=Sending.PORTAL)
    run.refresh_from_db()
    return run
