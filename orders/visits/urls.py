"""The addresses of visits."""

from django.urls import path

from orders.visits import views

urlpatterns = [
    path("visits/", views.calendar, name="visits"),
    path("visits/<int:pk>/", views.visit, name="visit"),
    path("visits/<int:pk>/arrange/", views.arrange, name="visit-arrange"),
    path("visits/<int:pk>/keep/", views.keep, name="visit-keep"),
    path("visits/<int:pk>/miss/", views.miss, name="visit-miss"),
    path("tasks/<int:pk>/visit/", views.of_task, name="task-visit"),
    path("visits/<int:pk>/visit.ics", views.ical, name="visit-ical"),
]
