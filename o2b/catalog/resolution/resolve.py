"""Resolve what is wanted into Terms: choose each line's price, then apply every discount."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from o2b.catalog.models import Contract, ContractDiscount, ProductVersion
from o2b.catalog.resolution.choice import Choice, choose
from o2b.catalog.resolution.sources import Sources, read_sources
from o2b.charging.pricing import list_price, share_fixed_discount
from o2b.charging.terms import (
    ChargeTerms,
    Discount,
    DiscountKind,
    Kind,
    LineTerms,
    StartRule,
)
from o2b.customers.models import Account
from o2b.money import Money
from o2b.periods import Interval, Unit

MONTHLY = Interval(Unit.MONTH, 1)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One line to be priced; `discounts` are the rep's own, before the contract's."""

    product_version: ProductVersion
    quantity: Decimal
    discounts: tuple[Discount, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """The lines that one account wants together.

    A contract's fixed monthly discount goes once, to the first lines under that contract; with
    `fixed_discount_taken` the caller says that an earlier offer carries it already.
    """

    account: Account
    wanted: Sequence[Wanted]
    start_rule: StartRule = StartRule.ON_DELIVERY
    fixed_discount_taken: bool = False


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
    """The Terms of each wanted line, in order; raises NoPrice naming `lines[i].product`."""
    asked = Asked(account, wanted, start_rule, fixed_discount_taken)
    return resolve_many(asked=[asked], on=on)[0]


def resolve_many(*, asked: Sequence[Asked], on: date) -> list[list[Resolution]]:
    """The same for many accounts at once, in the queries of one."""
    sources = read_sources(
        accounts=[a.account for a in asked],
        products={w.product_version.product_id for a in asked for w in a.wanted},
        on=on,
    )
    return [_resolved(one, sources) for one in asked]


def _resolved(asked: Asked, sources: Sources) -> list[Resolution]:
    account = asked.account
    choices = [
        choose(w.product_version, account=account, sources=sources, field=f"lines[{i}].product")
        for i, w in enumerate(asked.wanted)
    ]
    contract = sources.contracts.get(account.pk)
    discounts = sources.discounts.get(contract.pk, ()) if contract else ()
    fixed = () if asked.fixed_discount_taken else discounts
    shares = _shares(choices, asked.wanted, fixed, account.currency)
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
                start_rule=asked.start_rule,
                charges=_discounted(choice.charges, w.discounts, percents, share),
            ),
            book_version_id=choice.book_version.pk if choice.book_version else None,
            contract_id=_carried(contract, choice, bool(discounts)),
            why=choice.why,
        )
        for w, choice, share in zip(asked.wanted, choices, shares, strict=True)
    ]


def carries_fixed_discount(terms: LineTerms) -> bool:
    """Whether a share of a contract's fixed monthly amount is in the Terms."""
    return any(d.kind is DiscountKind.AMOUNT for c in terms.charges for d in c.discounts)


def _carried(contract: Contract | None, choice: Choice, has_discounts: bool) -> int | None:
    """The contract, if it had a say in the line's price."""
    return contract.pk if contract and (choice.book_version is None or has_discounts) else None


def _shares(
    choices: Sequence[Choice],
    wanted: Sequence[Wanted],
    discounts: Iterable[ContractDiscount],
    currency: str,
) -> list[Decimal]:
    """Each line's share of the contract's fixed monthly amount, by its recurring list price."""
    fixed = sum((d.value for d in discounts if d.kind == ContractDiscount.Kind.AMOUNT), Decimal(0))
    if not fixed or not any(_is_monthly(c) for choice in choices for c in choice.charges):
        return [Decimal(0)] * len(choices)
    weights = [
        sum((list_price(c, w.quantity) for c in choice.charges if _is_monthly(c)), Decimal(0))
        for choice, w in zip(choices, wanted, strict=True)
    ]
    return share_fixed_discount(Money(fixed, currency), weights)


def _is_monthly(charge: ChargeTerms) -> bool:
    return charge.kind is Kind.RECURRING and charge.interval == MONTHLY


def _discounted(
    charges: Sequence[ChargeTerms],
    own: tuple[Discount, ...],
    percents: tuple[Discount, ...],
    share: Decimal,
) -> tuple[ChargeTerms, ...]:
    """The rep's discounts, then the contract's: off all that recurs, its share on one charge."""
    carrier = next((c.key for c in charges if _is_monthly(c)), None)
    fixed = (Discount(DiscountKind.AMOUNT, share),) if share else ()
    if not own and not percents and not fixed:
        return tuple(charges)
    return tuple(
        replace(
            c,
            discounts=own
            + (percents if c.kind is Kind.RECURRING else ())
            + (fixed if c.key == carrier else ()),
        )
        for c in charges
    )
