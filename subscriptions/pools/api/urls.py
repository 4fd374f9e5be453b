"""The addresses of pools in the API."""

from django.urls import URLPattern, URLResolver, re_path

from subscriptions.pools.api.views import PoolViewSet

ONE = r"^pools/(?P<pk>[0-9]{1,19})"
ROW = r"(?P<row>[0-9]{1,18})"
as_view = PoolViewSet.as_view

urlpatterns: list[URLPattern | URLResolver] = [
    re_path(r"^pools$", as_view({"get": "list", "post": "create"}), name="api-pool-list"),
    re_path(f"{ONE}$", as_view({"get": "retrieve", "patch": "change"}), name="api-pool-detail"),
    re_path(f"{ONE}/lots$", as_view({"get": "lots"}), name="api-pool-lots"),
    re_path(f"{ONE}/movements$", as_view({"get": "movements"}), name="api-pool-movements"),
    re_path(
        f"{ONE}/members$", as_view({"get": "members", "post": "share"}), name="api-pool-members"
    ),
    re_path(f"{ONE}/members/{ROW}$", as_view({"delete": "end_member"}), name="api-pool-member"),
    re_path(f"{ONE}/grants$", as_view({"get": "grants", "post": "give"}), name="api-pool-grants"),
    re_path(f"{ONE}/grants/{ROW}$", as_view({"delete": "end_grant"}), name="api-pool-grant"),
    re_path(
        f"{ONE}/refill$", as_view({"get": "refill", "put": "set_refill"}), name="api-pool-refill"
    ),
]
