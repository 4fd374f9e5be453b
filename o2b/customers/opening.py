"""Open accounts in bulk: what packs, imports and demos call instead of a form."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from o2b.customers.models import Account, Contact, Customer, LegalEntity
from o2b.models import TestClock


@dataclass(frozen=True, slots=True)
class NewAccount:
    """One customer with one account; what is not said follows the legal entity."""

    reference: str
    name: str
    advocate_id: int
    segment: str = ""
    country: str = ""
    bill_day: int = 1
    payment_method: str = ""
    payment_days: int = 14
    time_zone: str = "UTC"
    address: str = ""
    # Who is written to, if we know anybody.
    contact: str = ""
    email: str = ""


def ensure_legal_entity(
    *, code: str, name: str, country: str, currency: str, **others: Any
) -> LegalEntity:
    """The seller of that code; made with these facts if it is not there yet."""
    facts = {"name": name, "country": country, "currency": currency} | others
    return LegalEntity.objects.get_or_create(code=code, defaults=facts)[0]


@transaction.atomic
def open_accounts(
    *, entity: LegalEntity, wanted: Sequence[NewAccount], test_clock: TestClock | None = None
) -> list[Account]:
    """A customer and an account each, in order, and their contacts, in three statements."""
    customers = Customer.objects.bulk_create(
        Customer(name=new.name, segment=new.segment, country=new.country) for new in wanted
    )
    Contact.objects.bulk_create(
        Contact(customer=customer, name=new.contact or new.name, email=new.email, signs=True)
        for new, customer in zip(wanted, customers, strict=True)
        if new.email
    )
    return Account.objects.bulk_create(
        Account(
            reference=new.reference,
            name=new.name,
            legal_entity=entity,
            customer=customer,
            advocate_id=new.advocate_id,
            currency=entity.currency,
            bill_day=new.bill_day,
            time_zone=new.time_zone,
            payment_days=new.payment_days,
            payment_method=new.payment_method,
            address=new.address,
            test_clock=test_clock,
        )
        for new, customer in zip(wanted, customers, strict=True)
    )
