"""The pages of files of usage."""

from django.urls import path

from subscriptions.usage.files import views

urlpatterns = [
    path("usage/files/", views.usage_files, name="usage-files"),
    path("usage/files/<int:pk>/", views.FilePage.as_view(), name="usage-file"),
    path("usage/files/<int:pk>/mapping/", views.mapping, name="usage-file-mapping"),
    path("usage/files/<int:pk>/start/", views.start, name="usage-file-start"),
    path("usage/files/<int:pk>/stop/", views.stop, name="usage-file-stop"),
    path("usage/files/<int:pk>/progress/", views.progress, name="usage-file-progress"),
]
