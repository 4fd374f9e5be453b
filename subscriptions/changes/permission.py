"""Who may change what is in service: whoever may order, the order team or a rep for a customer."""

from typing import Any

from django.core.exceptions import PermissionDenied

MAY_ORDER = ("orders.place_order", "orders.accept_quote")


def may_change(user: Any) -> bool:
    """Whether this person may order a change of what is in service."""
    return any(user.has_perm(permission) for permission in MAY_ORDER)


def require_change(user: Any) -> None:
    """A 403 for everybody else."""
    if not may_change(user):
        raise PermissionDenied(MAY_ORDER[0])
