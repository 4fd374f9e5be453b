"""Whom a version of a price book reaches: what every stage asks before it is published."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from o2b import clock
from o2b.catalog.models import Contract, ContractPrice, Price, PriceBookVersion
from o2b.catalog.models.products import Lifecycle

MOST_EXAMPLES = 50


@dataclass(frozen=True, slots=True)
class Reach:
    """A version with its book, and the day on which it would count first."""

    version: PriceBookVersion
    on: date

    @property
    def currency(self) -> str:
        return str(self.version.book.currency)

    @property
    def policy(self) -> str:
        return str(self.version.policy)

    def accounts(self, prefix: str = "account") -> Q:
        """The accounts that the book is for, seen from a model that points to one."""
        book = self.version.book
        same = Q(**{f"{prefix}__currency": book.currency})
        if book.account_id is not None:
            return same & Q(**{prefix: book.account_id})
        if book.is_default:
            return same
        if not book.segment:
            return Q(pk=None)
        return same & Q(**{f"{prefix}__customer__segment": book.segment})

    def products(self) -> QuerySet[Price, Any]:
        """The keys of the products that the version, or the running one before it, prices."""
        before = self.version.book.versions.filter(state=Lifecycle.PUBLISHED)
        running = before.order_by("-valid_from", "-number").values("pk")[:1]
        prices = Price.objects.filter(Q(version=self.version) | Q(version__in=running))
        return prices.order_by().values("product")

    def contracts(self) -> QuerySet[Contract]:
        """Signed contracts with a price of their own for a product that the version prices."""
        prices = ContractPrice.objects.filter(
            contract=OuterRef("pk"), product__in=self.version.prices.order_by().values("product")
        )
        signed = Contract.objects.filter(self.accounts(), state=Contract.State.SIGNED)
        in_time = signed.filter(Q(valid_to=None) | Q(valid_to__gt=self.on))
        return in_time.filter(Exists(prices)).select_related("account")

    def decided_elsewhere(self, *, account: str, customer: str, product: str) -> Q:
        """Rows whose price a contract decides, or a book that goes before this one.

        The three are the paths from a row to its account, its customer and its product.
        """
        negotiated = Q(Exists(self._negotiated(account, product)))
        book = self.version.book
        if book.account_id is not None:
            return negotiated
        before = Q(version__book__account=OuterRef(account))
        if book.is_default:
            segments = Q(version__book__is_default=False) & ~Q(version__book__segment="")
            before |= segments & Q(version__book__segment=OuterRef(f"{customer}__segment"))
        shelves = Price.objects.filter(
            before,
            self._still_valid("version"),
            product=OuterRef(product),
            version__state=Lifecycle.PUBLISHED,
            version__valid_from__lte=self.on,
            version__book__currency=self.currency,
        )
        return negotiated | Q(Exists(shelves))

    def _negotiated(self, account: str, product: str) -> QuerySet[ContractPrice]:
        return ContractPrice.objects.filter(
            self._still_valid("contract"),
            contract__account=OuterRef(account),
            contract__state=Contract.State.SIGNED,
            contract__valid_from__lte=self.on,
            product=OuterRef(product),
        )

    def _still_valid(self, path: str) -> Q:
        return Q(**{f"{path}__valid_to": None}) | Q(**{f"{path}__valid_to__gt": self.on})


def reach_of(version_id: int) -> Reach:
    """The reach of a version; a missing one is a 404."""
    version = PriceBookVersion.objects.select_related("book").get(pk=version_id)
    return Reach(version, max(version.valid_from, clock.today()))
