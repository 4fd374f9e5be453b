"""Which row a client means: an account by its number or by the reference that people use."""

from django.utils.translation import gettext as _

from o2b.customers.models import Account
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
        message = _("There is no account “%(given)s”.") % {"given": str(given)[:60]}
        raise UnknownReference(message, field=field)
    return account
