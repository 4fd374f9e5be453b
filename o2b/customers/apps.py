"""The customers app."""

from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "o2b.customers"
    label = "customers"
