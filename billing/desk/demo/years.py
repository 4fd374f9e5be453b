"""The demo's customer under a test clock: services whose next years anybody may step through."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from billing.desk.demo.story import noon
from billing.desk.patience import settle
from o2b.clocks.services import open_clock
from o2b.customers.models import Account, LegalEntity
from o2b.customers.opening import NewAccount, open_accounts
from o2b.models import TestClock
from orders.acceptance.services import place_order
from orders.models import Order
from quotes.inputs import LineInput
from quotes.services import draft_quote, send_quote
from subscriptions.changes.services import change_services
from subscriptions.changes.wishes import When, Wish
from subscriptions.commitments.services import Commit, commit
from subscriptions.models import Act, Item, Renewal, ServiceState

CLOCK, REFERENCE, NAME = "The next years", "N-TEST", "Tomorrow Bakery"
GROWS, BOUND = "Three more seats from the next period", "Agreed for three months, then 3% more"
SEATS, BACKUPS = ("voice-seat", 5), ("cloud-backup", 2)


@dataclass(frozen=True, slots=True)
class NextYears:
    """Who sells, which day it is at first, and who answers for the account."""

    entity: LegalEntity
    today: date
    advocate_id: int
    workers: int

    def begin(self) -> None:
        """Services that are about to grow, to begin and to be renewed, and an open offer; once."""
        if not TestClock.objects.filter(name=CLOCK).exists():
            self._sell()
            settle(workers=self.workers)
        self._plan(TestClock.objects.get(name=CLOCK).now)
        settle(workers=self.workers)

    @transaction.atomic
    def _sell(self) -> None:
        """Clock, account and order come together, so the clock tells that all is there."""
        at = noon(self.today)
        clock = open_clock(name=CLOCK, now=at)
        wanted = NewAccount(
            reference=REFERENCE,
            name=NAME,
            advocate_id=self.advocate_id,
            segment=self.entity.code,
            time_zone="Europe/Berlin",
            address="Am Markt 1\n20095 Hamburg",
        )
        (account,) = open_accounts(entity=self.entity, wanted=[wanted], test_clock=clock)
        by = f"{NAME}, by mail"
        place_order(
            quote_id=self._offered(account, "Seats and backup", SEATS, BACKUPS), by=by, at=at
        )
        later = self._offered(account, "Support from next week", ("support-gold", 1))
        place_order(quote_id=later, by=by, at=at, work_from=self.today + timedelta(days=7))
        self._offered(account, "Trunks, if they want them", ("sip-trunk", 2))

    def _offered(self, account: Account, title: str, *lines: tuple[str, int]) -> int:
        """The key of an offer that is open for two weeks."""
        quote = draft_quote(
            account_id=account.pk,
            owner_id=self.advocate_id,
            valid_until=self.today + timedelta(days=14),
            title=title,
            lines=[LineInput(product=code, quantity=count) for code, count in lines],
            at=noon(self.today),
        )
        send_quote(quote_id=quote.pk, at=noon(self.today), actor_id=self.advocate_id)
        return quote.pk

    @transaction.atomic
    def _plan(self, at: datetime) -> None:
        seats, backups = self._running(SEATS[0]), self._running(BACKUPS[0])
        told: dict[str, Any] = {"at": at, "actor_id": self.advocate_id}
        if seats and not Order.objects.filter(note=GROWS).exists():
            more = Wish(
                item_id=seats.pk,
                act=Act.QUANTITY,
                when=When.PERIOD_END,
                quantity=seats.order_line.quantity + 3,
                reason=GROWS,
            )
            change_services(account_id=seats.account_id, wishes=[more], note=GROWS, **told)
        if backups and not Order.objects.filter(note=BOUND).exists():
            term = Commit(
                *(backups.pk, 3),
                starts_on=backups.started_on,
                renewal=Renewal.UPLIFT,
                uplift_percent=Decimal(3),
                notice_days=30,
            )
            commit(account_id=backups.account_id, wishes=[term], note=BOUND, **told)

    def _running(self, code: str) -> Item | None:
        return (
            Item.objects.filter(
                account__reference=REFERENCE,
                product_version__product__code=code,
                state=ServiceState.ACTIVE,
            )
            .select_related("order_line")
            .first()
        )
