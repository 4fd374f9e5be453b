"""What the pages of usage share: who may, who asks, the way back, and the ways between them."""

from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from o2b.web.columns import Chip
from o2b.web.http import own_path
from o2b.web.show import number_text
from subscriptions.usage import selectors

SEES, MENDS = "subscriptions.see_usage", "subscriptions.mend_usage"


def me(request: HttpRequest) -> int:
    return cast(int, request.user.pk)  # the door lets in nobody else than users


def back(request: HttpRequest, *, usual: str) -> HttpResponse:
    """To the page that the form names (one of ours), else to the usual one."""
    return redirect(own_path(request.POST.get("next", "")) or usual)


def places(here: str) -> dict[str, Any]:
    """The pages of the desk as links, with how many wait and are refused."""
    waits, refused = selectors.waiting_counts()
    titles = [
        ("usage", _("What came in")),
        ("usage-pending", _("Pending: %(n)s") % {"n": number_text(waits)}),
        ("usage-rejected", _("Rejected: %(n)s") % {"n": number_text(refused)}),
        ("usage-events", _("Events")),
        ("usage-alerts", _("Alerts")),
    ]
    ways = [Chip(title, reverse(f"subscriptions:{name}"), name == here) for name, title in titles]
    return {"ways": ways, "waits": waits, "refused": refused}
