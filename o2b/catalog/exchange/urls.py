"""The pages of import and export, under the catalog's own."""

from django.urls import path

from o2b.catalog.exchange import views

urlpatterns = [
    path("import/", views.ImportList.as_view(), name="import"),
    path("import/tried/<int:pk>/", views.report, name="import-report"),
    path("import/<int:pk>/", views.imported, name="imported"),
    path("import/<int:pk>/undo/", views.undo, name="import-undo"),
    path("export/<slug:kind>/", views.export, name="export"),
]
