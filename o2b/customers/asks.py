"""What customers answers when a door of the ground asks."""

from typing import Any

from django.utils.translation import gettext as _

from o2b.asks import Found
from o2b.customers import selectors

MOST_FOUND = 8


def search(user: Any, text: str) -> list[Found]:
    """Accounts by number, name or customer, closed ones too."""
    if not user.has_perm("customers.view_account"):
        return []
    return [
        Found(_("Account"), account.name, account.get_absolute_url(), account.reference)
        for account in selectors.accounts_like(text, closed_too=True)[:MOST_FOUND]
    ]
