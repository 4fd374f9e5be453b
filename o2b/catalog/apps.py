"""The catalog app."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "o2b.catalog"
    label = "catalog"
