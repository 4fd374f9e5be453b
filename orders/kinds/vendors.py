"""Orders to vendors: written once a task, sent as PDF, waited for until all has arrived.

Parameters: `vendor`, `item`; `quantity` (default: the line's), `unit_cost`, `lead_days` until it is
expected, `vendor_email` (then it is mailed), `note`. Compensation: the kind `vendor_cancel`.
"""

from decimal import Decimal

from orders.fulfilment.handlers import Handler
from orders.fulfilment.outcomes import Done, Exchange, Failed, Job, Outcome, Waiting
from orders.gateways.mail import Enclosure, send_letter
from orders.kinds.addresses import address_fault
from orders.kinds.parameters import (
    amount,
    checker,
    guarded,
    number_of,
    one_line,
    positive,
    text,
    whole,
    whole_of,
)
from orders.models import PurchaseOrder
from orders.models.words import FailureClass, WaitsFor
from orders.purchases import selectors
from orders.purchases.letters import order_letter
from orders.purchases.pdf import render
from orders.purchases.services import NewPurchase, call_off_for_task, done_with, order_of_vendor

P = PurchaseOrder.State
# Seconds; who receives or cancels tells at once, but for what is just being mailed.
LOOK_AGAIN = 900


def _email(value: object) -> str:
    fault = address_fault(value)
    return "an e-mail address" if fault or value in ("contact", "advocate") else ""


faults = checker(
    needed=("vendor", "item"),
    vendor=one_line(),
    item=one_line(),
    quantity=positive,
    unit_cost=amount,
    lead_days=whole(0, 3650),
    vendor_email=_email,
    note=text(2000),
)


def order(job: Job) -> Outcome:
    """Order once, and wait for the goods; asked again, say how far it is."""
    purchase = selectors.purchase_of_task(job.task_id) if job.is_poll else None
    if purchase is None:
        purchase = order_of_vendor(new=_new(job), at=job.at)
    elif selectors.is_given_up(purchase):
        purchase = call_off_for_task(task_id=job.task_id, reason="the line is cancelled", at=job.at)
    return _standing(purchase or order_of_vendor(new=_new(job), at=job.at), job)


def _standing(purchase: PurchaseOrder, job: Job) -> Outcome:
    if purchase.state == P.RECEIVED:
        return done_with(purchase)
    if purchase.state == P.CANCELLED:
        return Failed(f"{purchase.number} was cancelled", kind=FailureClass.PERSON)
    reason = f"{purchase.number}: {purchase.item} of {purchase.vendor}"
    if job.is_poll or not purchase.vendor_email:
        exchange = Exchange(dict(job.request) if job.request else {"purchase": purchase.number})
        return _wait(reason, exchange)
    return _send(purchase, reason)


def _send(purchase: PurchaseOrder, reason: str) -> Outcome:
    subject, words = order_letter(purchase)
    page = Enclosure(f"{purchase.number}.pdf", render(purchase))
    sent = send_letter(
        key=f"purchase-{purchase.task_id}",
        to=purchase.vendor_email,
        subject=subject,
        text=words,
        enclosures=[page],
    )
    if isinstance(sent, Done):
        return _wait(reason, sent.exchange)
    return sent


def _wait(reason: str, exchange: Exchange) -> Waiting:
    return Waiting(WaitsFor.GOODS, poll_after=LOOK_AGAIN, reason=reason, exchange=exchange)


def _new(job: Job) -> NewPurchase:
    said = job.parameters
    days = said.get("lead_days")
    return NewPurchase(
        task_id=job.task_id,
        line_id=job.line_id,
        account_id=job.account_id,
        vendor=said["vendor"].strip(),
        vendor_email=said.get("vendor_email") or "",
        item=said["item"].strip(),
        quantity=number_of(said.get("quantity")) or job.quantity,
        unit_cost=number_of(said.get("unit_cost")) or Decimal(0),
        currency=job.currency,
        lead_days=None if days in (None, "") else whole_of(days, 0),
        note=said.get("note") or "",
    )


def cancel(job: Job) -> Outcome:
    """Undo the order of another task: nothing more is to come; what has arrived needs people."""
    purchase = call_off_for_task(task_id=job.undoes or 0, reason="the line is cancelled", at=job.at)
    if purchase and purchase.state == P.RECEIVED:
        reason = (
            f"{purchase.number} has arrived already: agree with {purchase.vendor} on its return"
        )
        return Failed(reason, kind=FailureClass.REFUSED)
    return Done(data={"purchase": purchase.number} if purchase else {})


no_parameters = checker()

VENDOR_ORDER = Handler(run=guarded(faults, order), faults=faults)
VENDOR_CANCEL = Handler(
    run=guarded(no_parameters, cancel), instant=True, writes=True, faults=no_parameters
)
