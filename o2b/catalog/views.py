"""The pages of the catalog, to read: products, price books, contracts."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from o2b.catalog import selectors
from o2b.catalog.models import PriceBook, Product
from o2b.customers.selectors import get_account
from o2b.web.http import HtmxRequest, door
from o2b.web.tables import Action, Column, ListPage


def state_of(product: Any) -> str:
    """On sale, not yet, or no more."""
    if product.on_sale:
        return "published"
    return "draft" if product.any_draft or product.newest is None else "retired"


class ProductList(ListPage):
    """Every product."""

    permission = "catalog.view_product"
    title = _("Catalog")
    columns = (
        Column("name", _("Product"), sort="name", link=True, note="code"),
        Column("family", _("Family"), sort="family"),
        Column("state", _("State"), value=state_of, kind="badge"),
        Column("newest", _("Newest version"), kind="number", sort="newest"),
        Column("unit", _("Unit"), sort="unit"),
    )
    search = ("code", "name", "family")
    default_sort = "name"
    csv_name = "products"
    actions = (Action(_("Price books"), "catalog:book-list", primary=False),)
    empty = _("No products yet.")

    def get_rows(self) -> QuerySet[Product]:
        return selectors.products_for_list()


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
            value=lambda book: _("everybody") if book.is_default else book.segment,
        ),
        Column("versions_count", _("Versions"), kind="number", sort="versions_count"),
        Column("published_count", _("Published"), kind="number", sort="published_count"),
    )
    search = ("code", "name", "segment")
    default_sort = "name"
    csv_name = "price-books"
    actions = (Action(_("Products"), "catalog:product-list", primary=False),)
    empty = _("No price books yet.")

    def get_rows(self) -> QuerySet[PriceBook]:
        return selectors.books_for_list()


@door("catalog.view_product")
@require_GET
def product(request: HttpRequest, code: str) -> HttpResponse:
    found = Product.objects.get(code=code)
    plan = selectors.plan_of(found)
    context = {
        "product": found,
        "versions": found.versions.all(),
        "plan": plan,
        "steps": selectors.steps_of(plan.tasks) if plan else [],
        "shelves": selectors.shelves_of(found),
    }
    return render(request, "catalog/product.html", context)


@door("catalog.view_product")
@require_GET
def book(request: HttpRequest, code: str) -> HttpResponse:
    found = PriceBook.objects.get(code=code)
    versions = found.versions.prefetch_related("prices__product")
    shown = [
        (
            version,
            [(price, selectors.rate_of(price, found.currency)) for price in version.prices.all()],
        )
        for version in versions
    ]
    return render(request, "catalog/book.html", {"book": found, "versions": shown})


@door("catalog.view_product")
@require_GET
def contract(request: HttpRequest, pk: int) -> HttpResponse:
    found = selectors.get_contract(pk)
    rates = [
        (price, selectors.rate_of(price, found.account.currency)) for price in found.prices.all()
    ]
    return render(request, "catalog/contract.html", {"contract": found, "rates": rates})


@door("catalog.view_product")
@require_GET
def of_account(request: HtmxRequest, account_id: int) -> HttpResponse:
    """The contracts of one account: a panel for htmx, a page of its own without."""
    context = {
        "account": get_account(account_id),
        "contracts": selectors.contracts_of_account(account_id)[:20],
    }
    template = "catalog/_of_account.html" if request.htmx else "catalog/of_account.html"
    return render(request, template, context)
