"""The ground as a Django app: it finds every stage's tasks and checks by name."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class O2bConfig(AppConfig):
    name = "o2b"
    verbose_name = "O2B"

    def ready(self) -> None:
        autodiscover_modules("checks", "tasks")  # by name, so the ground imports no stage
