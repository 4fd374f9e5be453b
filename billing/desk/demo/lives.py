"""What happens to the demo's services once they run: changes, pauses, terms, quotes of changes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import chain
from typing import Any

from django.db import transaction

from o2b.customers.models import LegalEntity
from o2b.periods import add_months
from orders.acceptance.services import place_order
from orders.models import Order
from quotes.inputs import LineInput
from quotes.models import Quote
from quotes.services import send_quote
from subscriptions.changes.services import change_services
from subscriptions.changes.wishes import When, Wish
from subscriptions.commitments.services import Commit, commit
from subscriptions.models import Act, Item, LeavingFee, Renewal, ServiceState, SuspensionBilling
from subscriptions.quoting.drafting import ChangeDraft, draft_changes
from subscriptions.quoting.inputs import ChangeInput

MORE, FASTER, PAUSE = "More seats for the new office", "Gigabit from the next period", "Renovates"
LEAVES = "Moves its backup elsewhere"
LATE = "Two more since the middle of last month, told late"
BOUND, SOON = "Agreed for two years", "A term that ends soon"
RENEWED, OPEN = "Two years more, accepted", "Two years more, with backup"
WAITS_DAYS = 10  # an offer is open so long, or until the day from which it counts


@dataclass(frozen=True, slots=True)
class Lives:
    """Whose services they are, and what moment it is; each story is told once."""

    entity: LegalEntity
    at: datetime

    @property
    def today(self) -> date:
        return self.at.date()

    def tell(self) -> None:
        seats, lines = self._running("voice-seat"), self._running("fibre-100")
        backups = self._running("cloud-backup")
        self._change(seats, MORE, Act.QUANTITY, more=5)
        self._change(lines, FASTER, Act.TERMS, when=When.PERIOD_END, product="fibre-1000")
        since = self.today - timedelta(days=5)
        self._change(
            *(seats, PAUSE, Act.SUSPEND), when=When.ON, on=since, billing=SuspensionBilling.NONE
        )
        self._change(backups, LEAVES, Act.END, when=When.PERIOD_END)
        self._commit(lines, BOUND, 24, notice_days=30, leaving_fee=LeavingFee.REMAINING)
        self._commit(
            *(backups, SOON, 4), renewal=Renewal.UPLIFT, uplift_percent=Decimal(3), notice_days=14
        )
        rest = chain(seats, lines, *map(self._running, ("sip-trunk", "phone-rental", "domain")))
        self._quote(rest, RENEWED, accepted=True)
        self._quote(rest, OPEN, accepted=False)

    def learn_late(self) -> None:
        """A bill that is out was for less than was there: the next one corrects it."""
        since = add_months(self.today.replace(day=1), -1) + timedelta(days=15)
        rented = chain.from_iterable(map(self._running, ("phone-rental", "sip-trunk", "domain")))
        there = (item for item in rented if item.started_on and item.started_on < since)
        self._change(there, LATE, Act.QUANTITY, when=When.ON, on=since, more=2)

    def _running(self, code: str) -> Iterator[Item]:
        """Services of a product that nothing was done to so far, the oldest first."""
        found = Item.objects.filter(
            account__legal_entity=self.entity,
            product_version__product__code=code,
            state=ServiceState.ACTIVE,
            revision=1,
            commitments__isnull=True,
            order_line__in_service__isnull=True,
        )
        return iter(list(found.select_related("account", "order_line").order_by("pk")))

    @transaction.atomic
    def _change(
        self, services: Iterator[Item], note: str, act: Act, *, more: int = 0, **given: Any
    ) -> None:
        item = next(services, None)
        if item is None or Order.objects.filter(note=note).exists():
            return
        if more:
            given["quantity"] = item.order_line.quantity + more
        change_services(
            account_id=item.account_id,
            wishes=[Wish(item_id=item.pk, act=act, reason=note, **given)],
            at=self.at,
            actor_id=item.account.advocate_id,
            note=note,
        )

    @transaction.atomic
    def _commit(self, services: Iterator[Item], note: str, months: int, **given: Any) -> None:
        item = next(services, None)
        if item is None or Order.objects.filter(note=note).exists():
            return
        commit(
            account_id=item.account_id,
            wishes=[Commit(item.pk, months, starts_on=item.started_on, **given)],
            at=self.at,
            actor_id=item.account.advocate_id,
            note=note,
        )

    @transaction.atomic
    def _quote(self, services: Iterator[Item], title: str, *, accepted: bool) -> None:
        item = next(services, None)
        if item is None or Quote.objects.filter(title=title).exists():
            return
        start_on = add_months(self.today.replace(day=1), 1)
        owner_id = item.account.advocate_id
        assert owner_id is not None
        renewed = ChangeInput(item.pk, "renew", on=start_on, months=24, renewal=Renewal.SAME)
        quote = draft_changes(
            ChangeDraft(
                account_id=item.account_id,
                valid_until=min(self.today + timedelta(days=WAITS_DAYS), start_on),
                start_on=start_on,
                changes=[renewed],
                lines=[LineInput(product="cloud-backup", quantity=2)],
                title=title,
            ),
            owner_id=owner_id,
            at=self.at,
        )
        send_quote(quote_id=quote.pk, at=self.at, actor_id=owner_id)
        if accepted:
            place_order(quote_id=quote.pk, by="by mail", at=self.at)
