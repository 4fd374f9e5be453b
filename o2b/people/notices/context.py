"""What the bell in the bar of every page needs."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from o2b.people.notices.selectors import MOST_COUNTED, unread_count


def bell(request: HttpRequest) -> dict[str, Any]:
    """Context processor: how much is unread; counted once, and only where a page shows it."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    return {"unread": SimpleLazyObject(lambda: _shown(unread_count(user.pk)))}


def _shown(count: int) -> str:
    return f"{MOST_COUNTED - 1}+" if count >= MOST_COUNTED else str(count or "")
