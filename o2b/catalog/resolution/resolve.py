"""Resolve what is wanted into Terms: choose each line's price, then apply every discount."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from o2b.catalog.models import Contract, ContractDiscount, ProductVersion
from o2b.catalog.resolution.choice import Choice, PriceBroken, choose
from o2b.catalog.resolution.priceable import check_priceable
from o2b.catalog.resolution.sources import Sources, read_sources
from o2b.charging.pricing import price, share_fixed_discount
from o2b.charging.terms import (
    ChargeTerms,
    Discount,
    DiscountKind,
    Kind,
    LineTerms,
    StartRule,
    TermsInvalid,
    plain,
)
from o2b.customers.models import Account
from o2b.errors import Invalid
from o2b.money import EXACT, Money
from o2b.periods import Interval, Unit

MONTHLY = Interval(Unit.MONTH, 1)


class DiscountUnderFloor(Invalid):
    """A rep's own discount is larger than the price allows."""

    code = "discount_under_floor"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One line to be priced; `discounts` are the rep's own, before the contract's.

    `characteristics` are the line's, as `check_characteristics` leaves them. Without a `start_rule`
    that of all lines holds.
    """

    product_version: ProductVersion
    quantity: Decimal
    discounts: tuple[Discount, ...] = ()
    characteristics: Mapping[str, Any] = field(default_factory=dict)
    start_rule: StartRule | None = None


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
    return [resolved(one, sources) for one in asked]


def resolved(asked: Asked, sources: Sources) -> list[Resolution]:
    """The Terms of each wanted line from what has been read; refuses as `resolve` does."""
    account = asked.account
    spent: set[int] = set()
    choices = [
        _chosen(w, asked=asked, sources=sources, at=f"lines[{i}]", spent=spent)
        for i, w in enumerate(asked.wanted)
    ]
    off = discounts_for(account, sources)
    fixed = Decimal(0) if asked.fixed_discount_taken else off.fixed
    offers = [
        (_discounted(w, choice, off.percents, at=f"lines[{i}]"), w.quantity)
        for i, (w, choice) in enumerate(zip(asked.wanted, choices, strict=True))
    ]
    shares = shares_of(offers, fixed, account.currency)
    return [
        Resolution(
            product_version=w.product_version,
            quantity=w.quantity,
            terms=_line_terms(asked, i, charges, share),
            book_version_id=choice.book_version.pk if choice.book_version else None,
            contract_id=_carried(sources.contracts.get(account.pk), choice, off.any),
            why=choice.why,
        )
        for i, (w, choice, (charges, _quantity), share) in enumerate(
            zip(asked.wanted, choices, offers, shares, strict=True)
        )
    ]


@dataclass(frozen=True, slots=True)
class Off:
    """What an account's contract takes off: percentages in order, and a fixed monthly amount."""

    percents: tuple[Discount, ...] = ()
    fixed: Decimal = Decimal(0)
    any: bool = False


def discounts_for(account: Account, sources: Sources) -> Off:
    """The discounts of the contract that is valid for an account."""
    contract = sources.contracts.get(account.pk)
    rows = sources.discounts.get(contract.pk, ()) if contract else ()
    percents, amounts = ContractDiscount.Kind.PERCENT, ContractDiscount.Kind.AMOUNT
    return Off(
        tuple(Discount(DiscountKind.PERCENT, d.value) for d in rows if d.kind == percents),
        sum((d.value for d in rows if d.kind == amounts), Decimal(0)),
        bool(rows),
    )


def _chosen(wanted: Wanted, *, asked: Asked, sources: Sources, at: str, spent: set[int]) -> Choice:
    choice = choose(
        wanted.product_version,
        account=asked.account,
        sources=sources,
        field=f"{at}.product",
        characteristics=wanted.characteristics,
        spent=spent,
    )
    check_priceable(choice.charges, wanted.quantity, version=wanted.product_version, at=at)
    limit = choice.discount_limit
    if limit is not None and (given := _percent_off(wanted.discounts)) > limit:
        message = _("%(product)s: at most %(limit)s %% off, and this is %(given)s %%.")
        told = {
            "product": wanted.product_version.product,
            "limit": plain(limit),
            "given": plain(given),
        }
        raise DiscountUnderFloor(message % told, field=f"{at}.discount_percent", limit=plain(limit))
    return choice


def _percent_off(discounts: Iterable[Discount]) -> Decimal:
    """What percentages taken one after the other come to."""
    kept = Decimal(100)
    for discount in discounts:
        if discount.kind is DiscountKind.PERCENT:
            share = EXACT.subtract(Decimal(100), discount.value)
            kept = EXACT.multiply(kept, share).scaleb(-2, context=EXACT)
    return EXACT.subtract(Decimal(100), kept)


def _discounted(
    wanted: Wanted, choice: Choice, percents: tuple[Discount, ...], *, at: str
) -> tuple[ChargeTerms, ...]:
    try:
        return discounted(choice.charges, wanted.discounts, percents)
    except TermsInvalid as exc:
        raise PriceBroken(f"{wanted.product_version}: {exc}", field=f"{at}.product") from exc


def _line_terms(
    asked: Asked, i: int, charges: Sequence[ChargeTerms], shares: Sequence[Decimal]
) -> LineTerms:
    version = asked.wanted[i].product_version
    try:
        return LineTerms(
            product=version.product.code,
            version=version.number,
            currency=asked.account.currency,
            start_rule=asked.wanted[i].start_rule or asked.start_rule,
            charges=with_shares(charges, shares),
        )
    except TermsInvalid as exc:
        raise PriceBroken(f"{version}: {exc}", field=f"lines[{i}].product") from exc


def carries_fixed_discount(terms: LineTerms) -> bool:
    """Whether a share of a contract's fixed monthly amount is in the Terms."""
    return any(d.kind is DiscountKind.AMOUNT for c in terms.charges for d in c.discounts)


def _carried(contract: Contract | None, choice: Choice, has_discounts: bool) -> int | None:
    """The contract, if it had a say in the line's price."""
    has_a_say = choice.book_version is None or has_discounts or choice.committed
    return contract.pk if contract and has_a_say else None


def shares_of(
    offers: Sequence[tuple[Sequence[ChargeTerms], Decimal]], fixed: Decimal, currency: str
) -> list[list[Decimal]]:
    """Each charge's share of the contract's fixed monthly amount, by what it costs before that.

    A line is its charges, with all other discounts, and its quantity. Shared by charge and by what
    is left of it, the amount is given to the last cent as long as all of them together cost more;
    a charge that pays the customer takes no share.
    """
    monthly = [(c, quantity) for charges, quantity in offers for c in charges if _is_monthly(c)]
    if not fixed or not monthly:
        return [[Decimal(0)] * len(charges) for charges, _quantity in offers]
    weights = [max(price(c, quantity), Decimal(0)) for c, quantity in monthly]
    shares = iter(share_fixed_discount(Money(fixed, currency), weights))
    return [
        [next(shares) if _is_monthly(c) else Decimal(0) for c in charges]
        for charges, _quantity in offers
    ]


def _is_monthly(charge: ChargeTerms) -> bool:
    return charge.kind is Kind.RECURRING and charge.interval == MONTHLY


def discounted(
    charges: Sequence[ChargeTerms], own: tuple[Discount, ...], percents: tuple[Discount, ...]
) -> tuple[ChargeTerms, ...]:
    """The rep's discounts off every charge, then the contract's percentages off all that recurs."""
    if not own and not percents:
        return tuple(charges)
    return tuple(
        replace(c, discounts=own + (percents if c.kind is Kind.RECURRING else ())) for c in charges
    )


def with_shares(
    charges: Sequence[ChargeTerms], shares: Sequence[Decimal]
) -> tuple[ChargeTerms, ...]:
    """Each charge with its share of the fixed monthly amount, after all other discounts."""
    return tuple(
        replace(c, discounts=(*c.discounts, Discount(DiscountKind.AMOUNT, share))) if share else c
        for c, share in zip(charges, shares, strict=True)
    )
