"""What templates ask of fallout: which outside systems are down."""

from django import template

from orders.fallout import selectors
from orders.models import OutsideSystem

register = template.Library()


@register.simple_tag
def systems_down() -> list[OutsideSystem]:
    """Outside systems that are not asked now, or on trial."""
    return selectors.systems_down()
