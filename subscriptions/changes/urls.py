"""The addresses of changes of what is in service."""

from django.urls import URLPattern, URLResolver, path

from subscriptions.changes import lists, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("items/<int:pk>/", views.of_item, name="of-item"),
    path("items/<int:pk>/change/", views.choose, name="change-choose"),
    path("items/<int:pk>/change/<slug:slug>/", views.change, name="change"),
    path("planned/", lists.PlannedChanges.as_view(), name="planned"),
    path("ending/", lists.ServicesEnding.as_view(), name="ending"),
]
