"""Questions about price books: their versions, and the prices of one."""

from datetime import date

from django.db.models import Count, Q, QuerySet

from o2b.catalog.models import Price, PriceBook, PriceBookVersion, ProductVersion
from o2b.catalog.models.products import Lifecycle


def books_for_list() -> QuerySet[PriceBook]:
    """Every book with whose it is and the number of its versions."""
    return PriceBook.objects.select_related("account").annotate(
        versions_count=Count("versions"),
        published_count=Count("versions", filter=Q(versions__state=Lifecycle.PUBLISHED)),
        draft_count=Count("versions", filter=Q(versions__state=Lifecycle.DRAFT)),
    )


def books_of_account(account_id: int) -> QuerySet[PriceBook]:
    """The account's own books: one at most in a currency."""
    return books_for_list().filter(account=account_id).order_by("currency")


def versions_of_book(book: PriceBook) -> list[PriceBookVersion]:
    """The book's versions, the newest first, each with the number of its prices."""
    versions = book.versions.select_related("prepared_by", "published_by").order_by("-number")
    return list(versions.annotate(price_count=Count("prices")))


def get_book_version(code: str, number: int) -> PriceBookVersion:
    """One version of a book; a missing one is a 404."""
    related = ("book__account", "prepared_by", "published_by")
    return PriceBookVersion.objects.select_related(*related).get(book__code=code, number=number)


def version_in_force(versions: list[PriceBookVersion], on: date) -> PriceBookVersion | None:
    """The published version that answers on a day."""
    published = [v for v in versions if v.state == Lifecycle.PUBLISHED and v.valid_from <= on]
    return max(published, key=lambda v: (v.valid_from, v.number), default=None)


def version_before(version: PriceBookVersion) -> PriceBookVersion | None:
    """What a version takes over from: the newest published one before it."""
    others = version.book.versions.filter(number__lt=version.number)
    before = others.exclude(state=Lifecycle.DRAFT).order_by("-number").first()
    if before:
        before.book = version.book
    return before


def prices_of(version: PriceBookVersion) -> QuerySet[Price]:
    """The prices of a version in the order of a price list."""
    prices = Price.objects.filter(version=version).select_related("product")
    return prices.order_by("product__name", "product__code", "key", "pk")


def match_names(version: PriceBookVersion) -> list[str]:
    """The characteristics that any price of the version is for."""
    matched = Price.objects.filter(version=version).exclude(match={})
    names: set[str] = set()
    for match in matched.values_list("match", flat=True).distinct()[:2000]:
        names |= set(match)
    return sorted(names)


def characteristic_names() -> list[str]:
    """Every characteristic that a product that is not retired asks for."""
    versions = ProductVersion.objects.exclude(state=Lifecycle.RETIRED).exclude(characteristics=[])
    found: set[str] = set()
    for specs in versions.values_list("characteristics", flat=True).order_by():
        found.update(spec["name"] for spec in specs)
    return sorted(found)


def names_of_product(price: Price | None) -> list[str]:
    """The characteristics that a price's product asks for."""
    if price is None:
        return []
    versions = ProductVersion.objects.filter(product=price.product_id)
    newest = versions.order_by("-number").values_list("characteristics", flat=True).first()
    return [spec["name"] for spec in newest or []]
