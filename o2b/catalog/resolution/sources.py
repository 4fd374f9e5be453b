"""Where prices come from: contracts and books that may answer, read for many accounts at once."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from django.db.models import Exists, OuterRef, Q, QuerySet

from o2b.catalog.models import (
    Contract,
    ContractCommitment,
    ContractDiscount,
    ContractPrice,
    FixedDiscountClaim,
    Price,
    PriceBookVersion,
)
from o2b.catalog.resolution.stored import conventions_text
from o2b.customers.models import Account, LegalEntity


@dataclass(frozen=True, slots=True)
class Sources:
    """All that may price some products for some accounts on a day."""

    contracts: Mapping[int, Contract]  # by account
    negotiated: Mapping[tuple[int, int], Sequence[ContractPrice]]  # by contract and product
    discounts: Mapping[int, Sequence[ContractDiscount]]  # by contract
    own_books: Mapping[int, Sequence[PriceBookVersion]] = field(default_factory=dict)  # by account
    books: Sequence[PriceBookVersion] = field(default=())  # segments' books before default ones
    listed: Mapping[tuple[int, int], Sequence[Price]] = field(default_factory=dict)
    commitments: Mapping[int, Sequence[ContractCommitment]] = field(default_factory=dict)
    conventions: Mapping[int, str] = field(default_factory=dict)  # by legal entity, if it has any

    def books_of(self, account: Account) -> list[PriceBookVersion]:
        """The book versions that may answer for an account, best first: its own, then others."""
        segment = account.customer.segment
        shared = (
            version
            for version in self.books
            if version.book.is_default or (segment and version.book.segment == segment)
        )
        return [
            version
            for version in (*self.own_books.get(account.pk, ()), *shared)
            if version.book.currency == account.currency
        ]


def read_sources(
    *,
    accounts: Sequence[Account],
    products: set[int],
    on: date,
    as_if: PriceBookVersion | None = None,
) -> Sources:
    """Contracts with what they say, books with their prices: seven queries at most.

    `as_if` is a draft that is looked at as if it were published already.
    """
    contracts: dict[int, Contract] = {}
    for contract in signed_on(on).filter(account__in=[a.pk for a in accounts]):
        contracts.setdefault(contract.account_id, contract)
    signed = [c.pk for c in contracts.values()]
    books = _books(accounts=accounts, on=on, as_if=as_if)
    negotiated: dict[tuple[int, int], list[ContractPrice]] = defaultdict(list)
    discounts: dict[int, list[ContractDiscount]] = defaultdict(list)
    commitments: dict[int, list[ContractCommitment]] = defaultdict(list)
    if signed:
        prices = ContractPrice.objects.filter(contract__in=signed, product__in=products)
        for own in prices.order_by("key", "pk"):
            negotiated[own.contract_id, own.product_id].append(own)
        for discount in _discounts(signed):
            discounts[discount.contract_id].append(discount)
        committed = ContractCommitment.objects.filter(contract__in=signed)
        for commitment in committed.filter(Q(product=None) | Q(product__in=products)):
            commitments[commitment.contract_id].append(commitment)
    listed: dict[tuple[int, int], list[Price]] = defaultdict(list)
    for price in Price.objects.filter(version__in=books, product__in=products).order_by(
        "key", "pk"
    ):
        listed[price.version_id, price.product_id].append(price)
    return Sources(
        contracts=contracts,
        negotiated=negotiated,
        discounts=discounts,
        own_books=_by_account(books),
        books=[version for version in books if version.book.account_id is None],
        listed=listed,
        commitments=commitments,
        conventions=_conventions(accounts),
    )


def _by_account(books: Iterable[PriceBookVersion]) -> dict[int, list[PriceBookVersion]]:
    """Those that are one account's own."""
    found: dict[int, list[PriceBookVersion]] = defaultdict(list)
    for version in books:
        if version.book.account_id is not None:
            found[version.book.account_id].append(version)
    return found


def _discounts(contracts: Sequence[int]) -> QuerySet[ContractDiscount]:
    """What the contracts take off; a fixed amount only as long as nobody has it.

    Who has that of an earlier version of the contract has it still, under the Terms of then.
    """
    claims = FixedDiscountClaim.objects.filter(
        contract__account=OuterRef("contract__account"), contract__code=OuterRef("contract__code")
    )
    found = ContractDiscount.objects.filter(contract__in=contracts)
    return found.exclude(Exists(claims), kind=ContractDiscount.Kind.AMOUNT).order_by("position")


def _conventions(accounts: Iterable[Account]) -> dict[int, str]:
    """How each legal entity counts; one query, unless all of them came with their accounts."""
    known = {a.legal_entity_id: a.legal_entity for a in accounts if _has_entity(a)}
    unread = {a.legal_entity_id for a in accounts} - known.keys()
    if unread:
        known |= LegalEntity.objects.only("conventions").in_bulk(unread)
    return {pk: conventions_text(entity.conventions) for pk, entity in known.items()}


def _has_entity(account: Account) -> bool:
    return Account.legal_entity.is_cached(account)


def signed_on(on: date) -> QuerySet[Contract]:
    """Every contract that is signed and valid on the day, each account's newest first.

    One that ended later than the day still answers for it.
    """
    signed = [Contract.State.SIGNED, Contract.State.RETIRED]
    return (
        Contract.objects.filter(state__in=signed, valid_from__lte=on)
        .filter(Q(valid_to=None) | Q(valid_to__gt=on))
        .filter(Q(retired_on=None) | Q(retired_on__gt=on))
        .order_by("-valid_from", "-number", "-pk")
    )


def _books(
    *, accounts: Sequence[Account], on: date, as_if: PriceBookVersion | None
) -> list[PriceBookVersion]:
    """The version that counts of every book that is for any of the accounts."""
    valid = valid_on(on)
    if as_if is not None:
        valid |= PriceBookVersion.objects.filter(pk=as_if.pk, valid_from__lte=on)
    versions = (
        valid.filter(
            Q(book__is_default=True)
            | Q(book__segment__in={a.customer.segment for a in accounts} - {""})
            | Q(book__account__in={a.pk for a in accounts}),
            book__currency__in={a.currency for a in accounts},
        )
        .select_related("book")
        .order_by("book__is_default", "book_id", "-valid_from", "-number")
    )
    newest: dict[int, PriceBookVersion] = {}
    for version in versions:
        newest.setdefault(version.book_id, version)
    return list(newest.values())


def valid_on(on: date) -> QuerySet[PriceBookVersion]:
    """Published versions that are valid on the day; one that retired later still answers for it."""
    published = [PriceBookVersion.State.PUBLISHED, PriceBookVersion.State.RETIRED]
    return (
        PriceBookVersion.objects.filter(state__in=published, valid_from__lte=on)
        .filter(Q(valid_to=None) | Q(valid_to__gt=on))
        .filter(Q(retired_on=None) | Q(retired_on__gt=on))
    )
