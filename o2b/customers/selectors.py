"""Questions about customers: lists, one account with its facts, the account that words mean."""

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from o2b.customers.models import Account, Contact, Customer

MOST_MATCHES = 20
GERMAN_SPOKEN = {"DE", "AT", "CH", "LI"}


def accounts_for_list() -> QuerySet[Account]:
    """Every account with what a list shows of it."""
    return Account.objects.select_related("customer", "advocate")


def get_account(account_id: int) -> Account:
    """One account with everything its page shows; a missing one is a 404."""
    related = ("customer", "legal_entity", "advocate", "parent", "test_clock")
    return Account.objects.select_related(*related).get(pk=account_id)


def accounts_like(words: str, *, closed_too: bool = False) -> QuerySet[Account]:
    """Open accounts whose reference, name or customer holds every word."""
    found = Account.objects.all()
    if not closed_too:
        found = found.filter(state=Account.State.OPEN)
    for word in words.replace("\0", "").split():
        found = found.filter(
            Q(reference__icontains=word)
            | Q(name__icontains=word)
            | Q(customer__name__icontains=word)
        )
    return found.order_by("name", "reference")


def accounts_meant(words: str) -> list[Account]:
    """The account of exactly that reference or name, else those that hold the words."""
    clean = words.replace("\0", "").strip()
    related = ("customer", "test_clock", "legal_entity")
    exact = Account.objects.select_related(*related).filter(
        Q(reference__iexact=clean) | Q(name__iexact=clean)
    )
    found = list(exact.order_by("reference")[:MOST_MATCHES])
    by_reference = [account for account in found if account.reference.lower() == clean.lower()]
    if by_reference or found:
        return by_reference[:1] or found
    return list(accounts_like(clean).select_related(*related)[:MOST_MATCHES]) if clean else []


def written_to(customers: Iterable[int]) -> dict[int, Contact]:
    """Who gets a customer's letters: a contact who may sign, else the first one there was."""
    found: dict[int, Contact] = {}
    for contact in Contact.objects.filter(customer__in=customers).order_by("signs", "-pk"):
        found[contact.customer_id] = contact
    return found


def language_of(customer: Customer) -> str:
    """The language in which a customer is written to: what was said, else that of its country."""
    if customer.language:
        return customer.language
    return "de" if customer.country in GERMAN_SPOKEN else "en"
