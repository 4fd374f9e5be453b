"""A worker that has just started asks once what shards ask, so that its first one is no slower."""

import logging
from datetime import datetime

from django.db import transaction

from billing.models import BillRun, Shard
from billing.runs.copying import Numbering, finalise_drafts
from billing.runs.selectors.scope import Scope
from billing.runs.services.drafting import make_drafts
from billing.runs.services.made import count_shard
from o2b.customers.models import LegalEntity

NOBODY = -1  # no account has this id, nor a run or shard
log = logging.getLogger(__name__)


def warm_up(*, at: datetime) -> bool:
    """Draft, check and finalise nobody, and undo it; whether that went well.

    A session of Postgres reads what it knows of tables, triggers and functions when these are first
    asked for, which takes a tenth of a second. What goes wrong here is only told:
    before a house is set up there are no tables, and the first shard will say what it lacks.
    """
    try:
        with transaction.atomic():
            for entity in LegalEntity.objects.order_by("pk")[:1]:
                _bill_nobody(entity, at)
            transaction.set_rollback(True)
    except Exception:
        log.warning("a worker starts without having been warmed up", exc_info=True)
        return False
    return True


def _bill_nobody(entity: LegalEntity, at: datetime) -> None:
    run = BillRun(pk=NOBODY, legal_entity=entity, on=at.date(), opened_at=at)
    shard = Shard(pk=NOBODY, run=run, n=1, first_account=NOBODY, last_account=NOBODY)
    scope = Scope(entity.pk, NOBODY, NOBODY)
    count_shard(shard, scope, make_drafts(run, shard, scope, at=at))
    finalise_drafts(run, shard, numbering=Numbering("", 1, 1))
