"""Tax rates in the admin, to look at."""

from django.contrib import admin

from o2b.taxes.models import TaxRate
from o2b.web.readonly_admin import ReadOnlyAdmin


@admin.register(TaxRate)
class TaxRateAdmin(ReadOnlyAdmin):
    list_display = ("country", "code", "name", "percent", "valid_from", "valid_until")
    list_filter = ("country",)
