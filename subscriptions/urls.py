"""The pages of subscriptions."""

from django.urls import URLPattern, URLResolver, path

from subscriptions import views

app_name = "subscriptions"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.SubscriptionList.as_view(), name="list"),
    path("<int:pk>/", views.subscription, name="detail"),
    path("of-account/<int:pk>/", views.of_account, name="of-account"),
    path("of-order/<int:pk>/", views.of_order, name="of-order"),
]
