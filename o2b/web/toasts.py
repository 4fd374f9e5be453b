"""Messages for htmx: a toast instead of an answer, or toasts beside one."""

from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

LEAVES_THE_PAGE = ("HX-Redirect", "HX-Refresh", "HX-Location", "Location")


def toast(
    request: HttpRequest,
    text: object,
    *,
    status: int = 200,
    tone: str = "error",
    url: object = None,
) -> HttpResponse:
    """One message as the whole answer, put with the other messages whatever the target was."""
    context = {"text": text, "tone": tone, "url": url}
    response = render(request, "components/_toast.html", context, status=status)
    response["HX-Retarget"] = "#toasts"
    response["HX-Reswap"] = "beforeend"
    return response


def add_messages(request: HttpRequest, response: HttpResponse) -> None:
    """Append this request's messages to its partial, out of band; a page to come shows its own."""
    told = get_messages(request)
    if not getattr(told, "added_new", False) or not _swaps(response):
        return
    toasts = [
        render_to_string("components/_toast.html", {"text": one, "tone": one.level_tag}, request)
        for one in told
    ]
    response.write(f'<div id="toasts" hx-swap-oob="beforeend">{"".join(toasts)}</div>')


def _swaps(response: HttpResponse) -> bool:
    html = response.get("Content-Type", "").startswith("text/html")
    stays = not any(header in response for header in LEAVES_THE_PAGE)
    return html and stays and 200 <= response.status_code < 300 and response.status_code != 204
