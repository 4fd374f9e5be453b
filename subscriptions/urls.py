"""The pages of subscriptions."""

from django.urls import URLPattern, URLResolver, include, path

from subscriptions import views

app_name = "subscriptions"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.SubscriptionList.as_view(), name="list"),
    path("<int:pk>/", views.subscription, name="detail"),
    path("", include("subscriptions.installbase.urls")),
    path("", include("subscriptions.changes.urls")),
    path("", include("subscriptions.commitments.urls")),
    path("", include("subscriptions.quoting.urls")),
    path("", include("subscriptions.usage.alerts.urls")),
    path("", include("subscriptions.pools.urls")),
    path("", include("subscriptions.usage.files.urls")),
    path("", include("subscriptions.usage.urls")),
    path("of-account/<int:pk>/", views.of_account, name="of-account"),
    path("of-order/<int:pk>/", views.of_order, name="of-order"),
]
