"""Sellers in the admin, to set up; customers, to look at."""

from django.contrib import admin

from o2b.customers.models import Account, Contact, Customer, LegalEntity
from o2b.web.readonly_admin import ReadOnlyAdmin, ReadOnlyInline
from o2b.web.setup_admin import SetUpAdmin


class ContactInline(ReadOnlyInline):
    model = Contact


@admin.register(LegalEntity)
class LegalEntityAdmin(SetUpAdmin):
    permission = "catalog.change_product"
    fixed = ("code", "currency", "number_prefix")
    list_display = ("code", "name", "country", "currency", "number_prefix")


@admin.register(Customer)
class CustomerAdmin(ReadOnlyAdmin):
    list_display = ("name", "segment", "created_at")
    search_fields = ("name",)
    inlines = (ContactInline,)


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    list_display = ("reference", "name", "customer", "currency", "bill_day", "advocate", "state")
    list_select_related = ("customer", "advocate")
    list_filter = ("state", "currency", "legal_entity")
    search_fields = ("reference", "name", "customer__name")
