"""The pages of customers."""

from django.urls import path

from o2b.customers import views

app_name = "customers"
urlpatterns = [
    path("", views.AccountList.as_view(), name="list"),
    path("new/", views.new, name="new"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/edit/", views.edit, name="edit"),
    path("<int:pk>/close/", views.close, name="close"),
]
