"""Invoices as rows: what a finalised run leaves behind, without running one."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from typing import Any

from billing.models import BillRun, Charge, Invoice, InvoiceLine
from o2b.catalog.models import ProductVersion
from o2b.customers.models import Account
from o2b.periods import add_months
from subscriptions.models import Item
from subscriptions.services import start_items
from tests.factories import a_product, a_user, an_account, monthly
from tests.subscriptions.build import a_line, an_order

ISSUED_ON = date(2026, 3, 1)
AT = datetime(2026, 3, 1, 9, tzinfo=UTC)

_serials = count(1)


def a_run(*, account: Account, **given: Any) -> BillRun:
    """A run of the account's legal entity; finalised unless told otherwise."""
    fields = {
        "legal_entity": account.legal_entity,
        "on": ISSUED_ON,
        "opened_at": AT,
        "state": BillRun.State.FINALISED,
    } | given
    if "opened_by" not in fields:
        fields["opened_by"] = a_user()
    return BillRun.objects.create(**fields)


def items_of(account: Account, products: Sequence[ProductVersion], **line: Any) -> list[Item]:
    """Items in service, one a product, from an order of their own."""
    order = an_order(account)
    for version in products:
        a_line(order, version, **line)
    start_items(order_id=order.pk, at=AT)
    return list(Item.objects.filter(subscription__order=order).order_by("pk"))


def charges_of(items: Sequence[Item]) -> list[Charge]:
    """A charge for every TermsCharge of every item, as billing opens them."""
    found: list[Charge] = []
    for item in items:
        account, terms = item.subscription.account, item.versions.get().terms
        for each in terms.charges.order_by("position"):
            charge, _ = Charge.objects.get_or_create(
                item=item,
                terms_charge=each,
                defaults={
                    "terms": terms,
                    "account": account,
                    "legal_entity_id": account.legal_entity_id,
                    "currency": terms.currency,
                    "started_on": item.started_on,
                    "anchor_day": account.bill_day,
                },
            )
            found.append(charge)
    return found


def an_invoice(
    total: str = "49.90",
    *,
    account: Account | None = None,
    charge: Charge | None = None,
    issued_on: date = ISSUED_ON,
    due_on: date | None = None,
    number: str | None = None,
    run: BillRun | None = None,
    text: str = "Fibre",
    **line: Any,
) -> Invoice:
    """An invoice (a credit note when below zero) of one line for the month that it is issued in."""
    account = account or (charge.account if charge else an_account())
    if charge is None:
        charge = charges_of(items_of(account, [a_product(charges=[monthly(total.lstrip("-"))])]))[0]
    serial, amount = next(_serials), Decimal(total)
    invoice = Invoice.objects.create(
        number=number or f"INV-{serial:06d}",
        serial=serial,
        legal_entity=account.legal_entity,
        account=account,
        run=run or a_run(account=account),
        kind=Invoice.Kind.CREDIT_NOTE if amount < 0 else Invoice.Kind.INVOICE,
        currency=account.currency,
        issued_on=issued_on,
        due_on=due_on or add_months(issued_on, 1),
        net=amount,
        tax=0,
        total=amount,
        line_count=1,
    )
    start = issued_on.replace(day=1)
    fields: dict[str, Any] = {
        "period_start": start,
        "period_end": add_months(start, 1),
        "served_from": start,
        "served_to": add_months(start, 1),
        "segment": 1,
        "revision": InvoiceLine.objects.filter(charge=charge, period_start=start).count() + 1,
        "quantity": 1,
        "cause": "period",
    } | line
    InvoiceLine.objects.create(
        invoice=invoice,
        position=1,
        charge=charge,
        account_id=account.pk,
        amount=amount,
        text=text,
        **fields,
    )
    return invoice
