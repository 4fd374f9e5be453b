"""A change before it is made: what it gives back and costs, the next bill, and the months ahead."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from o2b import clock
from o2b.asks import BilledSoFar
from o2b.catalog.models import Terms
from o2b.charging import Billed as AlreadyBilled
from o2b.charging import LineTerms, from_canonical
from o2b.customers.models import Account
from o2b.periods import Period
from o2b.taxes.port import seller_rates
from orders.changing.services import ChangeLine
from subscriptions.changes.basis import Basis, Fee, Month, difference
from subscriptions.changes.carrying import Carried
from subscriptions.changes.pricing import Pen, Pencil
from subscriptions.changes.refusals import AccountUnknown
from subscriptions.changes.services import (
    accounts_of,
    carry_all,
    chains_for,
    check_facts_of,
    check_waiver,
    check_wishes,
    roots_for,
)
from subscriptions.changes.taxing import Taxes, accounts_billed, codes_of, taxes_of_bill
from subscriptions.changes.wishes import Wish
from subscriptions.rules.billing import BillLine, ChargeKey, Grid, Standing
from subscriptions.rules.timeline import Span, span_on, spans_of
from subscriptions.timelines.chains import Chain

# Items' keys → how far each of their charges has been billed; a door asks it of the floor above.
Billed = Callable[[Sequence[int]], Iterable[BilledSoFar]]


@dataclass(frozen=True, slots=True)
class ServicePreview:
    """One service: what it is before and after, and what the change brings to the bills.

    `because` are the lines that a run today would bill or give back because of the change;
    `next_bill` all lines of the service on the day `next_on`, when something is due next; `basis`
    is what all of it follows from. What is to `deliver` first holds from its delivery. Amounts are
    net; the tax of each line is beside them, None where the seller charges none.
    """

    chain: Chain
    on: date
    before: Span | None
    after: Span | None
    because: tuple[BillLine, ...]
    next_on: date | None
    next_bill: tuple[BillLine, ...]
    months: tuple[Month, ...]
    terms: Mapping[int, LineTerms]
    basis: Basis
    carried: Carried
    deliver: bool = False
    because_taxes: Taxes = None
    next_taxes: Taxes = None

    @property
    def because_tax(self) -> Decimal | None:
        return None if self.because_taxes is None else sum(self.because_taxes, Decimal(0))

    @property
    def next_tax(self) -> Decimal | None:
        return None if self.next_taxes is None else sum(self.next_taxes, Decimal(0))

    @property
    def fee(self) -> Fee | None:
        """What leaving the agreed term costs, on its day."""
        return self.basis.fee

    @property
    def because_total(self) -> Decimal:
        return sum((line.amount for line in self.because), Decimal(0))

    @property
    def next_total(self) -> Decimal:
        return sum((line.amount for line in self.next_bill), Decimal(0))


@dataclass(frozen=True, slots=True)
class Preview:
    """All services of a change order, and their sums."""

    account: Account
    services: tuple[ServicePreview, ...]

    @property
    def because_total(self) -> Decimal:
        return sum((each.because_total for each in self.services), Decimal(0))


def preview_changes(
    *,
    account_id: int,
    wishes: Sequence[Wish],
    at: datetime,
    billed: Billed,
    pencil: Pen | None = None,
    actor_id: int | None = None,
    taxed: bool = True,
) -> Preview:
    """What wishes would change, refused as they would be; nothing is written.

    Whether somebody may do without a notice is seen to where the one who asks is named.
    The amounts are what the next runs bill: computed with their own arithmetic, from what has
    been billed so far. A code without a tax rate refuses the wish; who taxes otherwise says so.
    """
    accounts = Account.objects.select_related("customer", "test_clock", "legal_entity").in_bulk(
        accounts_of(account_id, wishes)
    )
    account = accounts.get(account_id)
    if account is None:
        raise AccountUnknown(f"there is no account {account_id}", field="account")
    chains = chains_for(roots_for(account, [wish.item_id for wish in wishes]))
    check_wishes(wishes, account, accounts)
    if actor_id is not None:
        check_waiver(any(wish.waive_notice for wish in wishes), actor_id)
    pencil, today = pencil or Pencil(), clock.day(account, at)
    before = {chain.root.pk: list(chain.facts) for chain in chains.values()}
    carried = carry_all(wishes, chains, accounts, today=today, pen=pencil)
    first: dict[int, Carried] = {}
    fees: dict[int, ChangeLine] = {}
    for root, each in carried:
        first.setdefault(root, each)
        if each.fee:
            fees[root] = each.fee
    by_root = {chain.root.pk: chain for chain in chains.values()}
    delivered = {chains[wish.item_id].root.pk for wish in wishes if wish.deliver}
    after = check_facts_of(by_root, carried)
    stands = _stands(by_root.values(), billed)
    spans = {root: (spans_of(before[root]), spans_of(after[root])) for root in by_root}
    terms = _terms_of(spans.values(), stands.values(), fees.values(), pencil)
    services = tuple(
        _service(
            by_root[root],
            told,
            Basis(
                before=spans[root][0],
                after=spans[root][1],
                grid=grid_of(by_root[root]),
                terms=terms,
                standing=stands.get(root, {}),
                fee=_fee(by_root[root], fees.get(root), terms),
            ),
            today,
            deliver=root in delivered,
        )
        for root, told in first.items()
    )
    if taxed:
        services = _taxed(services, wishes, accounts, account, today)
    return Preview(account, services)


def _taxed(
    services: Sequence[ServicePreview],
    wishes: Sequence[Wish],
    accounts: Mapping[int, Account],
    account: Account,
    today: date,
) -> tuple[ServicePreview, ...]:
    """The same with the tax of each line; what happens today bears the rate of today."""
    days = {today, *(each.next_on for each in services if each.next_on)}
    codes = codes_of(terms for each in services[:1] for terms in each.terms.values())
    rates = seller_rates(account.legal_entity, codes=codes, on=days)
    lines = [line for each in services for line in (*each.because, *each.next_bill)]
    accounts = accounts_billed(lines, accounts)
    found = []
    for each in services:
        items = {item.pk for item in each.chain.items}
        index = next(i for i, wish in enumerate(wishes) if wish.item_id in items)
        because, next_ = (
            taxes_of_bill(
                several,
                rates=rates,
                on=on,
                accounts=accounts,
                fields=[f"changes[{index}].product"] * len(several),
            )
            for several, on in ((each.because, today), (each.next_bill, each.next_on or today))
        )
        found.append(replace(each, because_taxes=because, next_taxes=next_))
    return tuple(found)


def _stands(chains: Iterable[Chain], billed: Billed) -> dict[int, dict[ChargeKey, Standing]]:
    """Root → how far each charge of its chain has been billed."""
    root_of = {item.pk: chain.root.pk for chain in chains for item in chain.items}
    found: dict[int, dict[ChargeKey, Standing]] = {}
    for each in billed(list(root_of)):
        said = tuple(AlreadyBilled(*segment) for segment in each.segments)
        key = (each.account_id, each.terms_id, each.key)
        found.setdefault(root_of[each.item_id], {})[key] = Standing(each.through, said)
    return found


def _service(
    chain: Chain, told: Carried, basis: Basis, today: date, *, deliver: bool
) -> ServicePreview:
    on = told.fact.on
    now = basis.changed(today)
    next_on = today if now.lines else now.next_due_on
    return ServicePreview(
        chain=chain,
        on=on,
        before=span_on(basis.before, on) or (basis.before[-1] if basis.before else None),
        after=span_on(basis.after, on),
        because=difference(basis.unchanged(today), now),
        next_on=next_on,
        next_bill=basis.changed(next_on).lines if next_on else (),
        months=basis.months(since=min(on, today).replace(day=1)),
        terms=basis.terms,
        basis=basis,
        carried=told,
        deliver=deliver,
    )


def grid_of(chain: Chain) -> Grid:
    """Where the periods of a service begin."""
    root = chain.root
    assert root.anchor_on is not None
    return Grid(root.anchor_on, root.anchor_day or root.account.bill_day)


def _fee(chain: Chain, fee: ChangeLine | None, terms: Mapping[int, LineTerms]) -> Fee | None:
    """What leaving a commitment costs, as the item of its own that bills it."""
    if fee is None or fee.start_on is None:
        return None
    span = Span(
        leg=0,
        account=chain.last.account_id,
        period=Period(fee.start_on, fee.start_on + timedelta(days=1)),
        product_version=fee.product_version_id,
        terms=fee.terms_id,
        quantity=fee.quantity,
        in_use=False,
        billed=True,
        opens=True,
        line=0,
    )
    grid = Grid(fee.start_on, chain.last.account.bill_day)
    return Fee(span, grid, terms[fee.terms_id].charges[0].unit_price)


def _terms_of(
    spans: Iterable[tuple[list[Span], list[Span]]],
    stands: Iterable[Mapping[ChargeKey, Standing]],
    fees: Iterable[ChangeLine],
    pencil: Pen,
) -> dict[int, LineTerms]:
    """All Terms that play a part, those that are only drawn too."""
    wanted = {span.terms for both in spans for several in both for span in several}
    wanted |= {key[1] for each in stands for key in each} | {fee.terms_id for fee in fees}
    return terms_by_key({pk for pk in wanted if pk > 0}) | pencil.drawn


def terms_by_key(keys: Collection[int]) -> dict[int, LineTerms]:
    """Frozen Terms by their keys."""
    rows = Terms.objects.filter(pk__in=keys).values_list("pk", "body")
    return {pk: from_canonical(body) for pk, body in rows}
