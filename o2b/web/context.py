"""What base.html needs on every page."""

from typing import Any

from django.http import HttpRequest

from o2b.web.places import places_for


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context processor: the rail of places, for those who are logged in."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"rail": []}
    return {"rail": places_for(user, request.path)}
