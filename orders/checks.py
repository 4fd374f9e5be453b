"""`manage.py check`: every kind of automatic work that the settings name is there and is one."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.utils.module_loading import import_string

from orders.fulfilment.handlers import Handler


@register()
def handlers_are_there(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Every dotted name of O2B_TASK_HANDLERS can be imported and is a Handler."""
    return [
        Error(f"O2B_TASK_HANDLERS: {name}: {fault}", id="orders.E001")
        for name, path in settings.O2B_TASK_HANDLERS.items()
        if (fault := _fault(path))
    ]


def _fault(path: str) -> str:
    try:
        found = import_string(path)
    except ImportError as exc:
        return f"{path} cannot be imported: {exc}"
    return "" if isinstance(found, Handler) else f"{path} is no Handler"
