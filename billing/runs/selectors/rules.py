"""Which fuses and rules a legal entity's runs obey."""

from billing.models import RunRules


def rules_of(legal_entity_id: int) -> RunRules:
    """Its own, or the defaults, which are not saved."""
    found = RunRules.objects.filter(legal_entity_id=legal_entity_id).first()
    return found or RunRules(legal_entity_id=legal_entity_id)
