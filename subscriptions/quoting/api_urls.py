"""The addresses of quotes against what is in service in the API."""

from django.urls import URLPattern, URLResolver, path, re_path

from subscriptions.quoting.api import ChangeQuoteViewSet

urlpatterns: list[URLPattern | URLResolver] = [
    path(
        "change-quotes",
        ChangeQuoteViewSet.as_view({"post": "draft"}),
        name="api-change-quotes",
    ),
    re_path(
        r"^quotes/(?P<pk>[0-9]{1,19})/delta$",
        ChangeQuoteViewSet.as_view({"get": "delta"}),
        name="api-quote-delta",
    ),
]
