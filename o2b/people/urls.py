"""Addresses of people's pages, from the root."""

from django.contrib.auth.views import LogoutView
from django.urls import include, path

from o2b.people import views

app_name = "people"
urlpatterns = [
    path("", views.home, name="home"),
    path("notices/", include("o2b.people.notices.urls")),
    path("search/", views.search, name="search"),
    path("login/", views.LogIn.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("password/", views.ChangePassword.as_view(), name="password"),
]
