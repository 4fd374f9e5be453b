"""Whose bills a run makes: all of a seller, a bill day, a group, or accounts by name."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from billing.families.services.opening import with_families
from o2b.customers.models import Account
from o2b.errors import Invalid


class ScopeEmpty(Invalid):
    code = "scope_empty"


def chosen(
    *,
    legal_entity_id: int,
    account_ids: Sequence[int] | None,
    bill_day: int | None,
    bill_group: str,
) -> list[int] | None:
    """Accounts in ascending order; None: all of the legal entity."""
    if account_ids is not None and not account_ids:
        raise ScopeEmpty(_("A run needs an account."), field="accounts")
    if bill_day is None and not bill_group:
        if account_ids is None:
            return None
        return with_families(legal_entity_id=legal_entity_id, account_ids=account_ids, by_name=True)
    rows = Account.objects.filter(legal_entity_id=legal_entity_id)
    field = "bill_day"
    if account_ids is not None:
        rows = rows.filter(pk__in=account_ids)
    if bill_day is not None:
        rows = rows.filter(bill_day=bill_day)
    if bill_group:
        rows, field = rows.filter(bill_group=bill_group), "bill_group"
    found = with_families(
        legal_entity_id=legal_entity_id,
        account_ids=list(rows.values_list("pk", flat=True)),
        by_name=False,
    )
    if not found:
        raise ScopeEmpty(_("No account is billed so."), field=field)
    return found
