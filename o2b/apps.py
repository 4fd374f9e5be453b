"""The ground as a Django app: it finds every stage's tasks and checks by name."""

import django_fsm
from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class O2bConfig(AppConfig):
    name = "o2b"
    verbose_name = "O2B"

    def ready(self) -> None:
        autodiscover_modules("checks", "tasks")  # by name, so the ground imports no stage
        _spare_history()


def _spare_history() -> None:
    """Let the models that migrations draw have no transitions collected, for they have none.

    Else each of their many thousand state fields listens to every model that is drawn after it,
    which is half of the time that `migrate` takes.
    """
    django_fsm.class_prepared = type(django_fsm.class_prepared)()  # one that nobody sends
