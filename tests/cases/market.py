"""Sells lives and bills them: account, product, book, quote, order, subscription, run, invoice.

What a case tells in two steps is sold, billed, changed by orders, and billed again. All cases go
through each step together, so that a session pays for it once.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from billing.models import InvoiceAdjustment, InvoiceLine
from billing.payers.selectors import Share
from billing.payers.services import approve_payers, ask_payers
from billing.runs.services import approve_run, open_run
from o2b import events
from o2b.catalog.models import Price, PriceBook, PriceBookVersion
from o2b.catalog.resolution import Wanted, resolve
from o2b.catalog.services import freeze_terms, publish_price_book_version
from o2b.charging import ChargeTerms, DraftLine, StartRule
from o2b.charging.terms import charge_document, details_document
from o2b.customers.models import Account
from o2b.money import sum_of
from o2b.periods import Period
from orders.acceptance.services import place_orders
from orders.changing.services import ChangeLine, ChangeOrder, write_change_orders
from orders.laying.services import lock_accounts
from orders.models import Order
from quotes.inputs import LineInput
from quotes.services import Draft, draft_quotes, send_quotes
from subscriptions.models import Act, Item, SuspensionBilling
from subscriptions.timelines.chains import Chain, chains_of
from subscriptions.timelines.services import NewFact, tell_facts
from tests.billing.adjustments.build import a_coupon, has
from tests.cases.asking import Drafts, Lines
from tests.cases.consuming import Service, a_meter_for, use
from tests.cases.lives import QUANTITY_PLACES, Deed, Life, as_coupons, lives_of, quoted_percent
from tests.factories import LONG_AGO, a_product, a_user, an_account, an_entity

Found = tuple[Lines, Lines]  # of the last run, and of the one before


@dataclass(eq=False)
class Sale:
    """A case: its services and the runs that billed them."""

    until: date
    services: list[Service]
    before: int = 0
    last: int = 0

    @property
    def billed_until(self) -> date | None:
        days = (each.life.billed_until for each in self.services)
        return next(filter(None, days), None)

    def lines(self, run: int, lines: Mapping[tuple[int, int, int], list[DraftLine]]) -> Lines:
        """The lines of a run, charge by charge, payer by payer."""
        return [
            lines.get((run, product.pk, account.pk), [])
            for each in self.services
            for product in each.products
            for account in each.accounts
        ]


def sell_and_bill(sold: Mapping[str, Drafts]) -> Mapping[str, Found]:
    """Each case's lines; what was billed before is sold and billed first, the rest follows."""
    owner = a_user().pk
    at = _when(sold.values())
    sales = _sales(sold)
    services = [service for sale in sales.values() for service in sale.services]
    early = [service for service in services if service.life.billed_until]
    _sell(early, owner, at)
    use(early)
    change({each: list(each.life.deeds(each.life.first)) for each in early}, at)
    before = [sale for sale in sales.values() if sale.billed_until]
    for run, sale in _runs(before, lambda sale: sale.billed_until or sale.until, at):
        sale.before = run
    use(early, late=True)
    rest = [each for each in services if each not in early]
    _sell(rest, owner, at)
    use(rest)
    _agree(rest, owner, at)
    change({each: list(each.life.deeds(each.life.last)) for each in services}, at)
    for run, sale in _runs(list(sales.values()), lambda sale: sale.until, at):
        sale.last = run
    lines = _lines(services)
    return {
        case: (sale.lines(sale.last, lines), sale.lines(sale.before, lines))
        for case, sale in sales.items()
    }


def _when(sold: Iterable[Drafts]) -> datetime:
    """A moment when all that the cases tell is past."""
    days = [day for each in sold for day in (each.until, *(c.started_on for c in each.charges))]
    return datetime.combine(max(days), time(9), UTC)


def _sales(sold: Mapping[str, Drafts]) -> dict[str, Sale]:
    """A product for each charge, priced by the default book of its currency, of one version.

    A book is published before there is anything that it has no price for, currency by currency.
    """
    sales = {case: Sale(asked.until, []) for case, asked in sold.items()}
    by_currency: dict[str, list[tuple[str, str, Life]]] = defaultdict(list)
    for n, (case, asked) in enumerate(sold.items(), start=1):
        for i, life in enumerate(lives_of(asked), start=1):
            currency = life.charges[0].terms.currency
            by_currency[currency].append((case, f"case-{n}-{i}", life))
    services: dict[str, Service] = {}
    accounts: dict[tuple[str, str, int], Account] = {}
    for currency, lives in sorted(by_currency.items()):
        version = _a_book(currency)
        for case, code, life in lives:
            key = (case, currency, life.anchor_day)
            own = accounts.get(key) or an_account(bill_day=life.anchor_day, currency=currency)
            accounts[key] = own
            services[code] = _service(version, code, life, own)
        publish_price_book_version(version_id=version.pk, at=LONG_AGO)
    for n, (case, asked) in enumerate(sold.items(), start=1):
        count = len(lives_of(asked))
        sales[case].services = [services[f"case-{n}-{i + 1}"] for i in range(count)]
    for service in services.values():
        _discount(service)
    return sales


def _service(version: PriceBookVersion, code: str, life: Life, account: Account) -> Service:
    """A life with a product for each of its charges, priced in a draft of the book."""
    products = []
    for j, charge in enumerate(life.charges, start=1):
        product = a_product(code=f"{code}-{j}", charges=[], quantity_places=QUANTITY_PLACES)
        columns = _columns(charge.terms)
        if charge.usage:
            meter = a_meter_for(charge, f"{code}-{j}")
            columns["details"] = {**columns["details"], "meter": meter}  # type: ignore[dict-item]
        Price.objects.create(version=version, product=product.product, **columns)
        products.append(product)
    payers = [
        an_account(bill_day=life.anchor_day, currency=account.currency)
        for _ in life.charges[0].payers
    ]
    return Service(life, account, products, payers)


def _discount(service: Service) -> None:
    """What a price takes off as coupons of the account on this product alone."""
    for product, charge in zip(service.products, service.life.charges, strict=True):
        for each in charge.terms.discounts if as_coupons(charge.terms) else ():
            only = [product.product.code]
            has(service.account, a_coupon(f"{each.value:f}", products=only), "2000-01-01")


def _a_book(currency: str) -> PriceBookVersion:
    """The draft of what is sold in a currency."""
    book = PriceBook.objects.create(
        code=f"cases-{currency.lower()}",
        name=f"Published cases in {currency}",
        currency=currency,
        is_default=True,
    )
    return PriceBookVersion.objects.create(book=book, number=1, valid_from=date(1990, 1, 1))


def _columns(promised: ChargeTerms) -> dict[str, object]:
    """A charge as the columns of a price.

    No book prices some quantities only: the last tier is sold without its end, beyond which a
    draft refuses what the case asks for.
    """
    if promised.tiers:
        *others, last = promised.tiers
        promised = replace(promised, tiers=(*others, replace(last, up_to=None)))
    document = charge_document(promised)
    unit, count = document["interval"] or ("", 1)
    plain = ("key", "kind", "model", "timing", "alignment", "proration")
    return {
        **{name: document[name] for name in plain},
        "unit_price": promised.unit_price,
        "interval_unit": unit,
        "interval_count": count,
        "tiers": document.get("tiers", []),
        "details": details_document(promised),
    }


def _sell(services: Sequence[Service], owner: int, at: datetime) -> None:
    """Quotes for each account and day of start, sent, accepted and delivered."""
    if not services:
        return
    quoted: dict[tuple[int, date], list[LineInput]] = defaultdict(list)
    for each in services:
        line = LineInput(
            each.products[0].product.code,
            each.life.quantity,
            discount_percent=quoted_percent(each.life.charges[0].terms) or 0,
        )
        quoted[each.account.pk, each.life.started_on].append(line)
    # Ordered when all of it had begun: what was agreed stands, whenever it is delivered.
    placed = at + timedelta(days=1)
    drafts = [
        Draft(account, owner, placed.date(), lines, start_on=day)
        for (account, day), lines in quoted.items()
    ]
    quotes = [quote.pk for quote in draft_quotes(drafts=drafts, at=at)]
    send_quotes(quote_ids=quotes, at=at)
    place_orders(accepted=dict.fromkeys(quotes, "the customer"), at=placed)
    events.drain()
    first = {each.products[0].pk: each for each in services}
    items = Item.objects.filter(product_version__in=first)
    for item, product in items.values_list("pk", "product_version"):
        first[product].item = item


def _agree(services: Iterable[Service], owner: int, at: datetime) -> None:
    """Who pays a part of a service agrees on it from its start."""
    approver = a_user().pk
    for each in services:
        if each.payers:
            percents = each.life.charges[0].payers
            asked = ask_payers(
                account_id=each.account.pk,
                service_id=each.item,
                shares=[Share(*told) for told in zip(_keys(each.payers), percents, strict=True)],
                starts_on=each.life.started_on,
                reason="as published",
                asked_by_id=owner,
                at=at,
            )
            approve_payers(agreement_id=asked.pk, user_id=approver, at=at)


def _keys(accounts: Iterable[Account]) -> list[int]:
    return [each.pk for each in accounts]


def change(wanted: Mapping[Service, Sequence[Deed]], at: datetime) -> None:
    """Let each service be changed as wanted; what it was told before and is no more is undone."""
    facts = {each: dict(_facts(each, deeds, at.date())) for each, deeds in wanted.items()}
    changed = [service for service, told in facts.items() if told]
    if not changed:
        return
    lock_accounts(account_ids=sorted({each.account.pk for each in changed}))
    chains = chains_of([each.item for each in changed])
    orders = [
        ChangeOrder(
            each.account,
            Order.Kind.CHANGE,
            [_line(chains[each.item], fact) for fact in facts[each].values()],
        )
        for each in changed
    ]
    lines = write_change_orders(orders=orders, channel="screen", at=at)
    told = {
        each.item: [
            replace(fact, order_line_id=line.pk)
            for fact, line in zip(facts[each].values(), own, strict=True)
        ]
        for each, own in zip(changed, lines, strict=True)
    }
    chains = tell_facts(told, at=at)
    events.drain()
    for each in changed:
        rows = chains[each.item].changes[-len(told[each.item]) :]
        each.told |= {deed: row.pk for deed, row in zip(facts[each], rows, strict=True)}


def _facts(service: Service, deeds: Sequence[Deed], today: date) -> Iterator[tuple[Deed, NewFact]]:
    """What is to be told of a service so that these deeds hold, and no others."""
    for deed, row in service.told.items():
        if deed not in deeds:
            undone = Deed(Act.WITHDRAW, deed.on, withdraws=row)
            yield undone, NewFact(Act.WITHDRAW, deed.on, 0, withdraws_id=row)
    for deed in deeds:
        if deed not in service.told:
            billing = SuspensionBilling.NONE if deed.act == Act.SUSPEND else ""
            fact = NewFact(deed.act, deed.on, 0, quantity=deed.quantity, billing=billing)
            yield deed, replace(fact, **_other_terms(service, deed, today))


def _other_terms(service: Service, deed: Deed, today: date) -> dict[str, int]:
    """The Terms of another charge, as a quote of today would promise them."""
    if deed.charge is None:
        return {}
    product = service.products[deed.charge]
    wanted = [Wanted(product, service.life.quantity)]
    resolved = resolve(
        account=service.account, wanted=wanted, on=today, start_rule=StartRule.ON_DELIVERY
    )
    return {"product_version_id": product.pk, "terms_id": freeze_terms(resolved)[0].pk}


def _line(chain: Chain, fact: NewFact) -> ChangeLine:
    ordered = chain.root.order_line
    return ChangeLine(
        action=fact.act,
        change_on=fact.on,
        in_service={"revision": chain.root.revision},
        product_version_id=fact.product_version_id or ordered.product_version_id,
        delivery_plan_id=ordered.delivery_plan_id,
        quantity=fact.quantity or ordered.quantity,
        terms_id=fact.terms_id or ordered.terms_id,
        characteristics={},
    )


def _runs(
    sales: Sequence[Sale], day_of: Callable[[Sale], date], at: datetime
) -> Iterator[tuple[int, Sale]]:
    """A run for each day, approved and carried through, and what it billed."""
    by_day: dict[date, list[Sale]] = defaultdict(list)
    for sale in sales:
        by_day[day_of(sale)].append(sale)
    opener, approver = a_user().pk, a_user().pk
    opened = [
        open_run(
            legal_entity_id=an_entity().pk,
            on=day,
            opened_by_id=opener,
            at=at,
            account_ids=sorted(
                {pk for sale in billed for each in sale.services for pk in _keys(each.accounts)}
            ),
        )
        for day, billed in by_day.items()
    ]
    events.drain()
    for run in opened:
        approve_run(run_id=run.pk, user_id=approver, at=at)
    events.drain()
    for run, billed in zip(opened, by_day.values(), strict=True):
        for sale in billed:
            yield run.pk, sale


def _lines(services: Sequence[Service]) -> Mapping[tuple[int, int, int], list[DraftLine]]:
    """(run, product, account) → what its invoices say, as a draft would say it."""
    accounts = {pk for each in services for pk in _keys(each.accounts)}
    rows = InvoiceLine.objects.filter(invoice__account__in=accounts).select_related(
        "invoice", "charge__terms", "charge__terms_charge"
    )
    found: dict[tuple[int, int, int], list[DraftLine]] = defaultdict(list)
    billed: dict[tuple[object, ...], list[Decimal]] = defaultdict(list)
    taken = _taken(accounts)
    for row in rows.order_by("period_start", "segment", "revision"):
        so_far = billed[row.charge_id, row.period_start, row.segment]
        amount = row.amount + taken.pop((row.invoice_id, row.charge_id, row.period_start), 0)
        so_far.append(amount)
        found[row.invoice.run_id, row.charge.terms.product_version_id, row.account_id].append(
            as_drafted(row, amount=amount, target=sum_of(so_far))
        )
    return found


def as_drafted(row: InvoiceLine, *, amount: Decimal, target: Decimal) -> DraftLine:
    """A line of an invoice as its draft would say it."""
    return DraftLine(
        ref=row.charge_id,
        key=row.charge.terms_charge.key,
        period=Period(row.served_from, row.served_to),
        full_period=Period(row.period_start, row.period_end),
        segment=row.segment,
        revision=row.revision,
        quantity=row.quantity,
        amount=amount,
        target=target,
        cause=row.cause,
    )


def _taken(accounts: Collection[int]) -> dict[tuple[int, int | None, date], Decimal]:
    """(document, charge, period) → what coupons took off it there."""
    rows = InvoiceAdjustment.objects.filter(account_id__in=accounts)
    found: dict[tuple[int, int | None, date], Decimal] = defaultdict(Decimal)
    for row in rows:
        found[row.invoice_id, row.charge_id, row.period_start] += row.amount
    return found
