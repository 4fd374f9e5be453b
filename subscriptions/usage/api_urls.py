"""The addresses of usage in the API."""

from django.urls import URLPattern, URLResolver, include, path, re_path
from rest_framework.routers import SimpleRouter

from subscriptions.usage.api.desk import EquationViewSet, PendingViewSet, RejectedViewSet
from subscriptions.usage.api.events import EventViewSet
from subscriptions.usage.api.live import LiveViewSet
from subscriptions.usage.api.mending import MendingViewSet
from subscriptions.usage.api.taking import UsageViewSet
from subscriptions.usage.api.totals import TotalViewSet

router = SimpleRouter(trailing_slash=False)
router.register("usage", UsageViewSet, basename="api-usage")
lists = {
    "totals": TotalViewSet,
    "events": EventViewSet,
    "pending": PendingViewSet,
    "rejected": RejectedViewSet,
    "live": LiveViewSet,
}
verbs = {
    "pending/release": "release",
    "pending/(?P<pk>[0-9]{1,18})/dismiss": "dismiss",
    "rejected/retry": "retry",
    "rejected/settle": "settle",
}
urlpatterns: list[URLPattern | URLResolver] = [
    path("", include(router.urls)),
    path("usage/equation", EquationViewSet.as_view({"get": "show"}), name="api-usage-equation"),
    *(
        path(f"usage/{name}", viewset.as_view({"get": "list"}), name=f"api-usage-{name}")
        for name, viewset in lists.items()
    ),
    *(
        re_path(
            f"^usage/{where}$",
            MendingViewSet.as_view({"post": verb}),
            name=f"api-usage-{verb}",
        )
        for where, verb in verbs.items()
    ),
]
