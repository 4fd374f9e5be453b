"""The pages of bulk orders."""

from django.urls import path

from orders.bulk import views

urlpatterns = [
    path("bulk/", views.bulk_list, name="bulk-list"),
    path("bulk/template.csv", views.example, name="bulk-example"),
    path("bulk/<int:pk>/", views.SheetPage.as_view(), name="bulk"),
    path("bulk/<int:pk>/place/", views.place, name="bulk-place"),
    path("bulk/<int:pk>/progress/", views.progress, name="bulk-progress"),
    path("bulk/<int:pk>/refused.csv", views.refused, name="bulk-refused"),
]
