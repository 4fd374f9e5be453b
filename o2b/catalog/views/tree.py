"""The catalog as a tree to browse, and as a flat list to sort and export."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from o2b.catalog import selectors
from o2b.web.http import door, is_partial
from o2b.web.tables import Action, Column, ListPage

LONGEST_SEARCH = 200
# Trees this small are shown unfolded.
FEW = 40


@door("catalog.view_product")
@require_GET
def tree(request: HttpRequest) -> HttpResponse:
    """Families, their products, versions and components; what matches the words."""
    # Postgres refuses text with a NUL in it.
    words = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH]
    retired = request.GET.get("retired") == "1"
    found = selectors.catalog_tree(words=words, retired=retired)
    context = {
        "tree": found,
        "words": words,
        "retired": retired,
        "unfolded": bool(words) or found.total <= FEW,
        "nothing_yet": not (found.total or found.retired or words),
    }
    template = "catalog/_tree.html" if is_partial(request) else "catalog/tree.html"
    return render(request, template, context)


class ProductList(ListPage):
    """Every product."""

    permission = "catalog.view_product"
    title = _("All products")
    columns = (
        Column("name", _("Product"), sort="name", link=True, note="code"),
        Column("family", _("Family"), sort="family"),
        Column("state", _("State"), value=selectors.state_of, kind="badge"),
        Column("newest", _("Newest version"), kind="number", sort="newest"),
        Column("unit", _("Unit"), sort="unit"),
    )
    search = ("code", "name", "family")
    search_hint = _("Code, name, family, characteristic…")
    states = (("published", _("on sale")), ("draft", _("draft")), ("retired", _("retired")))
    default_sort = "name"
    csv_name = "products"
    actions = (
        Action(_("Tree"), "catalog:tree", primary=False),
        Action(
            _("Import and export"),
            "catalog:import",
            permission="catalog.change_product",
            primary=False,
        ),
        Action(_("New product"), "catalog:product-new", permission="catalog.change_product"),
    )
    empty = _("No products yet.")

    def get_rows(self) -> QuerySet[Any]:
        return selectors.products_for_list()

    def search_rows(self, rows: QuerySet[Any], words: str) -> QuerySet[Any]:
        return selectors.matching(rows, words)

    def filter_state(self, rows: QuerySet[Any], state: str) -> QuerySet[Any]:
        if state == "published":
            return rows.filter(on_sale=True)
        if state == "draft":
            return rows.filter(on_sale=False).exclude(any_draft=False, newest__isnull=False)
        return rows.filter(on_sale=False, any_draft=False, newest__isnull=False)


class ContractList(ListPage):
    """Every contract."""

    permission = "catalog.view_product"
    title = _("Contracts")
    columns = (
        Column(
            "contract",
            _("Contract"),
            value=str,
            sort=("code", "number"),
            link=lambda contract: reverse("catalog:contract", args=[contract.pk]),
        ),
        Column("account", _("Account"), sort="account__name", note="account.reference"),
        Column("state", _("State"), kind="badge", label="get_state_display", sort="state"),
        Column("price_count", _("Prices"), kind="number", sort="price_count"),
        Column("valid_from", _("From"), kind="day", sort="valid_from"),
        Column("valid_to", _("Until before"), kind="day", sort="valid_to"),
    )
    search = ("code", "account__name", "account__reference", "account__customer__name")
    search_hint = _("Contract, account, customer…")
    default_sort = "-valid_from"
    csv_name = "contracts"
    empty = _("No contracts yet: the price books count for everybody.")

    def get_rows(self) -> QuerySet[Any]:
        return selectors.contracts_for_list()
