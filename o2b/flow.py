"""The score: everything that can happen, and which tasks answer it.

Read it from top to bottom to follow a quote to its cash. Names only, so the ground never imports a
stage; `manage.py check` proves that every task named here exists. A reaction is told one key: the
subject's, or its order's or account's (`by`), so that many lines of one order wake one message.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Reaction:
    """One task that answers an event; `by` names the key that it is told."""

    task: str
    by: Literal["subject", "order", "account"] = "subject"


REACTIONS: dict[str, tuple[Reaction, ...]] = {
    # customers
    "account.opened": (),
    "account.changed": (),
    "account.closed": (),
    # catalog
    "product.created": (),
    "product.retired": (),
    "product_version.drafted": (),
    "product_version.edited": (),
    "product_version.discarded": (),
    "product_version.submitted": (),
    "product_version.published": (),
    "price_book_version.drafted": (),
    "price_book_version.edited": (),
    "price_book_version.discarded": (),
    "price_book_version.submitted": (),
    "price_book_version.published": (),
    "price_book_version.retired": (),
    "contract.document_attached": (),
    # quotes
    "quote.drafted": (),
    "quote.sent": (),
    "quote.accepted": (),
    "quote.declined": (),
    "quote.expired": (),
    "quote.withdrawn": (),
    "quote.superseded": (),
    # orders
    "order.placed": (
        Reaction("orders.advance_order", by="order"),
        Reaction("billing.open_promises", by="order"),
    ),
    "order_line.scheduled": (),
    "order_line.began": (),
    "order_line.held": (),
    "order_line.resumed": (Reaction("orders.advance_order", by="order"),),
    "order_line.waiting": (),
    "order_line.fell_out": (),
    "order_line.mended": (),
    "order_line.delivered": (Reaction("billing.note_deliveries", by="order"),),
    "order_line.completed": (Reaction("subscriptions.start_items", by="order"),),
    "order_line.cancelling": (),
    "order_line.cancelled": (),
    "order.woken": (Reaction("orders.advance_order", by="order"),),
    "task.ready": (),
    "task.claimed": (),
    "task.released": (),
    "task.done": (),
    "task.failed": (),
    "task.fell_out": (),
    "task.cancelled": (),
    "task.skipped": (Reaction("orders.advance_order", by="order"),),
    "task.retried": (),
    "evidence.refused": (),
    # subscriptions
    "subscription.started": (),
    "subscription.items_started": (Reaction("billing.open_charges"),),
    "item.changed": (),
    "item.ended": (),
    # billing
    "promise.opened": (),
    "breach.found": (),
    "breach.resolved": (),
    "bill_run.opened": (Reaction("billing.plan_run"),),
    "bill_run.shard_planned": (Reaction("billing.draft_shard"),),
    "bill_run.drafted": (),
    "bill_run.approved": (Reaction("billing.finalise_run"),),
    "bill_run.shard_numbered": (Reaction("billing.finalise_shard"),),
    "bill_run.finalised": (),
    "bill_run.paused": (),
    "bill_run.resumed": (),
    "bill_run.cancelled": (),
    "account.parked": (),
    "payment.received": (),
    "payment.allocated": (),
}
