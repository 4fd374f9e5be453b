"""The request as views see it, and the door that every function view stands behind."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlsplit

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

P = ParamSpec("P")


class HtmxRequest(HttpRequest):
    """A request that passed django-htmx's middleware."""

    htmx: HtmxDetails


def door(
    permission: str = "",
) -> Callable[
    [Callable[Concatenate[Any, P], HttpResponseBase]],
    Callable[Concatenate[Any, P], HttpResponseBase],
]:
    """Let a view be used by people with this permission: log-in first (redirect), then 403.

    Without a permission, anybody who is logged in may pass:

        @door("orders.work_tasks")
        @require_POST
        def claim_task(request: HtmxRequest, pk: int) -> HttpResponse: ...
    """

    def wrap(
        view: Callable[Concatenate[Any, P], HttpResponseBase],
    ) -> Callable[Concatenate[Any, P], HttpResponseBase]:
        @wraps(view)
        def guarded(request: Any, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            return turned_away(request, permission) or view(request, *args, **kwargs)

        return guarded

    return wrap


def turned_away(request: HttpRequest, permission: str) -> HttpResponse | None:
    """The way to the log-in page for a stranger; None for who may pass; else PermissionDenied."""
    if not request.user.is_authenticated:
        return to_login(request)
    if permission and not request.user.has_perm(permission):
        raise PermissionDenied(permission)
    return None


def to_login(request: HttpRequest) -> HttpResponse:
    """To the log-in page, and from there back to a page that can be shown (never to a POST)."""
    partial = is_partial(request)
    shown = request.method in {"GET", "HEAD"} and not partial
    back = request.get_full_path() if shown else came_from(request) or "/"
    response = redirect_to_login(back, login_url=resolve_url("people:login"))
    return HttpResponseClientRedirect(response.url) if partial else response


def is_partial(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of the page (going back in history asks for all of it)."""
    htmx: HtmxDetails | None = getattr(request, "htmx", None)
    return htmx is not None and bool(htmx) and not htmx.history_restore_request


def own_path(said: str) -> str:
    """An address that a form or a row names, when it is a path of ours; empty when it is not."""
    ours = said.startswith("/") and url_has_allowed_host_and_scheme(said, allowed_hosts=None)
    return said if ours else ""


def came_from(request: HttpRequest) -> str:
    """Path of the page of ours that sent this request; empty when there is none."""
    referer = request.headers.get("Referer", "")
    ours = url_has_allowed_host_and_scheme(
        referer, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    if not referer or not ours:
        return ""
    parts = urlsplit(referer)
    # Never a path that a browser reads as another host.
    return f"/{parts.path.lstrip('/')}" + (f"?{parts.query}" if parts.query else "")
