"""REST of the catalog: products, price books, and which price an account gets and why."""

from typing import Any

from django.db.models import Prefetch, QuerySet
from django.urls import include, path
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from o2b import clock
from o2b.api.charges import ChargeOutput, DiscountOutput
from o2b.api.fields import Asked, Exact, Link, Plain, State, plain
from o2b.api.views import Noun
from o2b.catalog.models import Price, PriceBook, PriceBookVersion, Product, ProductVersion
from o2b.catalog.models.products import Lifecycle
from o2b.catalog.quantities import check_quantity
from o2b.catalog.resolution import NoPrice, Resolution, Wanted, resolve
from o2b.charging.pricing import list_price
from o2b.customers.references import account_named
from o2b.errors import Refused


class NotOnSale(Refused):
    code = "product_not_sold"


class VersionOutput(serializers.Serializer):
    number = serializers.IntegerField()
    state = State(name="LifecycleState", choices=Lifecycle.choices)
    published_at = serializers.DateTimeField(allow_null=True)
    retired_on = serializers.DateField(allow_null=True)


class ProductVersionOutput(VersionOutput):
    characteristics = serializers.ListField(child=serializers.DictField())


class ProductHeadOutput(serializers.Serializer):
    url = Link("api-product-detail", key="code")
    code = serializers.CharField()
    name = serializers.CharField()
    family = serializers.CharField()
    unit = serializers.CharField()
    quantity_places = serializers.IntegerField(help_text="Decimals that a quantity may have.")


class ProductOutput(ProductHeadOutput):
    versions = ProductVersionOutput(many=True)


class PriceOutput(ChargeOutput):
    product = serializers.CharField(source="product.code")
    from_version = serializers.IntegerField()
    to_version = serializers.IntegerField(allow_null=True)


class BookVersionOutput(VersionOutput):
    valid_from = serializers.DateField()
    prices = PriceOutput(many=True)


class BookHeadOutput(serializers.Serializer):
    url = Link("api-price-book-detail", key="code")
    code = serializers.CharField()
    name = serializers.CharField()
    currency = serializers.CharField()
    segment = serializers.CharField()
    is_default = serializers.BooleanField()


class BookOutput(BookHeadOutput):
    versions = BookVersionOutput(many=True)


class PriceAsked(Asked):
    account = serializers.CharField(max_length=40)
    quantity = Exact(required=False, default=1)
    on = serializers.DateField(required=False)


class CandidateOutput(serializers.Serializer):
    source = serializers.CharField()  # type: ignore[assignment]
    won = serializers.BooleanField()
    reason = serializers.CharField()


class ResolvedChargeOutput(serializers.Serializer):
    key = serializers.CharField()
    kind = serializers.CharField()
    model = serializers.CharField()
    unit_price = Plain()
    list_price = Plain(help_text="Of the whole quantity, for one full period, before discounts.")
    discounts = DiscountOutput(many=True)


class ResolvedOutput(serializers.Serializer):
    product = serializers.CharField()
    version = serializers.IntegerField()
    quantity = serializers.CharField()
    currency = serializers.CharField()
    charges = ResolvedChargeOutput(many=True)
    why = CandidateOutput(many=True)


class ProductFilter(filters.FilterSet):
    family = filters.CharFilter()

    class Meta:
        model = Product
        fields = ("family",)


class BookFilter(filters.FilterSet):
    currency = filters.CharFilter()
    segment = filters.CharFilter()

    class Meta:
        model = PriceBook
        fields = ("currency", "segment")


class ProductViewSet(Noun):
    """What we sell."""

    queryset = Product.objects.all()
    lookup_field = "code"
    lookup_value_regex = "[-a-zA-Z0-9_]+"
    filterset_class = ProductFilter
    doors = dict.fromkeys(("list", "retrieve", "price"), "catalog.view_product")

    def get_queryset(self) -> QuerySet[Product]:
        products = Product.objects.all()
        return products.prefetch_related("versions") if self.action == "retrieve" else products

    def get_serializer_class(self) -> Any:
        return ProductHeadOutput if self.action == "list" else ProductOutput

    @extend_schema(
        parameters=[
            OpenApiParameter("account", str, required=True, description="Its reference."),
            OpenApiParameter("quantity", str),
            OpenApiParameter("on", OpenApiTypes.DATE, description="Today, if nothing is said."),
        ],
        responses=ResolvedOutput,
    )
    @action(detail=True, filterset_class=None, pagination_class=None)
    def price(self, request: Request, code: str) -> Response:
        """Which price an account gets, and why: every candidate with its reason."""
        asking = PriceAsked(data=request.query_params.dict())
        asking.is_valid(raise_exception=True)
        asked = asking.validated_data
        account = account_named(asked["account"])
        product: Product = self.get_object()
        version = product.versions.filter(state=Lifecycle.PUBLISHED).order_by("-number").first()
        if version is None:
            raise NotOnSale(_("%(product)s is not on sale.") % {"product": product})
        quantity = check_quantity(product, asked["quantity"])
        try:
            found = resolve(
                account=account,
                wanted=[Wanted(version, quantity)],
                on=asked.get("on") or clock.today(account),
            )
        except NoPrice as exc:
            exc.field = "product"
            raise
        return Response(ResolvedOutput(_told(product, version, found[0])).data)


class PriceBookViewSet(Noun):
    """Lists of prices."""

    queryset = PriceBook.objects.all()
    lookup_field = "code"
    lookup_value_regex = "[-a-zA-Z0-9_]+"
    filterset_class = BookFilter
    doors = dict.fromkeys(("list", "retrieve"), "catalog.view_product")

    def get_queryset(self) -> QuerySet[PriceBook]:
        if self.action != "retrieve":
            return PriceBook.objects.all()
        prices = Price.objects.select_related("product")
        versions = PriceBookVersion.objects.prefetch_related(Prefetch("prices", prices))
        return PriceBook.objects.prefetch_related(Prefetch("versions", versions))

    def get_serializer_class(self) -> Any:
        return BookHeadOutput if self.action == "list" else BookOutput


def _told(product: Product, version: ProductVersion, found: Resolution) -> dict[str, Any]:
    charges = [
        {
            "key": charge.key,
            "kind": charge.kind.value,
            "model": charge.model.value,
            "unit_price": charge.unit_price,
            "list_price": list_price(charge, found.quantity),
            "discounts": [
                {"kind": each.kind.value, "value": plain(each.value)} for each in charge.discounts
            ],
        }
        for charge in found.terms.charges
    ]
    return {
        "product": product.code,
        "version": version.number,
        "quantity": plain(found.quantity),
        "currency": found.terms.currency,
        "charges": charges,
        "why": found.why,
    }


router = SimpleRouter(trailing_slash=False)
router.register("catalog/products", ProductViewSet, basename="api-product")
router.register("catalog/price-books", PriceBookViewSet, basename="api-price-book")
urlpatterns = [path("", include(router.urls))]
