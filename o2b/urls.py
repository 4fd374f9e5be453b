"""The front door: every stage is named by string, so the ground imports no stage."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("o2b.people.urls")),
    path("customers/", include("o2b.customers.urls")),
    path("catalog/", include("o2b.catalog.urls")),
    path("taxes/", include("o2b.taxes.urls")),
    path("clocks/", include("o2b.clocks.urls")),
    path("quotes/", include("quotes.urls")),
    path("orders/", include("orders.urls")),
    path("subscriptions/", include("subscriptions.urls")),
    path("billing/", include("billing.urls")),
    path("api/", include("o2b.api.urls")),
    path("admin/", admin.site.urls),
]
