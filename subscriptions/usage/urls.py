"""The addresses of usage: the desk, what waits, what was refused, events, live usage."""

from django.urls import URLPattern, URLResolver, path

from subscriptions.usage.views import desk, events, pending, rejected, serving

urlpatterns: list[URLPattern | URLResolver] = [
    path("usage/", desk.desk, name="usage"),
    path("usage/days/", desk.days, name="usage-days"),
    path("usage/unpriced/", desk.unpriced, name="usage-unpriced"),
    path("usage/pending/", pending.PendingList.as_view(), name="usage-pending"),
    path("usage/pending/release/", pending.release, name="usage-release"),
    path("usage/pending/<int:pk>/dismiss/", pending.dismiss, name="usage-dismiss"),
    path("usage/rejected/", rejected.RejectedList.as_view(), name="usage-rejected"),
    path("usage/rejected/retry/", rejected.retry, name="usage-retry"),
    path("usage/rejected/settle/", rejected.settle, name="usage-settle"),
    path("usage/events/", events.EventList.as_view(), name="usage-events"),
    path("usage/events/<int:pk>/", events.event, name="usage-event"),
    path("usage/events/<int:pk>/correct/", events.correct, name="usage-correct"),
    path("usage/services/<int:pk>/", serving.service, name="usage-service"),
    path("usage/of-subscription/<int:pk>/", serving.of_subscription, name="usage-of-subscription"),
]
