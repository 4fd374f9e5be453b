"""Where prices come from: contracts and books that may answer, read for many accounts at once."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from django.db.models import Q, QuerySet

from o2b.catalog.models import (
    Contract,
    ContractDiscount,
    ContractPrice,
    FixedDiscountClaim,
    Price,
    PriceBookVersion,
)
from o2b.customers.models import Account


@dataclass(frozen=True, slots=True)
class Sources:
    """All that may price some products for some accounts on a day."""

    contracts: Mapping[int, Contract]  # by account
    negotiated: Mapping[tuple[int, int], Sequence[ContractPrice]]  # by contract and product
    discounts: Mapping[int, Sequence[ContractDiscount]]  # by contract
    books: Sequence[PriceBookVersion] = field(default=())  # segments' books before default ones
    listed: Mapping[tuple[int, int], Sequence[Price]] = field(default_factory=dict)

    def books_of(self, account: Account) -> list[PriceBookVersion]:
        """The book versions that may answer for an account, best first."""
        segment = account.customer.segment
        return [
            version
            for version in self.books
            if version.book.currency == account.currency
            and (version.book.is_default or (segment and version.book.segment == segment))
        ]


def read_sources(*, accounts: Sequence[Account], products: set[int], on: date) -> Sources:
    """Contracts, their prices and discounts, books and their prices: six queries at most."""
    contracts: dict[int, Contract] = {}
    for contract in signed_on(on).filter(account__in=[a.pk for a in accounts]):
        contracts.setdefault(contract.account_id, contract)
    signed = [c.pk for c in contracts.values()]
    books = _books(
        currencies={a.currency for a in accounts},
        segments={a.customer.segment for a in accounts} - {""},
        on=on,
    )
    negotiated: dict[tuple[int, int], list[ContractPrice]] = defaultdict(list)
    discounts: dict[int, list[ContractDiscount]] = defaultdict(list)
    if signed:
        prices = ContractPrice.objects.filter(contract__in=signed, product__in=products)
        for own in prices.order_by("key"):
            negotiated[own.contract_id, own.product_id].append(own)
        taken = set(
            FixedDiscountClaim.objects.filter(contract__in=signed).values_list(
                "contract", flat=True
            )
        )
        for discount in ContractDiscount.objects.filter(contract__in=signed).order_by("position"):
            if discount.contract_id not in taken or discount.kind != ContractDiscount.Kind.AMOUNT:
                discounts[discount.contract_id].append(discount)
    listed: dict[tuple[int, int], list[Price]] = defaultdict(list)
    for price in Price.objects.filter(version__in=books, product__in=products).order_by("key"):
        listed[price.version_id, price.product_id].append(price)
    return Sources(contracts, negotiated, discounts, books, listed)


def signed_on(on: date) -> QuerySet[Contract]:
    """Every contract that is signed and valid on the day, each account's newest first."""
    return (
        Contract.objects.filter(state=Contract.State.SIGNED, valid_from__lte=on)
        .filter(Q(valid_to=None) | Q(valid_to__gt=on))
        .order_by("-valid_from", "-number", "-pk")
    )


def _books(
    *, currencies: Iterable[str], segments: Iterable[str], on: date
) -> list[PriceBookVersion]:
    versions = (
        PriceBookVersion.objects.filter(
            Q(book__is_default=True) | Q(book__segment__in=segments),
            book__currency__in=currencies,
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
