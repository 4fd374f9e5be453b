"""Who writes a document, and to whom: names and addresses, line by line."""

from babel import Locale
from django.utils.translation import get_language

from billing.invoices.layout import broken_up
from o2b.customers.models import Account, LegalEntity


def seller_lines(seller: LegalEntity) -> list[str]:
    """Name, address and country of who writes."""
    parts = [seller.name, *_lines(seller.address), _country(seller.country)]
    return [broken_up(part) for part in parts]


def customer_lines(account: Account) -> list[str]:
    """The customer, the account where it has another name, its address."""
    name = account.customer.name
    other = [account.name] if account.name != name else []
    return [broken_up(part) for part in (name, *other, *_lines(account.address))]


def _country(code: str) -> str:
    """'Germany' for DE, in the reader's language; a code that nobody knows stays as it is."""
    locale = Locale.parse(get_language() or "en", sep="-")
    return locale.territories.get(code, code)


def _lines(address: str) -> list[str]:
    return [line.strip() for line in address.splitlines() if line.strip()]
