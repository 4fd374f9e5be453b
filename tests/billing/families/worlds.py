"""Small families for tests: a parent, and children whose lines are on its bills."""

from typing import Any

from billing.models import Invoice, InvoiceLine, InvoicePart
from o2b.customers.families import Tie
from o2b.customers.models import Account
from o2b.customers.services import change_account
from tests.billing.worlds import AT, in_service
from tests.factories import a_product, an_account, monthly


def an_account_with(price: str, **given: Any) -> Account:
    """An account with one monthly service."""
    code = given.pop("tax_code", "")
    return in_service(
        [a_product(charges=[monthly(price, tax_code=code)])], account=an_account(**given)
    )


def tied(account: Account, parent: Account | None, *, billed: bool = True) -> Account:
    """Belongs to another account from now on, and is billed there or not."""
    return say(account, Tie(parent.pk if parent else None, billed and parent is not None))


def say(account: Account, tie: Tie) -> Account:
    """Change where an account belongs and nothing else."""
    kept = ("name", "advocate_id", "bill_day", "time_zone", "payment_days", "tax_exempt", "address")
    account.refresh_from_db()
    return change_account(
        account_id=account.pk,
        **{name: getattr(account, name) for name in kept},
        tied=tie,
        at=AT,
    )


def a_family(*prices: str, **given: Any) -> list[Account]:
    """A payer and its members, each with a monthly service of these prices."""
    payer, *members = [an_account_with(price, **given) for price in prices]
    return [payer, *(tied(member, payer) for member in members)]


def documents(account: Account) -> list[tuple[str, str, str]]:
    """(net, tax, total) of each document that is issued to an account."""
    found = Invoice.objects.filter(account=account).order_by("serial")
    return [(f"{x.net:.2f}", f"{x.tax:.2f}", f"{x.total:.2f}") for x in found]


def lines_on(account: Account) -> list[tuple[int, str]]:
    """(whose, net) of each line on the documents that are issued to an account."""
    found = InvoiceLine.objects.filter(invoice__account=account)
    rows = found.order_by("invoice__serial", "position")
    return [(row.account_id, f"{row.amount:.2f}") for row in rows]


def parts(account: Account) -> list[tuple[int, str, str]]:
    """(whose, net, tax) of each part of the documents that are issued to an account."""
    found = InvoicePart.objects.filter(invoice__account=account).order_by("pk")
    return [(row.account_id, f"{row.net:.2f}", f"{row.tax:.2f}") for row in found]
