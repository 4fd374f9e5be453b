"""The people app."""

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "o2b.people"
    label = "people"
