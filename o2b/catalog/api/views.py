"""The resources of the catalog: products, price books, and which price an account gets."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from o2b import clock
from o2b.api.fields import plain
from o2b.api.views import Noun
from o2b.catalog.api.outputs import (
    BookHeadOutput,
    BookOutput,
    ExplainedOutput,
    PriceAsked,
    ProductHeadOutput,
    ProductOutput,
    ResolvedOutput,
)
from o2b.catalog.characteristics import check_characteristics
from o2b.catalog.models import Price, PriceBook, PriceBookVersion, Product, ProductVersion
from o2b.catalog.models.products import Lifecycle
from o2b.catalog.quantities import check_quantity
from o2b.catalog.resolution import (
    Candidate,
    NoPrice,
    Resolution,
    Wanted,
    explain_prices,
    resolve,
)
from o2b.charging.pricing import list_price
from o2b.charging.terms import ChargeTerms, DeckRates, Kind
from o2b.customers.models import Account
from o2b.customers.references import account_named
from o2b.errors import Refused

CHARACTERISTIC = re.compile(r"characteristics\[([^\]]{1,80})\]")
LINE = [
    OpenApiParameter("account", str, required=True, description="Its reference."),
    OpenApiParameter("quantity", str),
    OpenApiParameter("on", OpenApiTypes.DATE, description="Today, if nothing is said."),
    OpenApiParameter(
        "characteristics",
        {"type": "object", "additionalProperties": {"type": "string"}},
        style="deepObject",
        explode=True,
        description="Of the line, as `characteristics[speed]=150`.",
    ),
]


class NotOnSale(Refused):
    code = "product_not_sold"


@dataclass(frozen=True, slots=True)
class Line:
    """One line that somebody asks the price of."""

    account: Account
    version: ProductVersion
    quantity: Decimal
    on: date
    characteristics: Mapping[str, Any]


class ProductFilter(filters.FilterSet):
    family = filters.CharFilter()

    class Meta:
        model = Product
        fields = ("family",)


class BookFilter(filters.FilterSet):
    currency = filters.CharFilter()
    segment = filters.CharFilter()
    account = filters.CharFilter(field_name="account__reference")

    class Meta:
        model = PriceBook
        fields = ("currency", "segment")


class ProductViewSet(Noun):
    """What we sell."""

    queryset = Product.objects.all()
    lookup_field = "code"
    lookup_value_regex = "[-a-zA-Z0-9_]+"
    filterset_class = ProductFilter
    doors = dict.fromkeys(("list", "retrieve", "price", "price_resolution"), "catalog.view_product")

    def get_queryset(self) -> QuerySet[Product]:
        products = Product.objects.all()
        return products.prefetch_related("versions") if self.action == "retrieve" else products

    def get_serializer_class(self) -> Any:
        return ProductHeadOutput if self.action == "list" else ProductOutput

    @extend_schema(parameters=LINE, responses=ResolvedOutput)
    @action(detail=True, filterset_class=None, pagination_class=None)
    def price(self, request: Request, code: str) -> Response:
        """Which price an account gets, and why: every candidate with its reason."""
        line = _asked(request, self.get_object())
        wanted = Wanted(line.version, line.quantity, (), line.characteristics)
        try:
            (found,) = resolve(account=line.account, wanted=[wanted], on=line.on)
        except NoPrice as exc:
            exc.field = "product"
            raise
        return Response(ResolvedOutput(_told(line, found)).data)

    @extend_schema(parameters=LINE, responses=ExplainedOutput)
    @action(detail=True, url_path="price-resolution", filterset_class=None, pagination_class=None)
    def price_resolution(self, request: Request, code: str) -> Response:
        """Every price that could have answered, why it won or lost, and its arithmetic."""
        line = _asked(request, self.get_object())
        candidates = explain_prices(
            account=line.account,
            product_version=line.version,
            quantity=line.quantity,
            on=line.on,
            characteristics=line.characteristics,
        )
        return Response(ExplainedOutput(_explained(line, candidates)).data)


class PriceBookViewSet(Noun):
    """Lists of prices."""

    queryset = PriceBook.objects.all()
    lookup_field = "code"
    lookup_value_regex = "[-a-zA-Z0-9_]+"
    filterset_class = BookFilter
    doors = dict.fromkeys(("list", "retrieve"), "catalog.view_product")

    def get_queryset(self) -> QuerySet[PriceBook]:
        if self.action != "retrieve":
            return PriceBook.objects.select_related("account")
        prices = Price.objects.select_related("product")
        versions = PriceBookVersion.objects.prefetch_related(Prefetch("prices", prices))
        books = PriceBook.objects.select_related("account")
        return books.prefetch_related(Prefetch("versions", versions))

    def get_serializer_class(self) -> Any:
        return BookHeadOutput if self.action == "list" else BookOutput


def _asked(request: Request, product: Product) -> Line:
    """The line that the query describes; `characteristics[name]=value` is one of them."""
    query: dict[str, Any] = {}
    for name, value in request.query_params.dict().items():
        if inner := CHARACTERISTIC.fullmatch(name):
            query.setdefault("characteristics", {})[inner[1]] = value
        else:
            query[name] = value
    asking = PriceAsked(data=query)
    asking.is_valid(raise_exception=True)
    asked = asking.validated_data
    account = account_named(asked["account"])
    version = product.versions.filter(state=Lifecycle.PUBLISHED).order_by("-number").first()
    if version is None:
        raise NotOnSale(_("%(product)s is not on sale.") % {"product": product})
    version.product = product
    # A price may be asked before everything is chosen.
    specs = [{**spec, "required": False} for spec in version.characteristics]
    return Line(
        account=account,
        version=version,
        quantity=check_quantity(product, asked["quantity"]),
        on=asked.get("on") or clock.today(account),
        characteristics=check_characteristics(
            specs, asked.get("characteristics", {}), field="characteristics"
        ),
    )


def _told(line: Line, found: Resolution) -> dict[str, Any]:
    charges = [_charge(charge, found.quantity) for charge in found.terms.charges]
    return _head(line) | {"charges": charges, "why": found.why}


def _explained(line: Line, candidates: list[Candidate]) -> dict[str, Any]:
    told = [
        {
            "kind": each.kind,
            "level": each.level,
            "source": each.source,
            "state": each.state,
            "valid_from": each.valid_from,
            "valid_to": each.valid_to,
            "won": each.won,
            "code": each.code,
            "reason": each.reason,
            "charges": [
                _charge(charge.terms, line.quantity)
                | {"price": charge.price, "steps": [step._asdict() for step in charge.steps]}
                for charge in each.charges
            ],
        }
        for each in candidates
    ]
    winner = next((each.source for each in candidates if each.won), None)
    return _head(line) | {"on": line.on, "winner": winner, "candidates": told}


def _head(line: Line) -> dict[str, Any]:
    return {
        "product": line.version.product.code,
        "version": line.version.number,
        "quantity": plain(line.quantity),
        "currency": line.account.currency,
    }


def _charge(charge: ChargeTerms, quantity: Decimal) -> dict[str, Any]:
    return {
        "key": charge.key,
        "kind": charge.kind.value,
        "model": charge.model.value,
        "unit_price": charge.unit_price,
        "meter": charge.meter_code if charge.kind is Kind.USAGE else "",
        "where": {each.name: list(each.values) for each in charge.where},
        "grant": charge.grant,
        "deck": charge.call.deck if isinstance(charge.call, DeckRates) else "",
        "number": charge.call.number if isinstance(charge.call, DeckRates) else "",
        "list_price": list_price(charge, quantity),
        "discounts": [
            {"kind": each.kind.value, "value": plain(each.value)} for each in charge.discounts
        ],
    }
