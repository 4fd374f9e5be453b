"""The address of commitments in the API."""

from django.urls import URLPattern, URLResolver, re_path

from subscriptions.commitments.api import CommitmentViewSet

urlpatterns: list[URLPattern | URLResolver] = [
    re_path(
        r"^subscriptions/(?P<pk>[0-9]{1,19})/commitments$",
        CommitmentViewSet.as_view({"get": "all_of", "post": "agree"}),
        name="api-subscription-commitments",
    )
]
