"""A small world with a calendar: do things on a day, let days pass, look at the bills."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pgtrigger

from billing.models import BillRun, Invoice, InvoiceLine, ParkedAccount
from billing.payments.selectors import account_balance
from billing.payments.services import record_payment
from billing.runs.services import approve_run, open_run
from o2b.catalog.models import ProductVersion
from o2b.clocks.services import step
from o2b.customers.models import Account
from o2b.models import TestClock
from orders.acceptance.services import place_order
from orders.fulfilment.services import claim_task, complete_task
from orders.models import Order, OrderLine, Queue, QueueMember, Task
from quotes.models import Quote
from quotes.services import send_quote
from tests.factories import a_product, a_quote, a_user, an_account, monthly


class World:
    """One account under a test clock; `settle` gets done whatever is owed."""

    given: Any = None  # what the life that it has behind it ended with

    def __init__(self, settle: Callable[[], object]) -> None:
        self.settle = settle
        self.clock = TestClock.objects.create(name="world", now=_noon(date(2026, 1, 1)))
        self.clerk = a_user("order team")
        self.opener, self.approver = a_user("finance"), a_user("finance")
        self.account = self.an_account()

    def an_account(self, **given: object) -> Account:
        """Another account in this world."""
        return an_account(test_clock=self.clock, **given)

    @property
    def now(self) -> datetime:
        return self.clock.now

    @property
    def today(self) -> date:
        return self.clock.now.date()

    def on(self, day: str) -> "World":
        """Set the calendar; what is due is left until somebody looks, the days between are not.

        Accounts in this world see the same day in every process. Here alone a clock is set back:
        a scenario may tell what happened on an earlier day.
        """
        self.clock.now = _noon(date.fromisoformat(day))
        with pgtrigger.ignore("o2b.TestClock:forward_only"):
            self.clock.save()
        return self

    def live(self, until: str) -> "World":
        """Let the days pass one by one, each with all the work that beat does on it."""
        lived = step(clock_id=self.clock.pk, to=_noon(date.fromisoformat(until)))
        assert lived.state == "done", lived.error
        self.clock.refresh_from_db()
        return self

    def quote(
        self, *, price: str = "49.90", products: Sequence[ProductVersion] = (), **given: object
    ) -> Quote:
        """A quote that the customer has before them."""
        wanted = products or [a_product(charges=[monthly(price)])]
        fields = {"account": self.account, "products": wanted} | given
        quote = a_quote(at=self.now, valid_until=self.today + timedelta(days=30), **fields)
        return send_quote(quote_id=quote.pk, at=self.now)

    def sell(self, **given: object) -> Order:
        """Quote, acceptance, and everything in delivery that needs nobody."""
        order = place_order(quote_id=self.quote(**given).pk, by="Dr. P. Hall", at=self.now)
        self.settle()
        return order

    def deliver_by_hand(self, **evidence: str) -> None:
        """The clerk claims and completes every task that waits for a person."""
        for queue in Queue.objects.all():
            QueueMember.objects.get_or_create(queue=queue, user=self.clerk)
        ready = Task.objects.filter(kind=Task.Kind.MANUAL, state=Task.State.READY).order_by("pk")
        for task in ready.select_related("line__product_version"):
            told = {
                "version": str(task.line.product_version.number),
                "serial": f"SN-{task.pk}",
            } | evidence
            claim_task(task_id=task.pk, user_id=self.clerk.pk, at=self.now)
            complete_task(task_id=task.pk, user_id=self.clerk.pk, at=self.now, **told)
        self.settle()

    def bill(self, on: str | None = None, *, approve: bool = True) -> BillRun:
        """A bill run up to a day (today), opened by one person and approved by another."""
        run = open_run(
            legal_entity_id=self.account.legal_entity_id,
            on=date.fromisoformat(on) if on else self.today,
            opened_by_id=self.opener.pk,
            at=self.now,
        )
        self.settle()
        if approve:
            approve_run(run_id=run.pk, user_id=self.approver.pk, at=self.now)
            self.settle()
        run.refresh_from_db()
        return run

    def pay(self, invoice: Invoice, amount: str) -> None:
        """Money arrives for one invoice."""
        record_payment(
            account_id=invoice.account_id,
            amount=Decimal(amount),
            on=self.today,
            method="bank transfer",
            reference=f"for {invoice.number} on {self.today}",
            at=self.now,
            actor_id=self.approver.pk,
            allocations={invoice.pk: Decimal(amount)},
        )
        self.settle()

    def bills(self) -> list[tuple[str, str, str]]:
        """Every invoice line: from, to, net; in the order in which they were billed."""
        lines = InvoiceLine.objects.order_by("invoice_id", "period_start", "pk")
        return [
            (f"{line.served_from}", f"{line.served_to}", f"{line.amount:.2f}") for line in lines
        ]

    def invoices(self) -> list[Invoice]:
        return list(Invoice.objects.order_by("pk"))

    def balance(self, account: Account | None = None) -> str:
        """What the account owes: billed less paid."""
        return f"{account_balance(account or self.account).owed.amount:.2f}"

    def line_states(self) -> list[str]:
        return list(OrderLine.objects.order_by("pk").values_list("state", flat=True))

    def parked(self) -> list[tuple[int, str]]:
        found = ParkedAccount.objects.order_by("account_id", "code")
        return list(found.values_list("account_id", "code"))


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), tzinfo=UTC)
