"""Turns an expected "no" into words: a toast for htmx, the page again with a message, no 500."""

import logging
from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.html import format_html
from django.utils.translation import gettext as _

from o2b.errors import Refused
from o2b.web.http import came_from, is_partial
from o2b.web.toasts import add_messages, toast

logger = logging.getLogger(__name__)


class RefusalMiddleware:
    """Stands after django-htmx, sessions and messages; the API answers for itself.

    What a view says with `messages` reaches htmx too: as toasts beside the partial.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.get("Content-Type", "").startswith("text/html"):
            # A page and its partial share an address; going back must not show the partial alone.
            patch_vary_headers(response, ["HX-Request"])
        if isinstance(response, HttpResponse) and is_partial(request):
            add_messages(request, response)
        return response

    def process_exception(self, request: HttpRequest, exc: Exception) -> HttpResponse | None:
        if request.path.startswith("/api/"):
            return None
        if isinstance(exc, Refused):
            return refused(request, exc)
        if isinstance(exc, ObjectDoesNotExist | Http404):
            return not_there(request, exc)
        if isinstance(exc, PermissionDenied) and is_partial(request):
            return toast(request, _("You may not do this."), status=403)
        return None


def refused(request: HttpRequest, exc: Refused) -> HttpResponse:
    """A toast; or the page that was left, with the message; or a page of its own."""
    if is_partial(request):
        return toast(request, exc.message, status=exc.status, url=exc.extra.get("url"))
    back = came_from(request)
    # A page that cannot be shown must not be answered with itself.
    if back and request.method not in {"GET", "HEAD"}:
        messages.error(request, with_link(exc))
        return HttpResponseRedirect(back)
    return render(request, "refused.html", {"refusal": exc}, status=exc.status)


def with_link(exc: Refused) -> str:
    """The message, and the way to what stands in the way where the service named it."""
    url = exc.extra.get("url")
    if not url:
        return exc.message
    return format_html('{} <a href="{}">{}</a>', exc.message, url, _("Show it"))


def not_there(request: HttpRequest, exc: Exception) -> HttpResponse | None:
    """404 for an id that no row has; Django words it for a plain page that raised Http404."""
    if not isinstance(exc, Http404):
        # An id from an address, as a rule; a row that ought to be there leaves its trace.
        logger.info("not there: %s", exc, exc_info=exc)
    if is_partial(request):
        return toast(request, _("This is not there (any more)."), status=404)
    if isinstance(exc, Http404):
        return None
    return render(request, "404.html", status=404)
