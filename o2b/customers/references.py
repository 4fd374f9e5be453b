"""Which rows a client means: by number, or by the code, reference or name that people use."""

from collections.abc import Sequence

from django.contrib.auth import get_user_model
from django.utils.translation import gettext as _

from o2b.customers.models import Account, LegalEntity
from o2b.errors import Refused


class UnknownReference(Refused):
    """A reference that names nothing."""

    code = "not_found"
    status = 404


def account_named(given: int | str, *, field: str = "account") -> Account:
    """The account with its test clock, by key (a number) or by reference (a string)."""
    named = {"reference": given} if isinstance(given, str) else {"pk": given}
    account = Account.objects.select_related("test_clock").filter(**named).first()
    if account is None:
        raise _unknown(_("There is no account “%(given)s”."), given, field)
    return account


def accounts_named(given: Sequence[int | str], *, field: str = "accounts") -> list[int]:
    """The keys of accounts, each by key or by reference, in two queries at most."""
    by_key = {name for name in given if isinstance(name, int)}
    by_reference = {name for name in given if isinstance(name, str)}
    known: dict[int | str, int] = {}
    known |= {pk: pk for (pk,) in Account.objects.filter(pk__in=by_key).values_list("pk")}
    known |= Account.objects.filter(reference__in=by_reference).values_list("reference", "pk")
    for index, name in enumerate(given):
        if name not in known:
            raise _unknown(_("There is no account “%(given)s”."), name, f"{field}[{index}]")
    return [known[name] for name in given]


def legal_entity_named(code: str, *, field: str = "legal_entity") -> int:
    """The key of the legal entity with this code."""
    pk = LegalEntity.objects.filter(code=code).values_list("pk", flat=True).first()
    if pk is None:
        raise _unknown(_("There is no legal entity “%(given)s”."), code, field)
    return pk


def person_named(username: str, *, field: str = "advocate") -> int:
    """The key of the person who logs in by this name."""
    people = get_user_model().objects.filter(username=username, is_active=True)
    pk = people.values_list("pk", flat=True).first()
    if pk is None:
        raise _unknown(_("There is nobody called “%(given)s”."), username, field)
    return int(pk)


def _unknown(message: str, given: int | str, field: str) -> UnknownReference:
    return UnknownReference(message % {"given": str(given)[:60]}, field=field)
