"""The catalog in the admin: drafts are written here, published by services, and stand from then."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from o2b import clock
from o2b.catalog import services
from o2b.catalog.handed_in import known_kinds
from o2b.catalog.models import (
    BundleOption,
    CatalogImport,
    Contract,
    ContractCommitment,
    ContractDiscount,
    ContractDocument,
    ContractPool,
    ContractPrice,
    DeliveryPlan,
    Price,
    PriceBook,
    PriceBookVersion,
    Product,
    ProductRule,
    ProductVersion,
    Terms,
    TermsCharge,
)
from o2b.web.readonly_admin import ReadOnlyAdmin, ReadOnlyInline
from o2b.web.setup_admin import DraftAdmin, DraftInline, SetUpAdmin, each_by_service

SET_UP = "catalog.change_product"
PUBLISH = "catalog.publish"
BY_SERVICE = (
    "state",
    "published_at",
    "published_by",
    "prepared_by",
    "submitted_at",
    "retired_on",
    "created_at",
    "successor",
)


class BundleOptionInline(DraftInline):
    model = BundleOption
    permission = SET_UP


class ProductRuleInline(DraftInline):
    model = ProductRule
    permission = SET_UP


class PriceInline(DraftInline):
    model = Price
    permission = SET_UP


class ContractPriceInline(DraftInline):
    model = ContractPrice
    permission = SET_UP


class ContractDiscountInline(DraftInline):
    model = ContractDiscount
    permission = SET_UP


class ContractCommitmentInline(DraftInline):
    model = ContractCommitment
    permission = SET_UP


class ContractPoolInline(DraftInline):
    model = ContractPool
    permission = SET_UP


class ContractDocumentInline(ReadOnlyInline):
    model = ContractDocument
    exclude = ("body",)


class TermsChargeInline(ReadOnlyInline):
    model = TermsCharge


class VersionAdmin(DraftAdmin):
    """A version of something: draft, then published by the action, then frozen by Postgres."""

    permission = SET_UP
    exclude = BY_SERVICE
    actions = ("publish",)
    list_filter = ("state",)

    def has_publish_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(PUBLISH))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.prepared_by, obj.submitted_at = request.user, None
        super().save_model(request, obj, form, change)

    @admin.action(permissions=["publish"], description=gettext_lazy("Publish the chosen drafts"))
    def publish(self, request: HttpRequest, rows: "QuerySet[Any]") -> None:
        by = request.user.pk
        each_by_service(
            request, rows, lambda pk: self.publish_one(pk, by), _("%(row)s is published.")
        )

    def publish_one(self, pk: int, by: int | None) -> object:
        raise NotImplementedError


@admin.register(Product)
class ProductAdmin(SetUpAdmin):
    permission = SET_UP
    fixed = ("code", "quantity_places")
    list_display = ("code", "name", "family", "unit", "quantity_places")
    list_filter = ("family",)
    search_fields = ("code", "name")


@admin.register(ProductVersion)
class ProductVersionAdmin(VersionAdmin):
    list_display = ("__str__", "state", "published_at")
    list_select_related = ("product",)
    search_fields = ("product__code", "product__name")
    inlines = (BundleOptionInline, ProductRuleInline)

    def publish_one(self, pk: int, by: int | None) -> object:
        return services.publish_product_version(version_id=pk, at=clock.now(), by=by)


@admin.register(DeliveryPlan)
class DeliveryPlanAdmin(VersionAdmin):
    list_display = ("__str__", "state", "steps", "published_at")
    list_select_related = ("product",)
    search_fields = ("product__code", "product__name")

    @admin.display(description=gettext_lazy("Steps"))
    def steps(self, plan: DeliveryPlan) -> int:
        return len(plan.tasks)

    def publish_one(self, pk: int, by: int | None) -> object:
        return services.publish_delivery_plan(
            plan_id=pk, at=clock.now(), by=by, kinds=known_kinds()
        )


@admin.register(PriceBook)
class PriceBookAdmin(SetUpAdmin):
    permission = SET_UP
    fixed = ("code", "currency", "account")
    list_display = ("code", "name", "currency", "account", "segment", "is_default")
    list_select_related = ("account",)
    raw_id_fields = ("account",)


@admin.register(PriceBookVersion)
class PriceBookVersionAdmin(VersionAdmin):
    list_display = ("__str__", "state", "valid_from", "published_at")
    list_select_related = ("book",)
    inlines = (PriceInline,)

    def publish_one(self, pk: int, by: int | None) -> object:
        return services.publish_price_book_version(version_id=pk, at=clock.now(), by=by)


@admin.register(Contract)
class ContractAdmin(DraftAdmin):
    permission = SET_UP
    exclude = ("state", "signed_at", "retired_on")
    actions = ("sign",)
    list_display = ("__str__", "account", "state", "valid_from", "valid_to")
    list_select_related = ("account",)
    search_fields = ("code", "account__reference", "account__name")
    raw_id_fields = ("account",)
    inlines = (
        ContractPriceInline,
        ContractDiscountInline,
        ContractCommitmentInline,
        ContractPoolInline,
        ContractDocumentInline,
    )

    def has_publish_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(PUBLISH))

    @admin.action(permissions=["publish"], description=gettext_lazy("Sign the chosen drafts"))
    def sign(self, request: HttpRequest, rows: "QuerySet[Contract]") -> None:
        each_by_service(
            request,
            rows,
            lambda pk: services.sign_contract(contract_id=pk, at=clock.now()),
            _("%(row)s is signed."),
        )


@admin.register(CatalogImport)
class CatalogImportAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "by", "at", "rows", "undone_at")
    list_select_related = ("by",)
    list_filter = ("kind",)
    search_fields = ("file_name",)


@admin.register(Terms)
class TermsAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "product_version", "currency", "start_rule", "frozen_at")
    list_select_related = ("product_version__product",)
    search_fields = ("digest",)
    inlines = (TermsChargeInline,)
