"""Take subscribers the whole way, from account to placed order; workers do the rest."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction

from billing.desk.importing.book import SEGMENT, list_price
from billing.desk.importing.reader import RowError, Subscriber
from o2b import clock
from o2b.catalog.introduction import Agreement, sign_agreements
from o2b.customers.models import Account, LegalEntity
from o2b.customers.opening import NewAccount, open_accounts
from o2b.errors import Refused
from orders.acceptance.services import place_orders
from quotes.inputs import LineInput
from quotes.services import Draft, draft_quotes, send_quotes

VALID = timedelta(days=30)


@dataclass(slots=True)
class Outcome:
    """What became of a batch of rows: the orders placed, and the rows refused."""

    orders: list[int] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Importer:
    """Who sells, who answers for the customers, and from which day they are billed."""

    entity: LegalEntity
    advocate_id: int
    start_on: date

    def take(self, batch: Sequence[Subscriber], *, at: datetime) -> Outcome:
        """All of the batch in one transaction; if one row is refused, each row in its own."""
        try:
            return Outcome(orders=self._together(batch, at=at))
        except Refused as refusal:
            if len(batch) == 1:
                return Outcome(errors=[_error(batch[0], refusal)])
        outcome = Outcome()
        for subscriber in batch:
            alone = self.take([subscriber], at=at)
            outcome.orders += alone.orders
            outcome.errors += alone.errors
        return outcome

    @transaction.atomic
    def _together(self, batch: Sequence[Subscriber], *, at: datetime) -> list[int]:
        accounts = open_accounts(
            entity=self.entity,
            wanted=[
                NewAccount(
                    reference=s.reference,
                    name=f"Subscriber {s.reference}",
                    advocate_id=self.advocate_id,
                    segment=SEGMENT,
                    payment_method=s.payment_method,
                )
                for s in batch
            ],
        )
        sign_agreements(
            agreements=[
                self._agreement(s, account, at=at)
                for s, account in zip(batch, accounts, strict=True)
                if s.term_months or remainder(s)
            ],
            at=at,
        )
        quotes = draft_quotes(
            drafts=[
                Draft(
                    account_id=account.pk,
                    owner_id=self.advocate_id,
                    valid_until=clock.day(account, at) + VALID,
                    lines=[LineInput(product=code, quantity=Decimal(1)) for code in s.products],
                    start_on=self.start_on,
                )
                for s, account in zip(batch, accounts, strict=True)
            ],
            at=at,
        )
        send_quotes(quote_ids=[q.pk for q in quotes], at=at, actor_id=self.advocate_id)
        accepted = {q.pk: q.account.name for q in quotes}
        return [order.pk for order in place_orders(accepted=accepted, at=at, channel="bulk")]

    def _agreement(self, subscriber: Subscriber, account: Account, *, at: datetime) -> Agreement:
        rest = remainder(subscriber)
        return Agreement(
            account=account,
            code=f"C-{subscriber.reference}",
            valid_from=min(self.start_on, at.date()),
            term_months=subscriber.term_months,
            discounts=[("amount", -rest)] if rest else [],
        )


def remainder(subscriber: Subscriber) -> Decimal:
    """What the subscriber pays above (or, negative, below) the book: the contract's to carry."""
    return subscriber.monthly - list_price(subscriber.products)


def already_imported(references: Sequence[str]) -> set[str]:
    """The references that are accounts of the telecom already; each has its order by then."""
    known = Account.objects.filter(reference__in=references)
    return set(known.values_list("reference", flat=True))


def _error(subscriber: Subscriber, refusal: Refused) -> RowError:
    return RowError(subscriber.row, refusal.field or "row", refusal.message)
