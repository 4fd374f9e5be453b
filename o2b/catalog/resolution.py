"""Which price a line gets: contract, then the account's segment's book, then the default book.

Everything is read in a fixed number of queries whatever the number of lines, and every candidate
is kept with the reason why it won or lost.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.db.models import Q, QuerySet

from o2b.catalog.models import (
    Contract,
    ContractDiscount,
    Price,
    PriceBookVersion,
    ProductVersion,
    TermsCharge,
)
from o2b.catalog.models.prices import ChargeShape
from o2b.charging.pricing import list_price, share_fixed_discount
from o2b.charging.terms import (
    Alignment,
    ChargeTerms,
    Discount,
    DiscountKind,
    Kind,
    LineTerms,
    Model,
    Proration,
    StartRule,
    Timing,
)
from o2b.customers.models import Account
from o2b.errors import Invalid
from o2b.money import Money
from o2b.periods import Interval


class NoPrice(Invalid):
    """Neither the contract nor a book has a price for the product."""

    code = "no_price"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One line to be priced; `discounts` are the rep's own, before the contract's."""

    product_version: ProductVersion
    quantity: Decimal
    discounts: tuple[Discount, ...] = ()


@dataclass(frozen=True, slots=True)
class Resolution:
    """The Terms that one wanted line gets, and why: [{source, won, reason}] of every candidate."""

    product_version: ProductVersion
    quantity: Decimal
    terms: LineTerms
    book_version_id: int | None
    contract_id: int | None
    why: list[dict[str, object]] = field(default_factory=list)


def resolve(
    *,
    account: Account,
    wanted: Sequence[Wanted],
    on: date,
    start_rule: StartRule = StartRule.ON_DELIVERY,
    fixed_discount_taken: bool = False,
) -> list[Resolution]:
    """The Terms of each wanted line, in order; raises NoPrice naming `lines[i].product`.

    A contract's fixed monthly discount goes once, to the first lines under that contract; the
    caller says with `fixed_discount_taken` that an earlier offer carries it already.
    """
    contract = contract_of(account=account, on=on)
    products = {w.product_version.product_id for w in wanted}
    negotiated = _by_product(contract.prices.all() if contract else [], products)
    books = books_for(account=account, on=on)
    listed = _listed(books, products)
    found = [
        _pick(w, contract, negotiated, books, listed, i, account.currency)
        for i, w in enumerate(wanted)
    ]
    discounts = list(contract.discounts.all()) if contract else []
    shared = _shared_discounts(
        [(shape, w.quantity) for (shape, *_), w in zip(found, wanted, strict=True)],
        [] if fixed_discount_taken else discounts,
        account.currency,
    )
    percents = tuple(
        Discount(DiscountKind.PERCENT, d.value)
        for d in discounts
        if d.kind == ContractDiscount.Kind.PERCENT
    )
    return [
        Resolution(
            product_version=w.product_version,
            quantity=w.quantity,
            terms=LineTerms(
                product=w.product_version.product.code,
                version=w.product_version.number,
                currency=account.currency,
                start_rule=start_rule,
                charges=_discounted(charges, w.discounts, percents, share),
            ),
            book_version_id=book.pk if book else None,
            contract_id=contract.pk if contract and (book is None or discounts) else None,
            why=why,
        )
        for w, (charges, book, why), share in zip(wanted, found, shared, strict=True)
    ]


def contract_of(*, account: Account, on: date) -> Contract | None:
    """The signed contract of the account that is valid on the day, the newest first."""
    found = contracts_of(account=account, on=on)
    return found.prefetch_related("prices__product", "discounts").first()


def contracts_of(*, account: Account, on: date) -> QuerySet[Contract]:
    """Every signed contract of the account that is valid on the day, the one that counts first."""
    return (
        Contract.objects.filter(account=account, state=Contract.State.SIGNED, valid_from__lte=on)
        .filter(Q(valid_to=None) | Q(valid_to__gt=on))
        .order_by("-valid_from", "-number", "-pk")
    )


def books_for(*, account: Account, on: date) -> list[PriceBookVersion]:
    """The book versions that may answer, best first: the segment's book, then the default book."""
    segment = account.customer.segment
    versions = (
        PriceBookVersion.objects.filter(
            Q(book__is_default=True) | (Q(book__segment=segment) & ~Q(book__segment="")),
            book__currency=account.currency,
            state=PriceBookVersion.State.PUBLISHED,
            valid_from__lte=on,
        )
        .select_related("book")
        .order_by("book__is_default", "book_id", "-valid_from", "-number")
    )
    newest: dict[int, PriceBookVersion] = {}
    for version in versions:
        newest.setdefault(version.book_id, version)
    return list(newest.values())


Found = tuple[list[ChargeTerms], PriceBookVersion | None, list[dict[str, object]]]


def _pick(
    w: Wanted,
    contract: Contract | None,
    negotiated: dict[int, list[ChargeShape]],
    books: list[PriceBookVersion],
    listed: dict[tuple[int, int], list[Price]],
    index: int,
    currency: str,
) -> Found:
    product = w.product_version.product
    why: list[dict[str, object]] = []
    winner: tuple[Sequence[ChargeShape], PriceBookVersion | None] | None = None
    if contract:
        rows = negotiated.get(product.pk, [])
        why.append(_candidate(f"contract {contract}", bool(rows), "a price of its own", "no price"))
        winner = (rows, None) if rows else None
    for version in books:
        prices = [
            p
            for p in listed.get((version.pk, product.pk), [])
            if p.from_version <= w.product_version.number <= (p.to_version or 32767)
        ]
        if winner:
            why.append({"source": f"book {version}", "won": False, "reason": "ranks lower"})
            continue
        won = "the segment's book" if not version.book.is_default else "the default book"
        why.append(_candidate(f"book {version}", bool(prices), won, "no price"))
        winner = (prices, version) if prices else None
    if winner is None:
        raise NoPrice(
            f"{w.product_version} has no price in {currency}: publish a book that prices it",
            field=f"lines[{index}].product",
        )
    rows, book = winner
    return [charge_terms(row, currency) for row in rows], book, why


def _candidate(source: str, won: bool, yes: str, no: str) -> dict[str, object]:
    return {"source": source, "won": won, "reason": yes if won else no}


def charge_terms(row: ChargeShape, currency: str) -> ChargeTerms:
    """The pure form of a stored charge (a price, a contract's price, or a charge of Terms)."""
    return ChargeTerms(
        key=row.key,
        kind=Kind(row.kind),
        model=Model(row.model),
        unit_price=row.unit_price,
        currency=currency,
        interval=Interval(row.interval_unit, row.interval_count) if row.interval_unit else None,
        timing=Timing(row.timing),
        alignment=Alignment(row.alignment),
        proration=Proration(row.proration),
        discounts=tuple(
            Discount(DiscountKind(d["kind"]), Decimal(d["value"])) for d in row.discounts
        )
        if isinstance(row, TermsCharge)
        else (),
        tax_code=row.tax_code,
        revenue_rule=row.revenue_rule,
    )


def _by_product(rows: Iterable[ChargeShape], products: set[int]) -> dict[int, list[ChargeShape]]:
    found: dict[int, list[ChargeShape]] = defaultdict(list)
    for row in sorted(rows, key=lambda r: r.key):
        if row.product_id in products:  # type: ignore[attr-defined]
            found[row.product_id].append(row)  # type: ignore[attr-defined]
    return found


def _listed(
    books: list[PriceBookVersion], products: set[int]
) -> dict[tuple[int, int], list[Price]]:
    found: dict[tuple[int, int], list[Price]] = defaultdict(list)
    prices = Price.objects.filter(version__in=books, product__in=products).order_by("key")
    for price in prices:
        found[price.version_id, price.product_id].append(price)
    return found


def _shared_discounts(
    lines: list[tuple[list[ChargeTerms], Decimal]],
    discounts: list[ContractDiscount],
    currency: str,
) -> list[Decimal]:
    """Each line's share of the contract's fixed monthly amount, by its recurring list price."""
    fixed = sum((d.value for d in discounts if d.kind == ContractDiscount.Kind.AMOUNT), Decimal(0))
    weights = [
        sum((list_price(c, quantity) for c in charges if _is_monthly(c)), Decimal(0))
        for charges, quantity in lines
    ]
    if not fixed or not any(_is_monthly(c) for charges, _ in lines for c in charges):
        return [Decimal(0)] * len(lines)
    return share_fixed_discount(Money(fixed, currency), weights)


def _is_monthly(charge: ChargeTerms) -> bool:
    return charge.kind is Kind.RECURRING and charge.interval == Interval("month", 1)


def _discounted(
    charges: list[ChargeTerms],
    own: tuple[Discount, ...],
    percents: tuple[Discount, ...],
    share: Decimal,
) -> tuple[ChargeTerms, ...]:
    """Rep's discounts, then the contract's percentages, then its fixed share on one charge."""
    fixed = (Discount(DiscountKind.AMOUNT, share),) if share else ()
    carrier = next((c.key for c in charges if _is_monthly(c)), None)
    return tuple(
        ChargeTerms(
            key=c.key,
            kind=c.kind,
            model=c.model,
            unit_price=c.unit_price,
            currency=c.currency,
            interval=c.interval,
            timing=c.timing,
            alignment=c.alignment,
            proration=c.proration,
            discounts=own + percents + (fixed if c.key == carrier else ()),
            tax_code=c.tax_code,
            revenue_rule=c.revenue_rule,
        )
        for c in charges
    )
