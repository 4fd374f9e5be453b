"""The pages of tax rates."""

from django.urls import path

from o2b.taxes import views

app_name = "taxes"
urlpatterns = [
    path("", views.RateList.as_view(), name="list"),
    path("new/", views.new, name="new"),
    path("<int:pk>/", views.close, name="close"),
]
