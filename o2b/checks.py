"""`manage.py check` reads the score and the questions, and finds the names that nobody answers."""

from typing import Any

from celery import current_app
from django.core.checks import CheckMessage, Error, register
from django.utils.module_loading import import_string

from o2b.asks import QUESTIONS
from o2b.flow import REACTIONS


@register()
def flow_names_real_tasks(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Every reaction is a task that some tasks.py defines."""
    return [
        Error(f"{event} wakes {reaction.task}, which no tasks.py defines", id="o2b.E001")
        for event, reactions in REACTIONS.items()
        for reaction in reactions
        if reaction.task not in current_app.tasks
    ]


@register()
def questions_have_answerers(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Every answerer of every question can be imported and called."""
    missing: list[CheckMessage] = []
    for question, (_, names) in QUESTIONS.items():
        for name in names:
            try:
                import_string(name)
            except ImportError:
                missing.append(Error(f"{question} asks {name}, which is not there", id="o2b.E002"))
    return missing
