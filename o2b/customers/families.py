"""Who stands above an account, who bills for it, and what is refused when that is said."""

from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from o2b.customers.models import Account
from o2b.errors import Invalid
from o2b.sql import ask

# Several families are tied one after the other, here as in the triggers of accounts.
ONE_BY_ONE = "SELECT pg_advisory_xact_lock(hashtext('o2b.customers.families'))"
UP = """
WITH RECURSIVE up AS (
    SELECT account.id, account.parent_id, account.billed_to_parent, 1 AS step
        FROM customers_account AS account WHERE account.id = %s
    UNION
    SELECT above.id, above.parent_id, above.billed_to_parent, up.step + 1
        FROM up JOIN customers_account AS above ON above.id = up.parent_id WHERE up.step < 1000
)
SELECT id, billed_to_parent FROM up ORDER BY step
"""


class FamilyInvalid(Invalid):
    code = "family_invalid"


class Tie(NamedTuple):
    """What an account belongs to, and whether its bills go there."""

    parent_id: int | None = None
    billed_to_parent: bool = False


def above(account_id: int) -> list[tuple[int, bool]]:
    """The account and all above it, the nearest first; each with whether it is billed upwards."""
    return _ask(UP, [account_id])


def payer_of(account: Account) -> Account:
    """Whose bills its lines are on: the nearest above it with bills of its own, or itself."""
    if not account.billed_to_parent:
        return account
    payer = next(pk for pk, is_billed in above(account.pk) if not is_billed)
    return Account.objects.get(pk=payer)


def tie(account: Account, said: Tie) -> list[str]:
    """Set both on an account that the caller holds and saves; the fields that changed."""
    if (account.parent_id, account.billed_to_parent) == tuple(said):
        return []
    _ask(ONE_BY_ONE, [])
    parent = None
    if said.parent_id is not None:
        parent = Account.objects.get(pk=said.parent_id)
        _refuse_ring(account, parent)
    if said.billed_to_parent:
        _refuse_payer(account, parent)
    names = ("parent_id", "billed_to_parent")
    before = [getattr(account, name) for name in names]
    account.parent, account.billed_to_parent = parent, said.billed_to_parent
    return [
        name.removesuffix("_id")
        for name, old in zip(names, before, strict=True)
        if getattr(account, name) != old
    ]


def _refuse_ring(account: Account, parent: Account) -> None:
    if account.pk is not None and account.pk in {pk for pk, _billed in above(parent.pk)}:
        raise FamilyInvalid(
            _("%(parent)s is %(account)s itself or belongs to it; choose an account above it.")
            % {"parent": parent, "account": account},
            field="parent",
        )


def _refuse_payer(account: Account, parent: Account | None) -> None:
    if parent is None:
        raise FamilyInvalid(
            _("Say whose bills it is on: name the account that it belongs to."), field="parent"
        )
    payer = payer_of(parent)
    told = {"payer": payer, "account": account}
    if payer.legal_entity_id != account.legal_entity_id:
        text = _("%(payer)s buys from another seller; leave %(account)s with bills of its own.")
        raise FamilyInvalid(text % told, field="billed_to_parent")
    if payer.currency != account.currency:
        text = _("%(payer)s pays in another currency; leave %(account)s with bills of its own.")
        raise FamilyInvalid(text % told, field="billed_to_parent")
    if payer.invoice_split:
        text = _("%(payer)s has several bills; let it have one, or leave %(account)s apart.")
        raise FamilyInvalid(text % told, field="billed_to_parent")
    if not payer.is_open or not parent.is_open:
        text = _("%(payer)s is closed; leave %(account)s with bills of its own.")
        raise FamilyInvalid(
            text % {**told, "payer": payer if not payer.is_open else parent},
            field="billed_to_parent",
        )


def refuse_split(account: Account) -> None:
    """All of a family have one document together."""
    if not account.invoice_split:
        return
    if account.billed_to_parent:
        text = _("It is billed by the account above; what is to be split are bills of its own.")
        raise FamilyInvalid(text, field="invoice_split")
    if account.pk is not None and (children := children_on_its_bills(account)):
        names = ", ".join(child.reference for child in children)
        text = _("%(names)s are billed on its bills, and share one document with it.")
        raise FamilyInvalid(text % {"names": names}, field="invoice_split")


def children_on_its_bills(account: Account) -> list[Account]:
    """Open accounts right below it whose lines are on its bills, or go up through it; a few.

    Nobody ties another one before the caller is done.
    """
    _ask(ONE_BY_ONE, [])
    rows = Account.objects.filter(parent=account, billed_to_parent=True, state=Account.State.OPEN)
    return list(rows.order_by("reference")[:5])


def _ask(question: str, values: list[Any]) -> list[Any]:
    return ask(question, values)
