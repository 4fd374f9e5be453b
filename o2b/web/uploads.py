"""Uploads that are too large: refused before a byte of them is read."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt, csrf_protect

View = Callable[..., HttpResponseBase]
# What a form brings beside its file.
SLACK = 100_000
LONGEST_LENGTH = 18


def refused_early(most: int, answer: View) -> Callable[[View], View]:
    """Let `answer` (which asks who it is, too) reply to a body of more than `most` bytes.

    Only a body that is short enough is looked through for its token, and so read.
    """

    def wrap(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not is_longer(request, most + SLACK):
                return csrf_protect(view)(request, *args, **kwargs)
            response = answer(request, *args, **kwargs)
            response["Connection"] = "close"
            return response

        return guarded

    return wrap


def is_longer(request: Any, most: int) -> bool:
    """Whether a request says that its body has more bytes."""
    said = request.META.get("CONTENT_LENGTH") or ""
    if not (said.isascii() and said.isdigit()):
        return False
    return len(said) > LONGEST_LENGTH or int(said) > most


def blamed(form: forms.Form, message: Any, *, field: str = "file") -> Any:
    """A form of which nothing was read, with what is wrong beside one field."""
    form.is_bound, form.data = True, {}
    form.errors.clear()
    form.add_error(field, message)
    return form
