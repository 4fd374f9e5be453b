"""`manage.py check` sees that all of beat's work is of the accounts' days or of the machine."""

from typing import Any

from celery import current_app
from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register()
def daily_work_is_real_work(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Every name of O2B_DAILY_WORK is a task that some tasks.py defines."""
    return [
        Error(f"O2B_DAILY_WORK names {name}, which no tasks.py defines", id="clocks.E001")
        for name in settings.O2B_DAILY_WORK
        if name not in current_app.tasks
    ]


@register()
def no_work_of_beat_is_forgotten(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """What beat sends stands in exactly one of the two lists, or test clocks would leave it out."""
    lists = (settings.O2B_DAILY_WORK, settings.O2B_MACHINE_WORK)
    return [
        Error(
            f"beat sends {entry['task']}: name it in either O2B_DAILY_WORK or O2B_MACHINE_WORK",
            id="clocks.E002",
        )
        for entry in settings.CELERY_BEAT_SCHEDULE.values()
        if sum(entry["task"] in names for names in lists) != 1
    ]
