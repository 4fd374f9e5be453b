"""The pages of test clocks."""

from django.urls import path

from o2b.clocks import views

app_name = "clocks"
urlpatterns = [
    path("", views.ClockList.as_view(), name="list"),
    path("new/", views.new, name="new"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/advance/", views.advance, name="advance"),
    path("<int:pk>/go-on/", views.go_on, name="go-on"),
    path("<int:pk>/stop/", views.stop, name="stop"),
    path("<int:pk>/accounts/", views.put, name="put"),
    path("<int:pk>/accounts/<int:account_pk>/take-off/", views.take_off, name="take-off"),
]
