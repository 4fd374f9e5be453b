"""Addresses of notices, in the names of people."""

from django.urls import path

from o2b.people.notices import views

urlpatterns = [
    path("", views.NoticeList.as_view(), name="notices"),
    path("read/", views.read_all, name="notices-read"),
    path("preferences/", views.preferences, name="notice-preferences"),
    path("<int:pk>/", views.open_notice, name="notice-open"),
    path("<int:pk>/read/", views.read_notice, name="notice-read"),
]
