"""Price books: the list of them, one with its versions and prices, and what changed between two."""

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from o2b import clock
from o2b.catalog import selectors, services
from o2b.catalog.forms import BookForm
from o2b.catalog.forms.grid import UNPRICED
from o2b.catalog.models import Price, PriceBook, PriceBookVersion
from o2b.catalog.models.products import Lifecycle
from o2b.catalog.views.who import who
from o2b.errors import Refused
from o2b.web.forms import show_refusal
from o2b.web.http import door
from o2b.web.tables import Action, Column, ListPage

CHANGE = "catalog.change_product"


class BookList(ListPage):
    """Every price book."""

    permission = "catalog.view_product"
    title = _("Price books")
    columns = (
        Column(
            "name",
            _("Price book"),
            sort="name",
            link=lambda book: reverse("catalog:book", args=[book.code]),
            note="code",
        ),
        Column("currency", _("Currency"), sort="currency"),
        Column(
            "for",
            _("For"),
            value=lambda book: (
                book.account or (_("everybody") if book.is_default else book.segment)
            ),
        ),
        Column("versions_count", _("Versions"), kind="number", sort="versions_count"),
        Column("published_count", _("Published"), kind="number", sort="published_count"),
        Column(
            "draft",
            _("Draft"),
            value=lambda book: "draft" if book.draft_count else None,
            kind="badge",
            sort="draft_count",
        ),
    )
    search = ("code", "name", "segment", "account__reference", "account__name")
    default_sort = "name"
    csv_name = "price-books"
    actions = (Action(_("New price book"), "catalog:book-new", permission=CHANGE),)
    empty = _("No price books yet.")

    def get_rows(self) -> QuerySet[PriceBook]:
        return selectors.books_for_list()


def _price_note(price: Price) -> str:
    meters = selectors.name_of_pool(price)
    rate = selectors.rate_of(price, price.version.book.currency, meters)
    return " · ".join([rate.rhythm, *rate.parts])


class BookPage(ListPage):
    """One price book: its versions, and the prices of the one that is asked for."""

    permission = "catalog.view_product"
    template_name = "catalog/book.html"
    columns = (
        Column(
            "product",
            _("Product"),
            value="product.name",
            sort=("product__name", "key"),
            link=lambda price: price.product.get_absolute_url(),
            note="product.code",
        ),
        Column(
            "charge",
            _("Charge"),
            value=lambda price: selectors.name_of(price.key),
            sort="key",
            note=_price_note,
        ),
        Column(
            "price",
            _("Price"),
            value=lambda price: None if price.model in UNPRICED else price.unit_price.normalize(),
            kind="money",
            currency="version.book.currency",
            sort="unit_price",
        ),
    )
    search = ("product__code", "product__name", "key")
    search_hint = _("Product or charge…")
    default_sort = "product"
    csv_name = "prices"
    empty = _("No prices in this version yet.")

    @cached_property
    def book(self) -> PriceBook:
        return PriceBook.objects.select_related("account").get(code=self.kwargs["code"])

    @cached_property
    def versions(self) -> list[PriceBookVersion]:
        return selectors.versions_of_book(self.book)

    @cached_property
    def version(self) -> PriceBookVersion | None:
        """The one that is asked for, else the one in force, else the newest."""
        asked = self.request.GET.get("version", "")
        for version in self.versions:
            if str(version.number) == asked:
                return version
        newest = self.versions[0] if self.versions else None
        return selectors.version_in_force(self.versions, clock.today()) or newest

    def get_rows(self) -> QuerySet[Price]:
        prices = Price.objects.select_related("product", "version__book")
        return selectors.with_pools(prices.filter(version=self.version))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        drafts = [v for v in self.versions if v.state == Lifecycle.DRAFT]
        pairs = zip(self.versions, [*self.versions[1:], None], strict=True)
        return super().get_context_data(
            title=self.book.name,
            book=self.book,
            version=self.version,
            pairs=list(pairs) if self.versions else [],
            draft=drafts[0] if drafts else None,
            version_is_older=self.version in self.versions[4:],
            may_change=self.request.user.has_perm(CHANGE),
            **kwargs,
        )


class Rows(list[Any]):
    """Rows that were worked out here, in the shape that lists and CSV files read."""

    ordered = True

    def iterator(self, chunk_size: int = 0) -> Any:
        return iter(self)


_KINDS = (
    ("dearer", _("dearer")),
    ("cheaper", _("cheaper")),
    ("new", _("new")),
    ("gone", _("gone")),
    ("other", _("other")),
)
_TONES = {"dearer": "warn", "cheaper": "good", "new": "go", "gone": "bad", "other": ""}
_NOTHING = Decimal("-Infinity")


def _number(value: Decimal | None) -> Decimal:
    return _NOTHING if value is None else value


class BookComparison(ListPage):
    """What changed between two versions of a book: ?from= and ?to= are their numbers."""

    permission = "catalog.view_product"
    template_name = "catalog/book_compare.html"
    columns = (
        Column(
            "product",
            _("Product"),
            sort="product",
            link=lambda change: reverse("catalog:product", args=[change.code]),
            note="code",
        ),
        Column("charge", _("Charge"), sort="charge", note="match"),
        Column(
            "kind",
            _("Change"),
            kind="badge",
            sort="kind",
            label=lambda change: dict(_KINDS)[change.kind],
            tone=lambda change: _TONES[change.kind],
        ),
        Column(
            "before",
            _("Before"),
            kind="money",
            currency="currency",
            sort="before",
            note="said_before",
        ),
        Column(
            "after",
            _("After"),
            kind="money",
            currency="currency",
            sort="after",
            note="said_after",
        ),
        Column("percent", _("Percent"), kind="number", sort="percent"),
    )
    search = ("product", "charge")
    search_hint = _("Product or charge…")
    state_field = "kind"
    states = _KINDS
    default_sort = "product"
    csv_name = "price-changes"
    empty = _("No price differs between these two versions.")

    @cached_property
    def versions(self) -> list[PriceBookVersion]:
        found = PriceBook.objects.get(code=self.kwargs["code"])
        versions = selectors.versions_of_book(found)
        for version in versions:
            version.book = found
        return versions

    @cached_property
    def pair(self) -> tuple[PriceBookVersion, PriceBookVersion]:
        by_number = {str(version.number): version for version in self.versions}
        if not self.versions:
            raise PriceBookVersion.DoesNotExist("the book has no versions")
        after = by_number.get(self.request.GET.get("to", ""), self.versions[0])
        earlier = next((v for v in self.versions if v.number < after.number), after)
        return by_number.get(self.request.GET.get("from", ""), earlier), after

    def get_queryset(self) -> Any:
        words = self.words.lower().split()
        rows = [
            change
            for change in selectors.price_differences(*self.pair)
            if not self.state or change.kind == self.state
            if all(
                word in f"{change.code} {change.product} {change.charge}".lower() for word in words
            )
        ]
        key = self.sort.removeprefix("-")
        if key in {"before", "after", "percent"}:
            rows.sort(key=lambda change: _number(getattr(change, key)))
        elif key:
            rows.sort(key=lambda change: str(getattr(change, key)).lower())
        return Rows(reversed(rows) if self.sort.startswith("-") else rows)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        before, after = self.pair
        title = _("%(book)s: version %(a)s to %(b)s") % {
            "book": after.book.name,
            "a": before.number,
            "b": after.number,
        }
        return super().get_context_data(
            title=title,
            book=after.book,
            before=before,
            after=after,
            versions=self.versions,
            **kwargs,
        )


@door(CHANGE)
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """A price book with a first draft that has no prices yet."""
    asked = {name: request.GET.get(name, "")[:40] for name in ("account", "currency")}
    initial = {name: said for name, said in asked.items() if said}
    form = BookForm(request.POST or None, initial={"valid_from": clock.today()} | initial)
    if request.method == "POST" and form.is_valid():
        try:
            draft = services.create_price_book(**form.cleaned_data, by=who(request), at=clock.now())
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, _("%(version)s is a draft.") % {"version": draft})
            return redirect("catalog:book-edit", code=draft.book.code, number=draft.number)
    status = 422 if form.errors else 200
    return render(request, "catalog/book_new.html", {"form": form}, status=status)
