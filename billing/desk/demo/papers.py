"""Two of the demo's customers: one whose bills are split by purchase order, one with tiny bills."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from o2b.customers.layouts import Split
from o2b.customers.models import Account, LegalEntity
from o2b.customers.opening import NewAccount, open_accounts
from o2b.customers.services import change_account
from orders.models import Order
from orders.services import enter_order
from quotes.inputs import LineInput

SPLIT, SMALL = "N-ORDERS", "N-SMALL"
ORDERED = (("PO 2211", "cloud-backup", 4), ("PO 2304", "domain", 2))
LEAST = Decimal("25.00")


@transaction.atomic
def arrange_papers(entity: LegalEntity, accounts: Sequence[Account], *, at: datetime) -> None:
    """A hospital that wants a bill for each of its orders, and a kiosk with one backup; once."""
    if not accounts or Account.objects.filter(reference=SPLIT).exists():
        return
    near = accounts[0]
    wanted = [
        _new(SPLIT, "Harbour Hospital", "Am Kai 3\n20457 Hamburg", near),
        _new(SMALL, "Corner Kiosk", "Bergweg 1\n20095 Hamburg", near),
    ]
    hospital, kiosk = open_accounts(entity=entity, wanted=wanted, test_clock=near.test_clock)
    set_account(hospital, at=at, invoice_split=Split.PURCHASE_ORDER)
    set_account(kiosk, at=at, minimum_invoice=LEAST)
    for number, code, count in ORDERED:
        _order(hospital, code, count, at=at, po_number=number)
    _order(kiosk, "cloud-backup", 1, at=at)


def _new(reference: str, name: str, address: str, near: Account) -> NewAccount:
    return NewAccount(
        reference=reference,
        name=name,
        advocate_id=near.advocate_id,
        segment=near.customer.segment,
        time_zone=near.time_zone,
        address=address,
    )


def set_account(account: Account, *, at: datetime, **given: object) -> None:
    """Change these settings of an account and leave all others as they are."""
    kept = ("name", "advocate_id", "bill_day", "time_zone", "payment_days", "tax_exempt", "address")
    told = {name: getattr(account, name) for name in kept}
    change_account(account_id=account.pk, at=at, **told, **given)  # type: ignore[arg-type]


def _order(account: Account, code: str, count: int, *, at: datetime, po_number: str = "") -> None:
    enter_order(
        account_id=account.pk,
        lines=[LineInput(product=code, quantity=count)],
        at=at,
        actor_id=account.advocate_id,
        channel=Order.Channel.SCREEN,
        po_number=po_number,
    )
