"""The API's front door: every stage's part is named by string."""

from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.views import SpectacularAPIView

from o2b.api import auth, views

v1: list[URLPattern | URLResolver] = [
    path("auth/login", auth.LogIn.as_view(), name="api-log-in"),
    path("auth/logout", auth.LogOut.as_view(), name="api-log-out"),
    path("auth/logoutall", auth.LogOutEverywhere.as_view(), name="api-log-out-everywhere"),
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("docs/", views.docs, name="api-docs"),
    path("", include("o2b.customers.api")),
    path("", include("o2b.catalog.api")),
    path("", include("o2b.clocks.api")),
    path("", include("quotes.api.urls")),
    path("", include("orders.api.urls")),
    path("", include("subscriptions.api.urls")),
    path("", include("billing.api.urls")),
]

urlpatterns = [
    path("v1/", include(v1)),
    re_path(r"^.*$", views.elsewhere),
]
