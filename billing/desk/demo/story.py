"""The demo's three months: customers buy, the order team delivers, finance bills, people pay.

Every step goes through the services that people and clients use, under a test clock that is moved
from day to day and taken away at the end. Each step finds out what is there already, so a load
that was interrupted goes on where it stopped.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pgtrigger
from django.db import transaction

from billing.desk.demo.cast import POOLED, Client, clients
from billing.desk.demo.catalog import ENTITY, PRODUCTS, ensure_catalog
from billing.desk.demo.finance import Finance
from billing.desk.demo.lives import Lives
from billing.desk.patience import settle
from billing.models import BillRun, Invoice, Payment
from billing.payments.services import record_payment
from billing.runs.services import approve_run, open_run
from o2b.customers.models import Account
from o2b.customers.opening import NewAccount, open_accounts
from o2b.models import TestClock
from o2b.people.services import ensure_demo_people
from o2b.periods import add_months
from orders.acceptance.services import place_order
from orders.fulfilment.services import cancel_line, claim_task, complete_task, hold_line
from orders.models import OrderLine, Queue, QueueMember, Task, WorkCalendar
from orders.services import enter_order
from quotes.inputs import LineInput
from quotes.models import Quote
from quotes.services import (
    decline_quote,
    draft_quote,
    expire_quotes,
    send_quote,
    withdraw_quote,
)

CLOCK = "demo"
MONTHS = 3
A_MONTH = 60  # customers that come in each of the months
NOW = 72  # customers with something under way today
PAYS = 14  # days after the invoice


@dataclass
class Story:
    """Who acts, for whom, and what day it is."""

    today: date
    tell: Callable[[str], None]
    # How many worker processes are there; none: everything is done in this one.
    workers: int = 0

    def load(self) -> None:
        """From an empty house to one that has been in business for three months."""
        self.people = {user.username: user for user in ensure_demo_people()}
        self._man_queues()
        first = add_months(self.today.replace(day=1), -MONTHS)
        self.entity = ensure_catalog(valid_from=first, at=noon(first))
        if self._is_told():
            return
        opener, approver = (self.people[name].pk for name in ("priya", "tomas"))
        self.finance = Finance(self.entity, opener, approver, workers=self.workers)
        self.clock, _ = TestClock.objects.get_or_create(name=CLOCK, defaults={"now": noon(first)})
        cast = list(clients(MONTHS * A_MONTH + NOW))
        for n in range(MONTHS):
            come = cast[n * A_MONTH : (n + 1) * A_MONTH]
            if n == MONTHS - 1:
                come.append(POOLED)
            self._live_a_month(add_months(first, n), come)
        self._on(self.today)
        self.tell("Today's quotes and orders ...")
        self.finance.take_back(at=self.clock.now)
        self._begin_today(cast[MONTHS * A_MONTH :])
        self.finance.look_ahead(self.today, at=self.clock.now)
        Lives(self.entity, self.clock.now).tell()
        settle(workers=self.workers)
        self.finance.begin_to_bill(self.today, at=self.clock.now)
        Account.objects.filter(test_clock=self.clock).update(test_clock=None)
        self.clock.delete()

    def _is_told(self) -> bool:
        """Whether an earlier load came to its end: it takes its clock away last."""
        begun = Account.objects.filter(legal_entity=self.entity).exists()
        return begun and not TestClock.objects.filter(name=CLOCK).exists()

    def _man_queues(self) -> None:
        team = [self.people["ada"], self.people["ines"]]
        hours, _ = WorkCalendar.objects.get_or_create(
            code="hamburg",
            defaults={
                "name": "Hamburg, office",
                "time_zone": "Europe/Berlin",
                "country": "DE",
                "subdivision": "HH",
            },
        )
        facts = {"calendar": hours, "owner": self.people["samir"], "hourly_rate": Decimal(52)}
        for code, name in (("field", "Field service"), ("logistics", "Logistics")):
            queue, _ = Queue.objects.get_or_create(code=code, defaults={"name": name, **facts})
            for user in team:
                QueueMember.objects.get_or_create(queue=queue, user=user)

    def _on(self, day: date) -> datetime:
        """Payments arrive while the next month goes on already: the story alone goes back."""
        self.clock.now = noon(day)
        with pgtrigger.ignore("o2b.TestClock:forward_only"):
            self.clock.save()
        return self.clock.now

    # A month of business

    def _live_a_month(self, first: date, cast: Sequence[Client]) -> None:
        self.tell(f"{first:%B %Y}: {len(cast)} customers, bills, payments ...")
        at = self._on(first + timedelta(days=2))
        for account, client in self._accounts(cast):
            self._sell(account, client, at=at)
        self._arrange(first, cast, at=at)
        settle(workers=self.workers)
        self._work_by_hand(at=self._on(first + timedelta(days=5)))
        settle(workers=self.workers)
        end = add_months(first, 1) - timedelta(days=1)
        at = self._on(end)
        Lives(self.entity, at).learn_late()
        settle(workers=self.workers)
        self._bill(on=end, at=at)
        self._pay(on=end + timedelta(days=PAYS))

    def _arrange(self, first: date, cast: Sequence[Client], *, at: datetime) -> None:
        """Coupons, a minimum and payers from the first month on; mail of the last one's bills."""
        keys = [client.reference for client in cast]
        accounts = list(Account.objects.filter(reference__in=keys).order_by("pk"))
        self.finance.arrange(accounts, first=first, at=at)
        if add_months(first, 1) > self.today.replace(day=1) - timedelta(days=1):
            self.finance.send(accounts)

    def _accounts(self, cast: Sequence[Client]) -> list[tuple[Account, Client]]:
        """An account for each; those who have a quote already are passed over."""
        by_reference = {client.reference: client for client in cast}
        there = {
            a.reference: a
            for a in Account.objects.filter(reference__in=by_reference).select_related("customer")
        }
        reps = [self.people["jonas"].pk, self.people["mara"].pk]
        wanted = [
            NewAccount(
                reference=client.reference,
                name=client.name,
                advocate_id=reps[n % 2],
                segment=ENTITY,
                bill_day=client.bill_day,
                time_zone="Europe/Berlin",
                address=client.address,
            )
            for n, client in enumerate(cast)
            if client.reference not in there
        ]
        opened = open_accounts(entity=self.entity, wanted=wanted, test_clock=self.clock)
        there |= {a.reference: a for a in opened}
        quoted = set(
            Quote.objects.filter(account__in=there.values()).values_list("account_id", flat=True)
        )
        return [
            (account, client)
            for reference, client in by_reference.items()
            if (account := there[reference]).pk not in quoted
        ]

    @transaction.atomic
    def _sell(self, account: Account, client: Client, *, at: datetime) -> None:
        quote = self._send(account, client, at=at)
        place_order(quote_id=quote.pk, by=f"{client.name}, by mail", at=at)

    def _send(self, account: Account, client: Client, *, at: datetime, days: int = 30) -> Quote:
        quote = self._draft(account, client, at=at, days=days)
        return send_quote(quote_id=quote.pk, at=at, actor_id=account.advocate_id)

    def _draft(self, account: Account, client: Client, *, at: datetime, days: int = 30) -> Quote:
        return draft_quote(
            account_id=account.pk,
            owner_id=account.advocate_id,
            valid_until=at.date() + timedelta(days=days),
            title=f"{PRODUCTS[client.lines[0][0]].name} for {client.name}",
            lines=[
                LineInput(product=code, quantity=count, discount_percent=client.percent_off)
                for code, count in client.lines
            ],
            at=at,
        )

    def _work_by_hand(self, *, at: datetime, limit: int | None = None) -> None:
        """Ada takes what waits in her queues and leaves version and serial as evidence."""
        ada = self.people["ada"].pk
        waiting = Task.objects.filter(
            kind=Task.Kind.MANUAL, state=Task.State.READY, account__test_clock=self.clock
        ).order_by("pk")
        for task in waiting.select_related("line__product_version")[:limit]:
            claim_task(task_id=task.pk, user_id=ada, at=at)
            complete_task(
                task_id=task.pk,
                user_id=ada,
                at=at,
                version=task.line.product_version.number,
                serial=f"NL-{task.pk:06d}",
            )

    def _bill(self, *, on: date, at: datetime) -> None:
        if not BillRun.objects.filter(legal_entity=self.entity, on=on).exists():
            opener = self.people["priya"].pk
            open_run(legal_entity_id=self.entity.pk, on=on, opened_by_id=opener, at=at)
        settle(workers=self.workers)
        for run in BillRun.objects.filter(
            legal_entity=self.entity, on=on, state=BillRun.State.TO_APPROVE
        ):
            approve_run(run_id=run.pk, user_id=self.people["tomas"].pk, at=at)
        settle(workers=self.workers)

    def _pay(self, *, on: date) -> None:
        """Four in five pay in time; of the others some pay half."""
        at = self._on(on)
        paid = set(
            Payment.objects.filter(account__legal_entity=self.entity).values_list(
                "reference", flat=True
            )
        )
        for invoice in Invoice.objects.filter(legal_entity=self.entity).order_by("pk"):
            number = invoice.number
            share = Decimal(1) if invoice.account_id % 5 else Decimal("0.5")
            if number in paid or invoice.account_id % 10 == 0 or invoice.total <= 0:
                continue
            record_payment(
                account_id=invoice.account_id,
                amount=(invoice.total * share).quantize(Decimal("0.01")),
                on=on,
                method="bank transfer",
                reference=number,
                at=at,
                actor_id=self.people["tomas"].pk,
                allocations=None,
            )

    # Today

    def _begin_today(self, cast: Sequence[Client]) -> None:
        """Something in every state: drafts, offers, orders under way, held and fallen out."""
        for n, (account, client) in enumerate(self._accounts(cast)):
            self._begin(n % 12, account, client)
        expire_quotes(at=self.clock.now)
        settle(workers=self.workers)
        self._work_by_hand(at=self.clock.now, limit=3)
        self._stop_some()
        settle(workers=self.workers)

    @transaction.atomic
    def _begin(self, turn: int, account: Account, client: Client) -> None:
        at = self.clock.now
        if turn < 2:
            self._draft(account, client, at=at)
        elif turn < 5:
            self._send(account, client, at=at, days=3 + turn)
        elif turn == 5:
            quote = self._send(account, client, at=at)
            decline_quote(quote_id=quote.pk, reason="Stays with the present carrier", at=at)
        elif turn == 6:
            withdraw_quote(quote_id=self._send(account, client, at=at).pk, at=at)
        elif turn == 7:
            self._send(account, client, at=at - timedelta(days=20), days=10)
        elif turn == 8:
            enter_order(
                account_id=account.pk,
                lines=[LineInput(product="isdn-legacy", quantity=1)],
                at=at,
                actor_id=self.people["ada"].pk,
                channel="screen",
                note="By phone; the exchange may be full",
            )
        else:
            self._sell(account, client, at=at)

    def _stop_some(self) -> None:
        """One line held, one cancelled: what an order team sees on an ordinary day."""
        waiting = OrderLine.objects.filter(
            account__test_clock=self.clock, state=OrderLine.State.SCHEDULED
        ).order_by("pk")
        lines = list(waiting[:4])
        at, ada = self.clock.now, self.people["ada"].pk
        for line in lines[:2]:
            hold_line(line_id=line.pk, at=at, reason="Customer moves house", user_id=ada)
        for line in lines[2:]:
            cancel_line(line_id=line.pk, at=at, reason="Ordered twice", user_id=ada)


def noon(day: date) -> datetime:
    """The middle of a day, in UTC."""
    return datetime.combine(day, time(12), tzinfo=UTC)
