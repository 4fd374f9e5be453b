"""Accounts whose bills are split or too small, and what documents say of them."""

from datetime import date
from decimal import Decimal
from typing import Any

from billing.models import CarriedBill, Invoice
from o2b import events
from o2b.catalog.models import ProductVersion
from o2b.customers.models import Account
from orders.acceptance.services import place_order
from orders.models import Order
from quotes.inputs import LineInput
from quotes.services import draft_quote, send_quote
from tests.billing.worlds import AT, START, taken_over
from tests.factories import a_product, an_account, monthly

D = Decimal
SITE = [{"name": "site", "type": "text"}]


def split_by(how: str, **given: Any) -> Account:
    return an_account(invoice_split=how, **given)


def sited(price: str, **given: Any) -> ProductVersion:
    """A product that asks where it is delivered to."""
    return a_product(charges=[monthly(price)], characteristics=SITE, **given)


def sold(
    account: Account,
    price: str | ProductVersion = "10.00",
    *,
    po_number: str = "",
    site: str = "",
    quantity: str = "1",
    start_on: date = START,
) -> Order:
    """One service, in use and billed from `start_on` on."""
    version = sited(price) if isinstance(price, str) else price
    said = {"site": site} if site else {}
    quote = draft_quote(
        account_id=account.pk,
        owner_id=account.advocate_id,
        valid_until=date(2026, 12, 31),
        start_on=start_on,
        lines=[LineInput(version.product.code, quantity, characteristics=said)],
        at=AT,
    )
    send_quote(quote_id=quote.pk, at=AT)
    at = taken_over(start_on)
    order = place_order(quote_id=quote.pk, by="the customer", at=at, po_number=po_number)
    events.drain()
    return order


def papers(account: Account) -> list[tuple[str, str]]:
    """(what it is for, net) of each document, in the order of their numbers."""
    found = Invoice.objects.filter(account=account).order_by("serial")
    return [(each.about, f"{each.net:.2f}") for each in found]


def taxes(account: Account) -> list[str]:
    found = Invoice.objects.filter(account=account).order_by("serial")
    return [f"{each.tax:.2f}" for each in found]


def carried(account: Account) -> list[tuple[str, str]]:
    """(total, since) of each run that carried its bill over."""
    found = CarriedBill.objects.filter(account=account).order_by("pk")
    return [(f"{each.total:.2f}", str(each.since)) for each in found]
