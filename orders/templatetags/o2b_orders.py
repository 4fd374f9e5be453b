"""Filters that the pages of orders need beside the common ones."""

import json
from typing import Any

from django import template

from o2b.web.states import label_of, tone_of
from orders.models import Priority

register = template.Library()


@register.filter
def tone(state: Any) -> str:
    """{{ task.state|tone }}: good, go, warn, bad or nothing."""
    return tone_of(state)


@register.filter
def state_label(state: Any) -> str:
    """{{ task.state|state_label }} in the reader's language."""
    return str(label_of(state))


@register.filter
def as_json(value: Any) -> str:
    """What was asked or answered, readable."""
    return json.dumps(value, indent=1, ensure_ascii=False, default=str)


@register.filter
def percent(fraction: Any) -> str:
    """A fraction, 0 to 1, as whole per cent, rounded down."""
    return f"{int(fraction * 100)} %"


@register.filter
def jeopardy_tone(jeopardy: str) -> str:
    """amber warns, red is bad."""
    return {"amber": "warn", "red": "bad"}.get(jeopardy, "")


@register.filter
def priority(number: int) -> str:
    """The word of a priority."""
    return str(dict(Priority.choices).get(number, number))
