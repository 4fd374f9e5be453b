"""To whom a letter of a task goes: the account's contact, its advocate, or an address."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from o2b.customers.models import Account, Contact

CONTACT, ADVOCATE = "contact", "advocate"


def address_fault(value: object) -> str:
    if value in (CONTACT, ADVOCATE):
        return ""
    try:
        validate_email(value if isinstance(value, str) else "")
    except ValidationError:
        return "contact, advocate, or an e-mail address"
    return ""


def contact_of(account: Account) -> str:
    """The address of the account's contact, who signs before others; empty when there is none."""
    people = Contact.objects.filter(customer=account.customer_id).exclude(email="")
    found = people.order_by("-signs", "pk").values_list("email", flat=True).first()
    return found or ""


def address_of(to: str, account: Account) -> str:
    """The address that is meant; empty when there is none."""
    if to == CONTACT:
        return contact_of(account)
    return account.advocate.email if to == ADVOCATE else to
