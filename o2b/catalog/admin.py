"""The catalog in the admin, to look at; publishing is a service."""

from django.contrib import admin

from o2b.catalog.models import (
    Contract,
    ContractDiscount,
    ContractPrice,
    DeliveryPlan,
    Price,
    PriceBook,
    PriceBookVersion,
    Product,
    ProductVersion,
    Terms,
    TermsCharge,
)
from o2b.web.readonly_admin import ReadOnlyAdmin, ReadOnlyInline


class ProductVersionInline(ReadOnlyInline):
    model = ProductVersion


class DeliveryPlanInline(ReadOnlyInline):
    model = DeliveryPlan


class PriceInline(ReadOnlyInline):
    model = Price


class ContractPriceInline(ReadOnlyInline):
    model = ContractPrice


class ContractDiscountInline(ReadOnlyInline):
    model = ContractDiscount


class TermsChargeInline(ReadOnlyInline):
    model = TermsCharge


@admin.register(Product)
class ProductAdmin(ReadOnlyAdmin):
    list_display = ("code", "name", "family", "unit", "quantity_places")
    list_filter = ("family",)
    search_fields = ("code", "name")
    inlines = (ProductVersionInline, DeliveryPlanInline)


@admin.register(PriceBook)
class PriceBookAdmin(ReadOnlyAdmin):
    list_display = ("code", "name", "currency", "segment", "is_default")


@admin.register(PriceBookVersion)
class PriceBookVersionAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "state", "valid_from", "published_at")
    list_select_related = ("book",)
    inlines = (PriceInline,)


@admin.register(Contract)
class ContractAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "account", "state", "valid_from", "valid_to")
    list_select_related = ("account",)
    search_fields = ("code", "account__reference", "account__name")
    inlines = (ContractPriceInline, ContractDiscountInline)


@admin.register(Terms)
class TermsAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "product_version", "currency", "start_rule", "frozen_at")
    list_select_related = ("product_version__product",)
    search_fields = ("digest",)
    inlines = (TermsChargeInline,)
