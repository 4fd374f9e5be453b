"""The addresses of commitments and of renewals in the API."""

from django.urls import URLPattern, URLResolver, path, re_path

from subscriptions.commitments.api import CommitmentViewSet
from subscriptions.commitments.api_lists import RenewalViewSet

HERE = r"^subscriptions/(?P<pk>[0-9]{1,19})/commitments"

urlpatterns: list[URLPattern | URLResolver] = [
    re_path(
        rf"{HERE}$",
        CommitmentViewSet.as_view({"get": "all_of", "post": "agree"}),
        name="api-subscription-commitments",
    ),
    re_path(
        rf"{HERE}/renewal$",
        CommitmentViewSet.as_view({"post": "change_renewal"}),
        name="api-subscription-commitments-renewal",
    ),
    re_path(
        rf"{HERE}/co-term$",
        CommitmentViewSet.as_view({"post": "co_term"}),
        name="api-subscription-commitments-co-term",
    ),
    re_path(
        rf"{HERE}/renew$",
        CommitmentViewSet.as_view({"post": "renew"}),
        name="api-subscription-commitments-renew",
    ),
    path("renewals", RenewalViewSet.as_view({"get": "list"}), name="api-renewals"),
]
