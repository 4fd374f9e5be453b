"""Finance sets the fuses and rules of a legal entity's runs."""

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from billing.models import RunRules
from o2b import events
from o2b.customers.models import LegalEntity
from o2b.errors import Invalid


class RulesInvalid(Invalid):
    code = "rules_invalid"


@transaction.atomic
def set_rules(
    *, legal_entity_id: int, at: datetime, actor_id: int | None = None, **told: Any
) -> RunRules:
    """Change what is told; every shard that is drafted from now on obeys.

    The event keeps what was and what is, for a fuse that is lifted is a control that is gone.
    """
    entity = LegalEntity.objects.select_for_update().get(pk=legal_entity_id)
    rules = RunRules.objects.filter(legal_entity=entity).first() or RunRules(legal_entity=entity)
    changed = {
        name: {"was": _text(getattr(rules, name)), "is": _text(value)}
        for name, value in told.items()
        if getattr(rules, name) != value
    }
    for name, value in told.items():
        setattr(rules, name, value)
    try:
        rules.full_clean()
    except ValidationError as exc:
        field, messages = next(iter(exc.message_dict.items()))
        raise RulesInvalid(messages[0], field=field) from exc
    rules.save()
    if changed:
        events.record("run_rules.set", rules, at=at, actor_id=actor_id, changed=changed)
    return rules


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
