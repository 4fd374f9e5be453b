"""A run whose worker is killed and whose Redis is emptied ends like one that nobody disturbed."""

from datetime import timedelta
from hashlib import sha256

import pytest

from billing.models import BillRun, DraftLine, InvoiceLine
from billing.runs.services import approve_run, open_run, opening
from o2b import events
from o2b.customers.models import LegalEntity
from o2b.events import outbox
from tests.billing.worlds import AT, JANUARY, in_service
from tests.factories import a_product, a_user, an_account, an_entity, monthly
from tests.workers import Workers

pytestmark = [pytest.mark.workers, pytest.mark.django_db(transaction=True)]

ACCOUNTS = 12


def digest(entity: LegalEntity) -> str:
    """Over numbers, lines, Terms and amounts; accounts count by their place."""
    lines = InvoiceLine.objects.filter(invoice__legal_entity=entity)
    first = lines.order_by("account_id").values_list("account_id", flat=True)[0]
    rows = [
        (number, account_id - first, *rest)
        for number, account_id, *rest in lines.order_by("invoice__serial", "position").values_list(
            "invoice__number",
            "account_id",
            "charge__terms__digest",
            "period_start",
            "quantity",
            "amount",
            "invoice__total",
        )
    ]
    assert len(rows) == 2 * ACCOUNTS
    return sha256(repr(rows).encode()).hexdigest()


def opened(entity: LegalEntity) -> BillRun:
    return open_run(legal_entity_id=entity.pk, on=JANUARY, opened_by_id=a_user().pk, at=AT)


def is_at(run: BillRun, state: str) -> bool:
    """Sends again what was lost, as beat does."""
    events.sweep(older_than=timedelta(seconds=1))
    return BillRun.objects.filter(pk=run.pk, state=state).exists()


def test_killed_and_emptied(monkeypatch: pytest.MonkeyPatch, workers: Workers) -> None:
    monkeypatch.setattr(opening, "MOST_ACCOUNTS", 2)
    monkeypatch.setattr(outbox, "LEASE", timedelta(seconds=2))
    entities = [an_entity(code="one"), an_entity(code="two")]
    products = [a_product(charges=[monthly(price)]) for price in ("19.90", "7.77")]
    for entity in entities:
        for n in range(ACCOUNTS):
            in_service(products, account=an_account(legal_entity=entity), quantity=str(n % 3 + 1))
    disturbed, calm = map(opened, entities)
    workers.kill9(0)
    workers.empty_redis()
    workers.wait_until(lambda: is_at(disturbed, "to_approve"), seconds=90)
    approve_run(run_id=disturbed.pk, user_id=a_user().pk, at=AT)
    workers.empty_redis()
    workers.kill9(1)
    workers.add()
    workers.wait_until(lambda: is_at(disturbed, "finalised"), seconds=90)
    workers.wait_until(lambda: is_at(calm, "to_approve"), seconds=90)
    approve_run(run_id=calm.pk, user_id=a_user().pk, at=AT)
    workers.wait_until(lambda: is_at(calm, "finalised"), seconds=90)
    assert DraftLine.objects.count() == 0
    assert digest(entities[0]) == digest(entities[1])
